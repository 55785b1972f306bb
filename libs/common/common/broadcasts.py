"""Broadcasts as people work with them: request, list, look, pause, resume, cancel. The userbot does the sending."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import asyncpg

from common.events import BroadcastRequested, BroadcastResult, derive
from common.messaging.within import Emitting
from common.postgres import Database, Queries

QUEUE = "broadcast_queue"
CONSUMER = "postroom"
OLD_NAMES = {"error": "failed"}  # of statuses, accepted when reading and filtering
STATUSES = ("pending", "processing", "done", "failed", "cancelled")


class NoSuchBroadcast(Exception):
    """There is no broadcast with this id or beginning of one, or no account of this name."""


class ManyBroadcasts(Exception):
    """What was given of an id is the beginning of several."""


class BroadcastEnded(Exception):
    """The broadcast has ended, so there is nothing to pause, resume or cancel."""


@dataclass(frozen=True, slots=True)
class ChatOutcome:
    """What came of one chat so far: the latest try, and how many there were. `outcome` is None before the first."""

    chat: str
    outcome: str | None
    attempts: int
    error: str | None
    message_ids: tuple[int, ...]
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Broadcast:
    """One broadcast. `total` is None until the worker has fixed its chats; `ends_at` is estimated from its pace."""

    id: UUID
    post_id: UUID | None
    text: str | None
    forward: bool
    account: str | None
    status: str
    attempts: int
    done: int
    total: int | None
    sent_count: int
    error_count: int
    skipped_count: int
    last_error: str | None
    not_before: datetime
    paused_at: datetime | None
    paused_by: str | None
    cancel_requested_at: datetime | None
    cancelled_by: str | None
    stopped_reason: str | None  # why its account was stopped, or, where any may take it, one of all that were
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    awaited_since: datetime | None  # when a send began to which Telegram has not answered yet
    ends_at: datetime | None

    @property
    def left(self) -> int | None:
        """How many chats are still to be sent to."""
        return None if self.total is None else max(0, self.total - self.done)

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.finished_at is not None


def task_of(event_id: str) -> UUID:
    """Return the id of the task that a broadcast.requested event becomes."""
    return derive("broadcast", event_id)


class Broadcasts:
    """The broadcasts, and what people decide about them."""

    def __init__(self, database: Database, rails: Emitting) -> None:
        self._database = database
        self._rails = rails
        self._sql = Queries.load(__package__, "broadcasts.sql")

    async def request(self, event: BroadcastRequested) -> UUID:
        """Ask for a broadcast and return the id of its task; the request survives a NATS server that is away."""
        [emit] = await self._rails.tell([event], consumer=CONSUMER, cause=f"broadcast/{uuid4()}")
        return task_of(emit.id)

    async def latest(self, status: str | None = None, *, limit: int = 50) -> list[Broadcast]:
        """Return broadcasts, the newest first; `error` is the old name of `failed`."""
        status = OLD_NAMES.get(status or "", status)
        return [_broadcast(row) for row in await self._database.fetch(self._sql["list"], None, status, limit)]

    async def get(self, task_id: UUID) -> Broadcast:
        """Return one broadcast. Raises NoSuchBroadcast."""
        rows = await self._database.fetch(self._sql["list"], task_id, None, 1)
        if not rows:
            raise NoSuchBroadcast(f"there is no broadcast {task_id}")
        return _broadcast(rows[0])

    async def find(self, beginning: str) -> UUID:
        """Return the id of the broadcast that begins so. Raises NoSuchBroadcast, ManyBroadcasts."""
        rows = await self._database.fetch(self._sql["find"], beginning.lower())
        if not rows:
            raise NoSuchBroadcast(f"there is no broadcast {beginning}")
        if len(rows) > 1:
            raise ManyBroadcasts(f"several broadcasts begin with {beginning}: give more of the id")
        return UUID(str(rows[0]["id"]))

    async def chats(self, task_id: UUID) -> list[ChatOutcome]:
        """Return the chats of a broadcast in their order, each with what came of it so far."""
        rows = await self._database.fetch(self._sql["chats"], task_id)
        return [ChatOutcome(**{**dict(row), "message_ids": tuple(row["message_ids"] or ())}) for row in rows]

    async def pause(self, task_id: UUID, by: str) -> None:
        """Let a broadcast stand still after the chat that is under way. Raises NoSuchBroadcast, BroadcastEnded."""
        await self._decided(task_id, await self._database.execute(self._sql["pause"], task_id, by))

    async def resume(self, task_id: UUID) -> None:
        """Let a paused broadcast go on. Raises NoSuchBroadcast, BroadcastEnded."""
        await self._decided(task_id, await self._database.execute(self._sql["resume"], task_id))

    async def cancel(self, task_id: UUID, by: str) -> None:
        """End a broadcast: at once where nobody works on it, else after the chat that is under way.

        Raises NoSuchBroadcast, BroadcastEnded.
        """
        emits = []
        async with self._database.transaction() as connection:
            row = await connection.fetchrow(self._sql["cancel"], task_id, by)
            if row and row["status"] == "cancelled":
                emits = self._rails.compose([_cancelled(task_id, row)], consumer=CONSUMER, cause=f"{task_id}/cancelled")
                await self._rails.emit(connection, emits)
        if row is None:
            raise BroadcastEnded(f"broadcast {task_id} has ended already: it is {(await self.get(task_id)).status}")
        await self._rails.outbox.publish(emits)

    async def accounts(self) -> list[str]:
        """Return the names of the accounts that have broadcast here, or were ready to."""
        return [row["name"] for row in await self._database.fetch(self._sql["accounts"])]

    async def resume_account(self, name: str) -> None:
        """Let an account send again that Telegram had stopped. Raises NoSuchBroadcast where none of that name is."""
        if await self._database.execute(self._sql["resume_account"], name) != "UPDATE 1":
            raise NoSuchBroadcast(f"no account {name} was stopped")

    async def _decided(self, task_id: UUID, done: str) -> None:
        if done != "UPDATE 1":
            found = await self.get(task_id)
            raise BroadcastEnded(f"broadcast {task_id} has ended already: it is {found.status}")


def _cancelled(task_id: UUID, row: asyncpg.Record) -> BroadcastResult:
    return BroadcastResult(
        task_id=task_id,
        post_id=row["post_id"],
        status="cancelled",
        account=row["account"],
        sent_count=row["sent_count"],
        error_count=row["error_count"],
        skipped_count=row["skipped_count"],
        last_error=row["last_error"],
    )


def _broadcast(row: asyncpg.Record) -> Broadcast:
    values = dict(row)
    chat_seconds, now = values.pop("chat_seconds"), values.pop("now")
    left = None if values["total"] is None else max(0, values["total"] - values["done"])
    moving = values["status"] == "processing" and left and chat_seconds is not None
    return Broadcast(**values, ends_at=now + timedelta(seconds=chat_seconds * left) if moving else None)
