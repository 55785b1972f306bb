"""The userbot's records: tasks and the chats of each, but for how tasks end."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from common.events import BroadcastRequested
from common.messaging.job import Job
from common.postgres import Connection, Database, Queries
from userbot.ports import Flag, Place
from userbot.task import Chat, Lost, Material, Outcome, Task


@dataclass(frozen=True, slots=True)
class Leave:
    """Whether a chat may be sent to now: `verdict` is `go`, or what stands in the way; `wait` is in seconds.

    `written` messages were written by others since our last one, where `asked` are asked for.
    """

    verdict: str
    wait: float
    written: int | None
    asked: int | None
    random_ids: tuple[int, ...]
    now: datetime


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a try. `pause` is for how many seconds the account waits after it.

    `flag` is what stands in the way in the chat; with `known` that nothing does is recorded as well.
    """

    outcome: Outcome
    error: str | None = None
    message_ids: tuple[int, ...] = ()
    flag: Flag | None = None
    pause: float = 0.0

    @property
    def known(self) -> bool:
        """Whether it tells something of the chat itself."""
        return self.outcome == "sent" or self.flag is not None


class Store:
    """What one account reads and writes. `cap` is how many chats it may send to in 24 hours, 0 for any number."""

    def __init__(self, database: Database, account: str, *, cap: int, unknown_after: float) -> None:
        self.account = account
        self._database = database
        self._cap = cap
        self._unknown_after = unknown_after
        self._tasks = Queries.load(__package__, "tasks.sql")
        self._chats = Queries.load(__package__, "chats.sql")
        self._material = Queries.load(__package__, "material.sql")

    def add(self, job: Job, task_id: UUID, event: BroadcastRequested, traceparent: str | None) -> None:
        """Add the task of a request to what a job commits."""
        job.write(
            self._tasks["add"],
            task_id,
            event.post_id,
            event.text,
            json.dumps(event.target_chat_ids),
            event.forward,
            event.account,
            event.not_before,
            traceparent,
        )

    async def post_exists(self, post_id: UUID) -> bool:
        """Tell whether there is such a post."""
        row = await self._database.fetchrow(self._tasks["post_exists"], post_id)
        return bool(row and row[0])

    async def appear(self) -> None:
        """Show the account among those that broadcast."""
        await self._database.execute(self._tasks["appear"], self.account)

    async def take(self, lease_seconds: float) -> Task | None:
        """Take the oldest task that is due, or one whose holder died; None where there is none.

        Not repeated where the database goes away: a take that was made all the same ends with its lease.
        """
        row = await self._database.strict.fetchrow(self._tasks["take"], self.account, uuid4(), lease_seconds, self._cap)
        return _task(row) if row else None

    async def outlook(self) -> tuple[int, float | None]:
        """Return how many tasks are open, and the seconds until the next one may be taken, where that is known."""
        row = await self._database.lax.fetchrow(self._tasks["outlook"], self.account)
        return (row["open"], row["due_in"]) if row else (0, None)

    async def obstacle(self) -> str | None:
        """Return why no task is taken at all."""
        row = await self._database.lax.fetchrow(self._tasks["obstacle"], self.account, self._cap)
        if row is None:
            return None
        capped = f"the account has sent to {self._cap} chats in 24 hours, its cap" if row["capped"] else None
        stopped = f"the account is stopped: {row['stopped']}" if row["stopped"] else None
        return stopped or row["paused"] or capped

    async def post(self, post_id: UUID) -> asyncpg.Record | None:
        """Return what there is to send of a post."""
        return await self._database.fetchrow(self._material["post"], post_id)

    async def published(self, post_id: UUID) -> asyncpg.Record | None:
        """Return where a post was published on Telegram first."""
        return await self._database.fetchrow(self._material["published"], post_id)

    async def fix(self, task: Task, material: Material, chats: Sequence[str], attach: str) -> None:
        """Fix what is sent and to whom, and attach its media for as long as the post is there. Raises Lost."""
        async with self._database.transaction() as connection:
            given = (task.id, task.holder, material.to_json(), list(chats))
            if await connection.fetchrow(self._tasks["fix"], *given) is None:
                raise Lost("the task is no longer ours")
            await self._attach(connection, task, material, attach)
        task.material, task.chats = material, tuple(chats)

    async def _attach(self, connection: Connection, task: Task, material: Material, attach: str) -> None:
        hashes = [item.hash for item in material.media if item.hash]
        if task.post_id and hashes:
            places = [f"broadcast/{task.id}/{number}" for number in range(1, len(hashes) + 1)]
            await connection.execute(attach, [task.post_id] * len(hashes), places, hashes)

    async def progress(self, task: Task) -> list[Chat]:
        """Return the chats of a task that are not through yet, those in doubt first."""
        rows = {row["address"]: row for row in await self._database.fetch(self._chats["progress"], task.id)}
        chats = [self._chat(address, rows.get(address)) for address in task.chats]
        return sorted(chats, key=lambda chat: not chat.doubtful)

    async def begin(
        self, task: Task, chat: Chat, place: Place | None, material: Material, *, write: bool = True
    ) -> Leave:
        """Ask whether a chat may be sent to now; with `write`, the try is written down where it may."""
        row = await self._database.strict_fetch(
            self._chats["begin"],
            task.id,
            task.holder,
            chat.address,
            self.account,
            chat.attempt + 1,
            place.id if place else None,
            chat.seed(task),
            chat.doubtful,
            self._cap,
            write,
            material.parts,
        )
        leave = Leave(**{**dict(row[0]), "random_ids": tuple(row[0]["random_ids"])})
        if write and leave.verdict == "go":
            chat.attempt, chat.outcome = chat.attempt + 1, "sending"
        return leave

    async def record(self, task: Task, chat: Chat, place: Place | None, result: Result) -> None:
        """Record what came of the try that began last, or of a chat without one. Raises Lost."""
        attempt = chat.attempt if chat.outcome == "sending" else chat.attempt + 1
        rows = await self._database.strict_fetch(
            self._chats["record"],
            task.id,
            task.holder,
            chat.address,
            self.account,
            attempt,
            place.id if place else None,
            result.outcome,
            result.error,
            list(result.message_ids),
            result.flag,
            result.error if result.flag else None,
            place.title if place else "",
            result.pause,
            result.known,
        )
        if not rows[0]["held"]:
            raise Lost("the task is no longer ours")
        chat.attempt, chat.outcome = attempt, result.outcome

    async def taken(self, peer_id: int, since: datetime) -> frozenset[int]:
        """Return the messages of a chat that belong to broadcasts already, of about that time and after."""
        return frozenset(row[0] for row in await self._database.fetch(self._chats["taken"], peer_id, since))

    def _chat(self, address: str, row: asyncpg.Record | None) -> Chat:
        if row is None:
            return Chat(address)
        values: dict[str, Any] = dict(row)
        passed = values.pop("doubtful_for") or 0.0
        return Chat(**values, doubtful_until=time.monotonic() + self._unknown_after - passed)


def _task(row: asyncpg.Record) -> Task:
    values = dict(row)
    material = values.pop("material")
    return Task(
        **{
            **values,
            "target_chat_ids": tuple(values["target_chat_ids"]),
            "chats": tuple(values["chats"] or ()),
            "material": Material.from_json(material) if material else None,
        }
    )
