"""Leases: one holder at a time, whatever happens to its connection."""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import asyncpg
import pytest

from common.leases import LeaseLost, Leases
from common.postgres import Database

TTL = 2.0  # seconds


@contextmanager
def frozen(pids: list[int]) -> Iterator[None]:
    """Freeze the server's end of connections: their queries get no answer, and neither does a cancel request."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


async def test_only_one_holds_it_and_it_can_be_given_back(database: Database) -> None:
    first, second = Leases(database, uuid4(), ttl=TTL), Leases(database, uuid4(), ttl=TTL)
    assert await first.take("session")
    assert await first.take("session")  # a renewal
    assert not await second.take("session")
    await first.release("session")
    assert await second.take("session")


async def test_a_holder_whose_connection_is_frozen_knows_before_a_stand_by_begins(
    database: Database, database_url: str
) -> None:
    loop = asyncio.get_running_loop()
    moments: dict[str, float] = {}

    async def stand_by() -> None:
        await Leases(database, uuid4(), ttl=TTL).wait_for("session")
        moments["taken over"] = loop.time()

    async with Database.connect(database_url) as lost:
        admin = await asyncpg.connect(database_url)
        known = {row["pid"] for row in await admin.fetch("SELECT pid FROM pg_stat_activity")}
        with pytest.raises(LeaseLost):
            async with Leases(lost, uuid4(), ttl=TTL).held("session"):
                pids = {await each.fetchval("SELECT pg_backend_pid()") for each in (lost.lax, lost.strict)}
                assert pids <= known
                waiting = asyncio.create_task(stand_by())
                with frozen(sorted(pids)):
                    try:
                        await asyncio.sleep(10 * TTL)
                    finally:
                        moments["lost"] = loop.time()
        await waiting
        await admin.close()
    assert moments["lost"] < moments["taken over"]
