"""The worker of scheduled posts: asks for their publication when they are due.

Any number of replicas run one. Whoever takes posts does it alone, so that the stream has the requests in the order in
which the posts are due; a replica that dies meanwhile lets the next one in at once, which begins with what was left.
Each target has one request at a time that the publisher has not stored yet: what a dying publisher had in its hands
comes to another one ten seconds later, and those after it must not overtake it.
"""

import logging
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import NamedTuple

import asyncpg

from common.events import Emitted, NotifyRequested, PublishRequested
from common.messaging.ledger import columns, event_of
from common.messaging.rails import Rails
from common.postgres import Connection, Database, Queries
from common.telemetry.propagation import within_trace
from scheduler.settle import SettleScheduled, not_published

log = logging.getLogger(__name__)

CONSUMER = "scheduler-scheduled"  # whose events these are in the outbox
LEFTOVERS = 500
BUSY_SECONDS, MOST_BUSY_SECONDS = 0.03, 2.0  # until what is due is looked at again; longer where that goes on
STREAM_AWAY_SECONDS = 1.0
ORDER_PATIENCE = "10s"  # after that a replica takes posts beside one that stands still
MOST_IDLE = (
    "20s"  # after that the server ends the transaction of a replica that stands still, and frees what it has locked
)


class GivenUp(NamedTuple):
    """A post that can't be published."""

    row: asyncpg.Record
    status: str
    reason: str


class ScheduledPostsWorker:
    """Takes what is due. `now` stands for the database's clock, in tests."""

    def __init__(
        self,
        database: Database,
        rails: Rails,
        settle: SettleScheduled,
        *,
        check_seconds: float,
        now: Callable[[], datetime] | None = None,
    ) -> None:
        self._database = database
        self._rails = rails
        self._settle = settle
        self._check_seconds = check_seconds
        self._settle_at = 0.0
        self._empty = 0  # looks in a row at what is due that found nothing to take
        self._now: Callable[[], datetime | None] = now or (lambda: None)
        self._sql = Queries.load(__package__, "scheduled.sql")

    async def look(self) -> float | None:
        """Take everything that is due; return the seconds until the next post is, None where none waits."""
        await self._settle_lost()
        taken: int | None = None
        while True:
            row = await self._database.fetchrow(self._sql["next"], self._now())
            due_in: float | None = row["seconds"] if row else None
            if due_in is None or due_in > 0:
                return due_in
            if taken == 0:  # the publisher has yet to store what was taken before, or somebody is changing what is due
                self._empty += 1
                return min(MOST_BUSY_SECONDS, BUSY_SECONDS * 2.0 ** (self._empty // 10))
            async with self._in_order():
                if not await self._publish_leftovers():
                    return STREAM_AWAY_SECONDS
                taken, emits = await self._take()
                await self._rails.outbox.publish(emits)
            self._empty = 0 if taken else self._empty

    async def _settle_lost(self) -> None:
        if time.monotonic() >= self._settle_at:
            await self._settle.lost()
            self._settle_at = time.monotonic() + self._check_seconds

    @asynccontextmanager
    async def _in_order(self) -> AsyncIterator[None]:
        async with self._database.lax.acquire() as connection, connection.transaction():
            await connection.execute(f"SET LOCAL lock_timeout = '{ORDER_PATIENCE}'")
            await connection.execute(f"SET LOCAL idle_in_transaction_session_timeout = '{MOST_IDLE}'")
            try:
                async with connection.transaction():
                    await connection.execute(self._sql["in_order"])
            except asyncpg.LockNotAvailableError:
                log.warning("another replica has been taking posts for %s: not waiting any longer", ORDER_PATIENCE)
            yield

    async def _publish_leftovers(self) -> bool:
        """Publish what a replica left behind that died; False where the stream is away."""
        rows = await self._database.fetch(self._sql["leftovers"], CONSUMER, LEFTOVERS)
        left = [event_of(row) for row in rows]
        return len(await self._rails.outbox.publish(left)) == len(left)

    async def _take(self) -> tuple[int, list[Emitted]]:
        """Take the first of each target, and return how many there were, and the events that are to be published."""
        async with self._database.transaction() as connection:
            await connection.execute(f"SET LOCAL idle_in_transaction_session_timeout = '{MOST_IDLE}'")
            rows = await connection.fetch(self._sql["due"], self._now())
            ready, late, given_up = _sorted(rows)
            emits = await self._request(connection, ready)
            if late:
                awaited = columns([(row["id"], _awaited(row)) for row in late], 2)
                await connection.execute(self._sql["postpone"], *awaited, self._now(), self._check_seconds)
            if given_up:
                ended = columns([(each.row["id"], each.status, each.reason) for each in given_up], 3)
                await connection.execute(self._sql["give_up"], *ended)
                emits += self._notices(given_up)
            await self._rails.emit(connection, emits)
        if ready:
            log.info("%d scheduled posts are due", len(ready))
        return len(rows), emits

    async def _request(self, connection: Connection, rows: Sequence[asyncpg.Record]) -> list[Emitted]:
        emits = []
        for row in rows:
            event = PublishRequested(post_id=row["post_id"], rewrite_id=row["rewrite_id"], targets=(row["target"],))
            # Each taking is a request of its own, and the version rises with each.
            with within_trace(row["traceparent"]):
                emits += self._rails.compose(
                    [event], consumer=CONSUMER, cause=f"scheduled/{row['id']}/{row['version']}"
                )
        ids = [row["id"] for row in rows]
        await connection.execute(self._sql["take"], ids, [emit.id for emit in emits])
        return emits

    def _notices(self, given_up: Sequence[GivenUp]) -> list[Emitted]:
        emits = []
        for each in given_up:
            if each.status == "failed":
                notice: NotifyRequested = not_published(each.row["post_id"], each.row["target"], each.reason)
                cause = f"scheduled/{each.row['id']}/{each.row['version']}"
                with within_trace(each.row["traceparent"]):
                    emits += self._rails.compose([notice], consumer=CONSUMER, cause=cause)
        return emits


def _sorted(
    rows: Sequence[asyncpg.Record],
) -> tuple[list[asyncpg.Record], list[asyncpg.Record], list[GivenUp]]:
    """Return what can be published, what has to wait, and what never will be."""
    ready, late, given_up = [], [], []
    for row in rows:
        match row["content_status"]:
            case "failed":
                given_up.append(GivenUp(row, "failed", f"its content could not be written: {row['content_reason']}"))
            case "deleted":
                given_up.append(GivenUp(row, "cancelled", "its content was deleted"))
            case "requested":
                late.append(row)
            case _ if row["lacks_image"]:
                late.append(row)
            case _:
                ready.append(row)
    return ready, late, given_up


def _awaited(row: asyncpg.Record) -> str:
    return "waits for its content" if row["content_status"] == "requested" else "waits for its image"
