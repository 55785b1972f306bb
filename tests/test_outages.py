"""The database, NATS or the model is away for a while, under load: services stay up, say so, and go on by themselves.

After it the report balances, and the destination holds each post exactly once.
"""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from common.testing.waiting import eventually
from embedded import NatsServer, PostgresServer

SHORT, LONG = 4.0, 60.0  # seconds
SERVICES = {"collector", "rewriter", "imagegen", "scheduler", "publisher", "userbot", "api"}
# What is away, who says so in its readiness, and in which of its checks.
AWAY = {
    "database": (SERVICES, "database"),
    "nats": (SERVICES, "nats"),
    "model": ({"rewriter"}, "model"),
}

Delivered = Callable[[Path], Counter[str]]


class World:
    """A stack on servers of our own, which nobody starts again but we."""

    def __init__(self, running: Any, nats: NatsServer, postgres: PostgresServer) -> None:
        self.running = running
        self._nats = nats
        self._postgres = postgres
        self.addresses: dict[str, str] = {}

    async def look(self, statement: str) -> list[asyncpg.Record]:
        """Read from the database; nothing where it can't be."""
        try:
            connection = await asyncpg.connect(self._postgres.dsn)
        except (OSError, asyncpg.PostgresError):
            return []
        try:
            return await connection.fetch(statement)
        except asyncpg.UndefinedTableError:
            return []
        finally:
            await connection.close()

    async def under_way(self, posts: int) -> None:
        """Wait until so many posts are published, and note where the services answer."""

        async def enough() -> bool:
            rows = await self.look("SELECT count(*) AS number FROM publications WHERE status = 'succeeded'")
            beats = await self.look("SELECT service, address FROM service_beats")
            self.addresses = {row["service"]: row["address"] for row in beats}
            return bool(rows) and rows[0]["number"] >= posts and self.addresses.keys() >= SERVICES

        await eventually(enough, within=150, every=0.2)

    @property
    def processes(self) -> dict[str, int]:
        """The processes of the services."""
        return {name: pid for name, pid in self.running.description["pids"].items() if name in SERVICES}

    async def ready(self) -> dict[str, dict[str, str]]:
        """What each service says is wrong, whether it is ready or not."""
        async with httpx.AsyncClient(timeout=10) as client:

            async def ask(address: str) -> dict[str, str]:
                assert (await client.get(f"http://{address}/health/live")).status_code == 200
                answer = await client.get(f"http://{address}/health/ready")
                assert answer.status_code == (503 if answer.json()["problems"] else 200)
                problems: dict[str, str] = answer.json()["problems"]
                return problems

            answers = await asyncio.gather(*(ask(address) for address in self.addresses.values()))
        return dict(zip(self.addresses, answers, strict=True))

    @asynccontextmanager
    async def without(self, what: str) -> AsyncIterator[None]:
        """Take something away for a block."""
        if what == "model":
            sandbox = await self.running.sandbox()
            fault = {"where": "model", "kind": "drop", "times": 1_000_000}
            number = (await sandbox.post("/api/faults", json=fault)).raise_for_status().json()["id"]
            yield
            (await sandbox.delete(f"/api/faults/{number}")).raise_for_status()
            await sandbox.aclose()
            return
        server = self._nats if what == "nats" else self._postgres
        await asyncio.to_thread(server.kill)
        yield
        await asyncio.to_thread(server.start)


@asynccontextmanager
async def world(place: Any, posts: int) -> AsyncIterator[World]:
    """Run a corpus on servers of our own."""
    corpus = place.corpus(posts)
    nats = NatsServer(place.directory / "nats")
    postgres = PostgresServer(place.directory / "postgres", settings={"fsync": "off"})
    await asyncio.gather(asyncio.to_thread(nats.start), asyncio.to_thread(postgres.start))
    try:
        (place.directory / ".env").write_text(f"DATABASE_URL={postgres.dsn}\nNATS_URL={nats.url}\n")
        async with place.up("--corpus", str(corpus), "--until-idle", "--report", "report.json") as running:
            yield World(running, nats, postgres)
    finally:
        nats.stop()
        postgres.stop()


async def outlive(place: Any, delivered: Delivered, what: str, seconds: float, posts: int) -> None:
    """Take something away for `seconds` while posts are on their way, and check all that is promised."""
    who, check = AWAY[what]
    async with world(place, posts) as stack:
        await stack.under_way(10)
        before = stack.processes
        async with stack.without(what):
            started = asyncio.get_running_loop().time()

            async def said() -> bool:
                problems = await stack.ready()
                return all(check in problems[service] for service in who)

            await eventually(said, within=30)
            await asyncio.sleep(max(0.0, started + seconds - asyncio.get_running_loop().time()))
            assert await said()  # still: and each is live

        async def well() -> bool:
            return not any((await stack.ready()).values())

        await eventually(well, within=120)
        assert stack.processes == before  # nobody died of it
        code = await stack.running.ended(within=600)
        failed = await stack.look("SELECT * FROM jobs WHERE status = 'failed'")
    report = json.loads((place.directory / "report.json").read_text())
    assert not failed
    assert code == 0, json.dumps(report) + stack.running.log()
    total = report["total"]
    assert report["problems"] == []
    assert report["dead_letters"] == 0
    assert total["balanced"] is True
    assert total["collected"] == 3 * posts == total["published"] + total["duplicates"]
    texts = delivered(place.directory / ".postroom" / "corpus")
    assert texts.total() == total["published"]
    assert max(texts.values()) == 1


@pytest.mark.timeout(400)
@pytest.mark.parametrize("what", ["database", pytest.param("nats", marks=pytest.mark.soak), "model"])
async def test_what_is_away_for_a_moment_is_waited_for(place: Any, delivered: Delivered, what: str) -> None:
    await outlive(place, delivered, what, SHORT, posts=300)


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("what", AWAY)
async def test_what_is_away_for_a_minute_is_waited_for(place: Any, delivered: Delivered, what: str) -> None:
    await outlive(place, delivered, what, LONG, posts=2000)
