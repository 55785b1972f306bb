"""Looking for what does not add up, in the records and in the streams."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import asyncpg
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

from common.contracts import Topology, topology
from common.messaging.ledger import event_of
from common.postgres import Database, Queries
from common.queues.standing import QueueStanding, standing
from common.reconciliation import reconcile
from common.verification.finding import Collected, Finding, Remedy, Republish, Rewritten, SendAgain, Verified

PATIENCE_SECONDS = 60.0  # what is younger may be on its way
AT_MOST = 200  # findings of a kind


class Verification:
    """Compares what was collected with where it is, and finds strays. It only looks.

    A stray is an event that no stream took, a job that nobody holds, or a post without a next step, each for longer
    than `patience` seconds.
    """

    def __init__(
        self,
        database: Database,
        stream: JetStreamContext,
        contracts: Topology | None = None,
        *,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self._database = database
        self._stream = stream
        self._contracts = contracts or topology()
        self._patience = patience
        self._sql = Queries.load("common", "verification.sql")

    async def __call__(self) -> Verified:
        """Look once. Raises what asyncpg and nats raise where a server is away."""
        asked = datetime.now(UTC)
        queues = await standing(self._database, self._stream, self._contracts)
        ages = [queue.oldest_seconds for queue in queues if queue.oldest_seconds is not None]
        oldest = asked - timedelta(seconds=max(ages, default=0.0))
        report = await reconcile(self._database, idle=False)
        contradictions = [
            Finding("contradiction", problem, "look at the post's history: `postroom trace POST`")
            for problem in report.problems
        ]
        strays = [*await self._unpublished(), *await self._unheld(queues), *await self._stopped(oldest)]
        return Verified(report, (*contradictions, *strays))

    async def _unpublished(self) -> list[Finding]:
        rows = await self._database.fetch(self._sql["unpublished"], self._patience, AT_MOST)
        return [_unpublished(row) for row in rows]

    async def _unheld(self, queues: Sequence[QueueStanding]) -> list[Finding]:
        beating = {replica.service for queue in queues for replica in queue.replicas}
        oldest = {durable.name: durable.oldest_seconds for queue in queues for durable in queue.durables}
        rows = await self._database.fetch(self._sql["unheld"], self._patience, AT_MOST)
        found = [await self._of_job(row, beating, oldest.get(row["consumer"])) for row in rows]
        return [finding for finding in found if finding]

    async def _of_job(self, row: asyncpg.Record, beating: set[str], oldest: float | None) -> Finding | None:
        """Return what is wrong with a job; `oldest` is the age in seconds of the oldest message of its consumer."""
        name = f"{row['consumer']}/{row['event_id']}"
        what = "in progress, and nobody works on it" if row["status"] == "in_progress" else "queued, and nobody took it"
        problem = f"the job {name} ({row['queue']}) has been {what} for {row['age']:.0f} s"
        try:
            durable = self._contracts.durable(row["consumer"])
        except KeyError:
            advice = f"no service reads {row['consumer']} any more: `postroom jobs cancel {name}`"
            return Finding("unheld_job", problem, advice, row["post_id"])
        if await self._in_stream(durable.stream, durable.name, row["sequence"]):
            advice = f"its message is still there: {durable.service} takes it up when it has room"
            if durable.service not in beating:
                advice = f"no {durable.service} runs: start it"
            return Finding("unheld_job", problem, advice, row["post_id"])
        if row["status"] == "queued" and oldest is not None and oldest >= row["age"] - self._patience:
            return None  # sent again, as after a replay, it waits somewhere behind that one
        if row["sequence"] is None:
            advice = f"its message is not kept any more: `postroom jobs cancel {name}`"
            return Finding("unheld_job", problem, advice, row["post_id"])
        remedy = SendAgain(row["consumer"], row["event_id"])
        advice = "its message is gone from the stream: --fix sends it again"
        return Finding("unheld_job", problem, advice, row["post_id"], remedy)

    async def _in_stream(self, stream: str, durable: str, sequence: int | None) -> bool:
        """Return whether a durable will still be given the message that lies at a place in its stream."""
        if sequence is None:
            return False
        try:
            info = await self._stream.consumer_info(stream, durable)
            if info.ack_floor and sequence <= info.ack_floor.stream_seq:
                return False
            await self._stream.get_msg(stream, sequence)
        except NotFoundError:
            return False
        return True

    async def _stopped(self, oldest: datetime) -> list[Finding]:
        rows = await self._database.fetch(self._sql["stopped"], oldest, self._patience, AT_MOST)
        return [_stopped(row) for row in rows]


def _unpublished(row: asyncpg.Record) -> Finding:
    problem = f"{row['consumer']} committed an event {row['subject']} {row['age']:.0f} s ago, and no stream has it"
    advice = f"--fix publishes it; a running {row['consumer']} does so too"
    return Finding("unpublished_event", problem, advice, remedy=Republish(event_of(row)))


def _stopped(row: asyncpg.Record) -> Finding:
    problem = f"post {row['post_id']} ({row['external_id']}) has no next step"
    remedy: Remedy | None = None
    advice = f"look at its history (`postroom trace {row['post_id']}`), and publish or reject it"
    if row["for_image"]:
        problem = f"post {row['post_id']} ({row['external_id']}) waits for an image that nobody makes"
        advice = f"`postroom images request {row['post_id']}` asks for another one"
    elif row["untouched"] and row["source_id"]:
        advice = "it never came to the rewriter: --fix tells it again that the post was collected"
        remedy = Collected(row["post_id"], row["source_id"])
    elif row["rewrite_id"]:
        advice = "its rewrite never came to the scheduler: --fix tells it again"
        remedy = Rewritten(row["post_id"], row["route_id"], row["rewrite_id"])
    return Finding("stopped_post", problem, advice, row["post_id"], remedy)
