"""How publications end, and with them their packages: recorded for many at once, with the events that tell of it."""

import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, Self
from uuid import UUID

import asyncpg

from common.events import Emitted, Event, NotifyRequested, PublishResult, TargetResult
from common.messaging.grouped import Grouped
from common.messaging.ledger import columns
from common.messaging.rails import Rails
from common.postgres import UNREACHABLE, Connection, Database, Queries, steady
from common.telemetry.propagation import within_trace
from publisher.store import Task

log = logging.getLogger(__name__)

CONSUMER = "publisher"
Status = Literal["succeeded", "failed", "unknown"]

LINGER_SECONDS = 0.1  # a result that waits for company holds nothing up: the next send is under way


@dataclass(frozen=True, slots=True)
class Ending:
    """How one publication ended. `failed` says whether it took an attempt that failed."""

    publication_id: UUID
    package_id: str
    generation: int
    status: Status
    message_ids: tuple[int, ...] = ()
    url: str | None = None
    error: str | None = None
    failed: bool = False

    @classmethod
    def of(
        cls,
        task: Task,
        status: Status,
        *,
        message_ids: tuple[int, ...] = (),
        url: str | None = None,
        error: str | None = None,
        failed: bool = False,
    ) -> Self:
        """Return the ending of a publication that a lane has taken on."""
        return cls(task.id, task.package_id, task.generation, status, message_ids, url, error, failed)


class Endings:
    """Records endings. A package whose target failed is rolled back; `rolled_back` is told of it."""

    def __init__(self, database: Database, rails: Rails, rolled_back: Callable[[], None]) -> None:
        self._database = database
        self._rails = rails
        self._rolled_back = rolled_back
        self._sql = Queries.load(__package__, "packages.sql")
        self.record: Grouped[Ending, None] = Grouped(self._record_all, lanes=1, linger=LINGER_SECONDS, busy_from=1)

    def close(self) -> None:
        """Stop."""
        self.record.close()

    async def settle(
        self, package_ids: Iterable[str], change: Callable[[Connection], Awaitable[list[Emitted]]] | None = None
    ) -> None:
        """Make a change to publications of these packages, end those packages that it was the last of, and tell.

        `change` returns the events that it adds. All of it is one transaction, repeated while the database is away.
        """
        ids = sorted(set(package_ids))

        async def once() -> list[Emitted]:
            async with self._database.transaction() as connection:
                await connection.execute(self._sql["lock"], ids)
                emits = await change(connection) if change else []
                ended = await connection.fetch(self._sql["end"], ids)
                if len(ended) < len(ids):
                    await connection.execute(self._sql["begin"], ids)
                emits += [event for row in ended for event in self._result(row)]
                if emits:
                    await self._rails.emit(connection, emits)
            return emits

        if emits := await steady(once):
            await self._rails.outbox.publish(emits)

    async def give_back(self, tasks: Sequence[Task]) -> None:
        """Give back what was taken on and certainly not sent; what its package has called off meanwhile ends here."""
        await self._call_off([task.package_id for task in tasks], [task.id for task in tasks])

    async def end(self, package_ids: Sequence[str]) -> None:
        """End packages that `ready_to_end` found."""
        await self._call_off(package_ids, [])

    async def _call_off(self, package_ids: Sequence[str], put_back: Sequence[UUID]) -> None:
        async def change(connection: Connection) -> list[Emitted]:
            await connection.execute(self._sql["put_back"], put_back)
            await connection.execute(self._sql["call_off_late"], package_ids)
            return []

        await self.settle(package_ids, change)

    async def ready_to_end(self) -> list[str]:
        """Return packages that ended without anybody noticing: a person decided, or a rival took their targets."""
        return [row["id"] for row in await self._database.fetch(self._sql["ready_to_end"])]

    def compose(self, event: Event, *, cause: str, traceparent: str | None) -> list[Emitted]:
        """Return an event in the trace of the request that it came from."""
        with within_trace(traceparent):
            return self._rails.compose([event], consumer=CONSUMER, cause=cause)

    async def _record_all(self, endings: list[Ending]) -> Sequence[Exception | None]:
        """Record a group. If it is refused, because of one row, each is tried alone, so that only that one fails."""
        try:
            await self.settle(
                (ending.package_id for ending in endings), lambda connection: self._record(connection, endings)
            )
        except UNREACHABLE:
            raise
        except Exception as error:
            if len(endings) == 1:
                return [error]
            return [(await self._record_all([ending]))[0] for ending in endings]
        return [None] * len(endings)

    async def _record(self, connection: Connection, endings: list[Ending]) -> list[Emitted]:
        rows = await connection.fetch(self._sql["record"], *columns([_row(ending) for ending in endings], 7))
        emits = [event for row in rows if row["status"] == "unknown" for event in self._unknown(row)]
        failed = {row["package_id"]: row for row in rows if row["status"] == "failed"}
        if failed:
            failures = [f"{row['destination']}: {row['last_error']}" for row in failed.values()]
            begun = await connection.fetch(self._sql["fail"], list(failed), failures)
            await connection.execute(self._sql["call_off"], [row["id"] for row in begun])
            emits += [event for row in begun for event in self._failure(row, failed[row["id"]]["destination"])]
            self._rolled_back()
        return emits

    def _result(self, row: asyncpg.Record) -> list[Emitted]:
        targets = tuple(TargetResult.model_validate(target) for target in row["targets"])
        result = PublishResult(
            package_id=row["id"],
            post_id=row["post_id"],
            rewrite_id=row["rewrite_id"],
            status=row["status"],
            reason=row["reason"],
            targets=targets,
        )
        return self.compose(result, cause=f"{row['id']}/ended", traceparent=row["traceparent"])

    def _failure(self, row: asyncpg.Record, destination: str) -> list[Emitted]:
        log.error("post %s: %s; its other targets are rolled back", row["post_id"], row["failure"])
        notice = NotifyRequested(
            kind="publisher.failed",
            severity="error",
            title=f"Not published: {row['failure']}"[:200],
            detail=f"{row['failure']}. Its other targets are cancelled or deleted again (package {row['id']}).",
            fingerprint=f"publisher.failed/{destination}",
            post_id=row["post_id"],
        )
        return self.compose(notice, cause=f"{row['id']}/failed", traceparent=row["traceparent"])

    def _unknown(self, row: asyncpg.Record) -> list[Emitted]:
        log.error("post %s at %s: %s", row["post_id"], row["destination"], row["last_error"])
        notice = NotifyRequested(
            kind="publisher.unknown",
            severity="error",
            title=f"Look whether it was published at {row['destination']}"[:200],
            detail=f"{row['last_error']} (publication {row['id']})",
            fingerprint=f"publisher.unknown/{row['destination']}",
            post_id=row["post_id"],
        )
        cause = f"{row['id']}/{row['generation']}/unknown"
        return self.compose(notice, cause=cause, traceparent=row["traceparent"])


def _row(ending: Ending) -> tuple[object, ...]:
    ids = "{" + ",".join(map(str, ending.message_ids)) + "}"
    return (
        ending.publication_id,
        ending.generation,
        ending.status,
        ids,
        ending.url,
        ending.error,
        int(ending.failed),
    )
