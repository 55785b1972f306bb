"""Mending what is safe to mend: something is told again, under the id that it had, and whoever knows it drops it."""

from datetime import UTC, datetime
from typing import assert_never

from nats.aio.client import Client

from common.events import Event, PostCollected, PostRewritten
from common.jobs import JobRefused, Jobs, NoSuchJob
from common.messaging.rails import Rails
from common.postgres import Database, Queries
from common.verification.finding import Collected, Finding, Remedy, Republish, Rewritten, SendAgain, Verified

CONSUMER = "scheduler"  # whose sweep publishes what a crash of the mending leaves behind


class Mending:
    """Mends findings, and keeps what a verification found."""

    def __init__(self, nats: Client, database: Database, rails: Rails) -> None:
        self._database = database
        self._rails = rails
        self._jobs = Jobs(nats, database, rails)
        self._sql = Queries.load("common", "verification.sql")

    async def __call__(self, verified: Verified) -> Verified:
        """Mend what can be mended safely, and return the same findings with what came of it."""
        findings = [await self._mended(finding) for finding in verified.findings]
        return Verified(verified.report, tuple(findings))

    async def keep(self, verified: Verified) -> None:
        """Record what a verification found."""
        mended = len(verified.findings) - len(verified.open)
        values = verified.balanced, len(verified.findings), mended, verified.to_json()
        await self._database.execute(self._sql["keep"], *values)

    async def _mended(self, finding: Finding) -> Finding:
        return finding if finding.remedy is None else finding.after(mended=await self._apply(finding.remedy))

    async def _apply(self, remedy: Remedy) -> bool:
        match remedy:
            case Republish(event):
                return bool(await self._rails.outbox.publish([event]))
            case SendAgain(consumer, event_id):
                return await self._send_again(consumer, event_id)
            case Collected(post_id, source_id):
                return await self._tell(PostCollected(post_id=post_id, source_id=source_id), str(post_id))
            case Rewritten(post_id, route_id, rewrite_id):
                told = PostRewritten(post_id=post_id, route_id=route_id, rewrite_id=rewrite_id)
                return await self._tell(told, str(rewrite_id))
            case _:
                assert_never(remedy)

    async def _send_again(self, consumer: str, event_id: str) -> bool:
        await self._database.execute(self._sql["free"], consumer, event_id)
        try:
            await self._jobs.retry(consumer, event_id)
        except (JobRefused, NoSuchJob):  # it has moved on meanwhile, or its message is not kept
            return False
        return True

    async def _tell(self, event: Event, about: str) -> bool:
        # To the minute: mending again and again tells it again, once the stream may have dropped it as a repetition.
        cause = f"verify/{about}/{datetime.now(UTC):%Y%m%d%H%M}"
        await self._rails.tell([event], consumer=CONSUMER, cause=cause)
        return True
