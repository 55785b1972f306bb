"""How tasks end or go back, with the events that tell of it in the same transaction."""

import logging
from collections.abc import Awaitable, Callable
from uuid import UUID, uuid4

import asyncpg

from common.events import BroadcastResult, Emitted, Event, NotifyRequested
from common.messaging.rails import Rails
from common.postgres import Connection, Database, Queries, steady
from common.telemetry.propagation import within_trace
from userbot.task import Task

log = logging.getLogger(__name__)

CONSUMER = "userbot"
UNRESOLVED = "the broadcast ended before it was known whether it was sent"

Change = Callable[[Connection], Awaitable[list[Emitted]]]


class Endings:
    """Ends the tasks of one account, gives them back, and stops the account. What is no longer ours stays as it is."""

    def __init__(self, database: Database, rails: Rails, account: str) -> None:
        self._database = database
        self._rails = rails
        self._account = account
        self._sql = Queries.load(__package__, "tasks.sql")

    async def done(self, task: Task) -> None:
        """End a task whose chats are all through, however that went for each."""
        await self._end(task, "done", None)

    async def cancelled(self, task: Task) -> None:
        """End a task that a person has cancelled."""
        await self._end(task, "cancelled", None)

    async def failed(self, task: Task, reason: str) -> None:
        """End a task that can't be carried out."""
        await self._end(task, "failed", reason)

    async def park(self, task: Task, reason: str | None, *, counted: bool = False, after: float = 0.0) -> None:
        """Give a task back, to come again after so many seconds; unless `counted`, this take was no attempt."""
        log.info("task %s goes back: %s", task.id, reason)
        arguments = (task.id, task.holder, 0 if counted else 1, reason, after)
        await self._database.execute(self._sql["park"], *arguments)

    async def stop_account(self, task: Task | None, reason: str) -> None:
        """Stop the account until a person resumes it, and give its task back."""

        async def change(connection: Connection) -> list[Emitted]:
            row = None
            if task:
                row = await connection.fetchrow(self._sql["park"], task.id, task.holder, 1, reason, 0.0)
            if await connection.fetchrow(self._sql["stop_account"], self._account, reason) is None:
                return []
            notice = NotifyRequested(
                kind="userbot.account_stopped",
                severity="error",
                title=f"Telegram has stopped the account {self._account}: {reason}"[:200],
                detail=f"{reason}. It sends nothing until `postroom broadcasts resume --account {self._account}`.",
                fingerprint=f"userbot.account_stopped/{self._account}",
                post_id=row["post_id"] if row else None,
            )
            return self._compose(notice, cause=f"stopped/{uuid4()}", traceparent=row["traceparent"] if row else None)

        log.error("account %s is stopped: %s", self._account, reason)
        await self._settle(change)

    async def end_cancelled(self) -> bool:
        """End one cancelled task that nobody works on; False where there is none."""
        found = False

        async def change(connection: Connection) -> list[Emitted]:
            nonlocal found
            left = await connection.fetchrow(self._sql["cancelled"])
            found = left is not None
            if left is None:
                return []
            await connection.execute(self._sql["close_doubts"], left["id"], UNRESOLVED)
            (row,) = await connection.fetch(self._sql["cancel"], left["id"])
            return self._result(row)

        await self._settle(change)
        return found

    async def _end(self, task: Task, status: str, reason: str | None) -> None:
        async def change(connection: Connection) -> list[Emitted]:
            if status != "done" and await self._is_ours(connection, task):
                await connection.execute(self._sql["close_doubts"], task.id, UNRESOLVED)
            row = await connection.fetchrow(self._sql["end"], task.id, task.holder, status, reason)
            if row is None:
                return []
            log.info("task %s is %s: %d sent, %d errors", task.id, status, row["sent_count"], row["error_count"])
            return self._result(row) + (self._failure(row) if status == "failed" else [])

        await self._settle(change)

    async def _is_ours(self, connection: Connection, task: Task) -> bool:
        return await connection.fetchrow(self._sql["renew"], task.id, task.holder, 1.0) is not None

    async def _settle(self, change: Change) -> None:
        """Carry out one transaction with its events, repeated while the database is away; then publish them."""

        async def once() -> list[Emitted]:
            async with self._database.transaction() as connection:
                if emits := await change(connection):
                    await self._rails.emit(connection, emits)
            return emits

        if emits := await steady(once):
            await self._rails.outbox.publish(emits)

    def _result(self, row: asyncpg.Record) -> list[Emitted]:
        result = BroadcastResult(
            task_id=row["id"],
            post_id=row["post_id"],
            status=row["status"],
            account=row["account"],
            sent_count=row["sent_count"],
            error_count=row["error_count"],
            skipped_count=row["skipped_count"],
            last_error=row["last_error"],
        )
        return self._compose(result, cause=_cause(row["id"], "ended"), traceparent=row["traceparent"])

    def _failure(self, row: asyncpg.Record) -> list[Emitted]:
        notice = NotifyRequested(
            kind="userbot.failed",
            severity="error",
            title=f"A broadcast failed: {row['last_error']}"[:200],
            detail=f"{row['last_error']} (broadcast {row['id']}: {row['sent_count']} sent before that)",
            fingerprint=f"userbot.failed/{row['id']}",
            post_id=row["post_id"],
        )
        return self._compose(notice, cause=_cause(row["id"], "failed"), traceparent=row["traceparent"])

    def _compose(self, event: Event, *, cause: str, traceparent: str | None) -> list[Emitted]:
        """Return an event in the trace of the request that it came from."""
        with within_trace(traceparent):
            return self._rails.compose([event], consumer=CONSUMER, cause=cause)


def _cause(task_id: UUID, what: str) -> str:
    return f"{task_id}/{what}"
