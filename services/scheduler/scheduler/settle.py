"""How a scheduled post ends whose publish request has ended: published, tried again, failed or cancelled."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg

from common.events import Event, NotifyRequested, PublishResult
from common.messaging import Job
from common.messaging.ledger import columns
from common.messaging.rails import Rails
from common.postgres import Database, Queries
from common.telemetry.propagation import current_trace, within_trace

MOST_REPEATS = 3
LOST_SECONDS = 60.0  # after that a request that has ended counts as one whose result was lost
CONSUMER = "scheduler-scheduled"


@dataclass(frozen=True, slots=True)
class Told:
    """What came of a request at its target."""

    status: str
    error: str
    message_ids: tuple[int, ...] = ()
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Settled:
    """A statement with its row, and what people are told."""

    statement: str
    row: tuple[Any, ...]
    notices: tuple[NotifyRequested, ...] = ()


class SettleScheduled:
    """Settles scheduled posts. `retry_seconds` is the wait after the first failure; each later one is twice as long."""

    def __init__(self, database: Database, rails: Rails, *, retry_seconds: float) -> None:
        self._database = database
        self._rails = rails
        self._retry_seconds = retry_seconds
        self._sql = Queries.load(__package__, "scheduled.sql")

    async def __call__(self, event: PublishResult, job: Job) -> Sequence[Event]:
        """Settle the scheduled post of a request, where it was one of those; return what people are told."""
        if event.status == "succeeded":
            job.write(self._sql["mend"], event.post_id)
        row = await self._database.fetchrow(self._sql["publishing"], event.package_id)
        if row is None:
            return []
        settled = self._settled(row, _told(event))
        job.write(self._sql[settled.statement], *settled.row)
        return settled.notices

    def wake(self, post_id: UUID, job: Job) -> None:
        """Let what waited for a content or an image of this post be looked at again."""
        job.write(self._sql["wake"], post_id, current_trace())

    async def lost(self) -> None:
        """Settle posts whose requests have ended without a result that came here: as dead letters, mostly."""
        for row in await self._database.fetch(self._sql["lost"], LOST_SECONDS):
            settled = self._settled(row, Told(row["ended"], row["error"]))
            with within_trace(row["traceparent"]):
                emits = self._rails.compose(settled.notices, consumer=CONSUMER, cause=f"lost/{row['request_id']}")
            async with self._database.transaction() as connection:
                await connection.execute(self._sql[settled.statement], *columns([settled.row], len(settled.row)))
                await self._rails.emit(connection, emits)
            await self._rails.outbox.publish(emits)

    def _settled(self, row: asyncpg.Record, told: Told) -> Settled:
        request_id, attempts = row["request_id"], row["attempts"]
        if told.status == "succeeded" and told.message_ids:
            return _ended(request_id, "published", attempts, told.message_ids, told.url)
        if row["publication"] == "succeeded":  # by this request or another one
            return _ended(request_id, "published", attempts, row["message_ids"], row["url"])
        if row["publication"] == "unknown":
            error = "nobody knows whether it was published: decide that first"
            return _ended(request_id, "failed", attempts, (), None, error, notice=_notice(row, error))
        if told.status == "cancelled" and row["publication"] in ("queued", "in_progress"):
            return Settled("again", (request_id, attempts, self._retry_seconds, told.error))
        if told.status == "cancelled":
            return _ended(request_id, "cancelled", attempts, (), None, told.error)
        attempts += 1
        if attempts <= MOST_REPEATS:
            return Settled("again", (request_id, attempts, self._retry_seconds * 2 ** (attempts - 1), told.error))
        return _ended(request_id, "failed", attempts, (), None, told.error, notice=_notice(row, told.error))


def not_published(post_id: UUID, target: str, error: str) -> NotifyRequested:
    """Return what people are told of a scheduled post that will not be published."""
    return NotifyRequested(
        kind="scheduler.not_published",
        severity="error",
        title=f"A scheduled post is not published at {target}: {error}"[:200],
        detail=f"{error} (post {post_id}); repair the cause, then retry the scheduled post",
        fingerprint=f"scheduler.not_published/{target}",
        post_id=post_id,
    )


def _told(event: PublishResult) -> Told:
    """Return what is said of the only target."""
    if not event.targets:
        return Told(event.status, event.reason or event.status)
    said = event.targets[0]
    return Told(said.status, said.error or event.reason or said.status, said.message_ids, said.url)


def _notice(row: asyncpg.Record, error: str) -> NotifyRequested:
    return not_published(row["post_id"], row["target"], error)


def _ended(
    request_id: str,
    status: str,
    attempts: int,
    message_ids: Sequence[int],
    url: str | None,
    error: str | None = None,
    *,
    notice: NotifyRequested | None = None,
) -> Settled:
    ids = "{" + ",".join(map(str, message_ids)) + "}"
    return Settled("settle", (request_id, status, attempts, ids, url, error), (notice,) if notice else ())
