"""Bulk operations: counted first, done step by step, exact after a death, stopped when asked."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

import pytest

from common.operations import (
    GONE,
    Filter,
    Kind,
    Operation,
    OperationEnded,
    OperationRunner,
    Operations,
    Outcome,
    UnknownKind,
    WrongFilter,
)
from common.postgres import Database
from common.testing.waiting import eventually

LEASE_SECONDS = 0.6


class Death(BaseException):
    """What ends a process without a word."""


class Bulbs(Filter):
    """Which bulbs."""

    colour: str | None = None


class SwitchOff:
    """Takes lit bulbs out of a table; `before` and `after` are called around each step with its number."""

    name = "bulbs.off"
    filter = Bulbs

    def __init__(self, database: Database, *, after: Callable[[int], None] = lambda step: None) -> None:
        self.database = database
        self.steps: list[int] = []
        self._after = after

    async def count(self, wanted: Bulbs) -> int:
        rows = await self.database.fetch("SELECT FROM bulbs WHERE lit AND colour = coalesce($1, colour)", wanted.colour)
        return len(rows)

    async def page(self, wanted: Bulbs, *, until: datetime, after: str | None, limit: int) -> Sequence[str]:
        rows = await self.database.fetch(
            "SELECT number FROM bulbs WHERE lit AND colour = coalesce($1, colour) AND made_at <= $2 AND number > $3"
            " ORDER BY number LIMIT $4",
            wanted.colour,
            until,
            int(after or 0),
            limit,
        )
        return [str(row["number"]) for row in rows]

    async def act(self, keys: Sequence[str], operation: Operation) -> Sequence[Outcome]:
        self.steps.append(len(keys))
        rows = await self.database.strict_fetch(
            "DELETE FROM bulbs WHERE number = ANY($1) AND colour <> 'black' RETURNING number",
            [int(key) for key in keys],
        )
        off = {str(row["number"]) for row in rows}
        black = await self.database.fetch("SELECT number FROM bulbs WHERE number = ANY($1)", [int(key) for key in keys])
        broken = {str(row["number"]) for row in black}
        self._after(len(self.steps))
        return [None if key in off else "it is black" if key in broken else GONE for key in keys]


async def bulbs(database: Database, number: int, colour: str = "red") -> None:
    await database.execute(
        "CREATE TABLE IF NOT EXISTS bulbs (number serial, colour text, lit boolean, made_at timestamptz DEFAULT now())"
    )
    await database.execute(
        "INSERT INTO bulbs (colour, lit) SELECT $2, true FROM generate_series(1, $1)", number, colour
    )


def of(kind: Kind) -> dict[str, Kind]:
    return {kind.name: kind}


async def left(database: Database) -> int:
    count: int = await database.strict.fetchval("SELECT count(*) FROM bulbs")
    return count


async def ended(operations: Operations, operation_id: UUID) -> Operation:
    async def probe() -> Operation | None:
        operation = await operations.get(operation_id)
        return operation if operation.ended else None

    found = await eventually(probe)
    assert found
    return found


async def test_it_is_counted_done_step_by_step_and_recorded(database: Database) -> None:
    await bulbs(database, 250)
    await bulbs(database, 3, "black")
    await bulbs(database, 5, "blue")
    kinds = of(kind := SwitchOff(database))
    operations = Operations(database, kinds)
    assert await operations.count("bulbs.off", {"colour": "red"}) == 250
    started = await operations.start("bulbs.off", {}, by="cli:me", reason="dark is better")
    assert (started.status, started.total) == ("pending", 258)
    await bulbs(database, 4)  # later than it was asked for
    assert await OperationRunner(database, kinds).run_next()
    found = await operations.get(started.id)
    assert (found.status, found.done, found.refused) == ("done", 255, 3)
    assert found.refusals == [{"key": str(number), "reason": "it is black"} for number in (251, 252, 253)]
    assert kind.steps == [100, 100, 58]
    assert await left(database) == 3 + 4
    line = await database.fetchrow("SELECT * FROM audit_log")
    assert line
    assert (line["actor"], line["action"], line["object"]) == (
        "cli:me",
        "bulbs.off",
        f"/api/v1/operations/{started.id}",
    )
    assert line["before"] == {"filter": {}, "reason": "dark is better"}
    assert line["after"] == {"status": "done", "total": 258, "done": 255, "refused": 3, "error": None}
    assert not await OperationRunner(database, kinds).run_next()


async def test_after_a_death_it_goes_on_and_its_count_is_exact(database: Database) -> None:
    await bulbs(database, 250)

    def die(step: int) -> None:
        if step == 2:
            raise Death

    operations = Operations(database, of(mortal := SwitchOff(database, after=die)))
    started = await operations.start("bulbs.off", {}, by="cli:me")
    with pytest.raises(Death):
        await OperationRunner(database, of(mortal), lease=LEASE_SECONDS).run_next()
    assert await left(database) == 50  # the second step was done, and not noted
    heir = OperationRunner(database, of(SwitchOff(database)), lease=LEASE_SECONDS)
    assert not await heir.run_next()  # the lease of the dead is not over
    await eventually(heir.run_next)
    found = await operations.get(started.id)
    assert (found.status, found.total, found.done, found.refused) == ("done", 250, 250, 0)


async def test_what_was_overtaken_stops(database: Database) -> None:
    """A runner that was away for longer than its lease must not count what its heir does."""
    await bulbs(database, 150)

    class Slow(SwitchOff):
        def __init__(self, database: Database) -> None:
            super().__init__(database)
            self.reached, self.go = asyncio.Event(), asyncio.Event()

        async def act(self, keys: Sequence[str], operation: Operation) -> Sequence[Outcome]:
            outcomes = await super().act(keys, operation)
            self.reached.set()
            await self.go.wait()
            return outcomes

    away, heir = Slow(database), Slow(database)
    operations = Operations(database, of(away))
    started = await operations.start("bulbs.off", {}, by="cli:me")
    first = asyncio.create_task(OperationRunner(database, of(away)).run_next())
    await away.reached.wait()
    await database.execute("UPDATE bulk_operations SET lease_until = now() - interval '1 s'")
    second = asyncio.create_task(OperationRunner(database, of(heir)).run_next())
    await heir.reached.wait()
    away.go.set()
    assert await first
    assert (await operations.get(started.id)).done == 0
    heir.go.set()
    assert await second
    found = await operations.get(started.id)
    assert (found.status, found.done, away.steps, heir.steps) == ("done", 150, [100], [100, 50])


async def test_it_is_stopped_before_and_while_it_runs(database: Database) -> None:
    await bulbs(database, 250)
    operations = Operations(database, of(SwitchOff(database)))
    early = await operations.start("bulbs.off", {}, by="cli:me")
    assert (await operations.cancel(early.id, by="cli:you")).status == "cancelled"
    with pytest.raises(OperationEnded, match="it is cancelled already"):
        await operations.cancel(early.id, by="cli:you")

    late = await operations.start("bulbs.off", {}, by="cli:me")
    asked: list[asyncio.Task[Operation]] = []

    class Interrupted(SwitchOff):
        async def act(self, keys: Sequence[str], operation: Operation) -> Sequence[Outcome]:
            asked.append(asyncio.create_task(operations.cancel(late.id, by="cli:you")))
            await asked[-1]
            return await super().act(keys, operation)

    runner = OperationRunner(database, of(Interrupted(database)))
    assert await runner.run_next()
    assert not await runner.run_next()
    found = await operations.get(late.id)
    assert (found.status, found.done, found.cancelled_by) == ("cancelled", 100, "cli:you")
    assert await left(database) == 150


async def test_it_waits_for_a_server_and_fails_by_anything_else(database: Database) -> None:
    await bulbs(database, 30)
    errors: list[Exception] = [TimeoutError("away"), ValueError("broken")]

    def trouble(_step: int) -> None:
        if errors:
            raise errors.pop(0)

    operations = Operations(database, of(kind := SwitchOff(database, after=trouble)))
    started = await operations.start("bulbs.off", {}, by="cli:me")
    runner = OperationRunner(database, of(kind))
    assert await runner.run_next()
    assert (await operations.get(started.id)).status == "running"
    await database.execute("UPDATE bulk_operations SET lease_until = now()")  # the pause is over
    assert await runner.run_next()
    found = await operations.get(started.id)
    assert (found.status, found.error) == ("failed", "ValueError: broken")

    await bulbs(database, 30)
    errors.append(TimeoutError("away"))
    again = await operations.start("bulbs.off", {}, by="cli:me")
    await runner.run_next()
    await database.execute("UPDATE bulk_operations SET lease_until = now()")
    await runner.run_next()
    found = await operations.get(again.id)
    assert (found.status, found.done, found.refused) == ("done", 30, 0)  # what is gone was us


async def test_whoever_runs_operations_is_woken_and_gives_back_what_it_leaves(
    database: Database, database_url: str
) -> None:
    await bulbs(database, 10)
    kinds = of(SwitchOff(database))
    operations = Operations(database, kinds)
    running = asyncio.create_task(OperationRunner(database, kinds).run(database_url))
    await ended(operations, (await operations.start("bulbs.off", {}, by="cli:me")).id)
    await bulbs(database, 10)
    await ended(operations, (await operations.start("bulbs.off", {}, by="cli:me")).id)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    await bulbs(database, 10)
    reached, never = asyncio.Event(), asyncio.Event()

    class Stuck(SwitchOff):
        async def act(self, keys: Sequence[str], operation: Operation) -> Sequence[Outcome]:
            reached.set()
            await never.wait()
            return []

    third = await operations.start("bulbs.off", {}, by="cli:me")
    stopped = asyncio.create_task(OperationRunner(database, of(Stuck(database))).run_next())
    await reached.wait()
    stopped.cancel()
    await asyncio.gather(stopped, return_exceptions=True)
    assert await OperationRunner(database, kinds).run_next()  # at once
    assert (await operations.get(third.id)).done == 10


async def test_whoever_follows_runs_it_where_nobody_else_would(database: Database) -> None:
    await bulbs(database, 10)
    kinds = of(SwitchOff(database))
    operations = Operations(database, kinds)
    started = await operations.start("bulbs.off", {}, by="cli:me")
    seen: list[str] = []

    async def look() -> Operation:
        found = await operations.get(started.id)
        seen.append(found.status)
        return found

    await OperationRunner(database, kinds).follow(started.id, look, every=0.05)
    assert seen[-1] == "done"

    # Where a service lives, it is left to it.
    await bulbs(database, 10)
    await database.execute("INSERT INTO service_beats VALUES ('api', gen_random_uuid(), 'here', now(), now(), true)")
    started = await operations.start("bulbs.off", {}, by="cli:me")
    following = asyncio.create_task(OperationRunner(database, kinds).follow(started.id, look, every=0.01))
    seen.clear()
    await eventually(lambda: asyncio.sleep(0, len(seen) > 5))
    assert set(seen) == {"pending"}
    await OperationRunner(database, kinds).run_next()
    await following


async def test_what_can_not_be_understood_is_refused(database: Database) -> None:
    operations = Operations(database, of(SwitchOff(database)))
    with pytest.raises(UnknownKind, match=r"there is no operation 'bulbs\.on': there are bulbs\.off"):
        await operations.count("bulbs.on", {})
    with pytest.raises(WrongFilter, match="colour: Input should be a valid string; color: Extra inputs"):
        await operations.start("bulbs.off", {"color": "red", "colour": 5}, by="cli:me")
    assert await database.fetch("SELECT FROM bulk_operations") == []
