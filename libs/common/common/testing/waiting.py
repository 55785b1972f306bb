"""Waiting for a condition, never for luck."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import asyncpg

from common.postgres import Database

Value = TypeVar("Value")


async def eventually(probe: Callable[[], Awaitable[Value]], *, within: float = 20.0, every: float = 0.02) -> Value:
    """Return the first true value of `probe`; fail, showing the last one, when there is none `within` seconds."""
    loop = asyncio.get_running_loop()
    end = loop.time() + within
    while True:
        value = await probe()
        if value:
            return value
        if loop.time() > end:
            raise AssertionError(f"still {value!r} after {within:g} s")
        await asyncio.sleep(every)


async def job_of(database: Database, event_id: str, *statuses: str) -> asyncpg.Record:
    """Wait until the job of an event is in one of `statuses`, by default until it has ended, and return its row."""

    async def there() -> asyncpg.Record | None:
        return await database.fetchrow(
            "SELECT * FROM jobs WHERE event_id = $1 AND status = ANY($2)",
            event_id,
            list(statuses or ("succeeded", "failed", "cancelled")),
        )

    found = await eventually(there)
    assert found
    return found
