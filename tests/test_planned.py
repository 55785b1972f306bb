"""Many scheduled posts at one instant, several replicas of scheduler and publisher, some of which are killed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from common.catalog import Catalog
from common.postgres import Database
from common.posts import NewPost, Posts
from common.service import ServiceSettings
from common.telegram.text import RichText
from common.testing import warm
from common.testing.waiting import eventually
from sandbox.faults import Faults
from sandbox.telegram import Chat, Store, TelegramServer, World


@asynccontextmanager
async def running(*services: str) -> AsyncIterator[list[warm.Process]]:
    """Processes of services, which are stopped at the end."""
    processes = [await warm.start(name) for name in services]
    try:
        yield processes
    finally:
        for process in processes:
            if process.returncode is None:
                process.terminate()
        await asyncio.gather(*(process.wait() for process in processes))


@pytest.fixture
async def world(service_settings: ServiceSettings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """Telegram, with a bot that publishes."""
    world = World(Store(None))
    server = TelegramServer(world, Faults())
    await server.start()
    bot = world.add_bot("Publisher", "publisher_bot")
    for name, value in {
        "TELEGRAM_SERVER": f"127.0.0.1:{server.port}",
        "TELEGRAM_SERVER_PUBLIC_KEY": server.public_key_pem,
        "TELEGRAM_BOT_TOKEN": bot.token,
        "PUBLISH_PACING": "off",
        "PUBLISH_RETRY_INTERVAL_SECONDS": "1",
    }.items():
        monkeypatch.setenv(name, value)
    yield world
    await server.stop()
    world.store.close()


def channels(world: World, number: int) -> list[Chat]:
    """Channels in which the bot may post."""
    owner = world.add_user("Owner", "+10000000001")
    bot = world.find_user("publisher_bot")
    return [world.add_channel(f"chan{n}", f"chan{n}", owner, admins=[bot]) for n in range(number)]


async def plan(database: Database, number: int, targets: int) -> None:
    """Plan posts for one instant, the n-th for target n modulo `targets`."""
    source = await Catalog(database).put_source("import", "tests")
    new = [NewPost(source, str(n), RichText(text=f"post {n:04}")) for n in range(number)]
    await Posts(database).add(new)
    await database.execute(
        "INSERT INTO scheduled_posts (post_id, platform, target, scheduled_time, due_at, created_by, created_at)"
        " SELECT id, 'telegram', 'telegram:@chan' || external_id::int % $1, now(), now(), 'tests',"
        "        now() + external_id::int * interval '1 microsecond' FROM posts",
        targets,
    )


@pytest.mark.parametrize(("number", "targets"), [(120, 4), pytest.param(1000, 20, marks=pytest.mark.soak)])
async def test_each_is_published_once_and_in_order_whoever_dies(
    world: World, database: Database, number: int, targets: int
) -> None:
    places = channels(world, targets)

    async def count(status: str) -> int:
        row = await database.fetchrow("SELECT count(*) AS n FROM scheduled_posts WHERE status = $1", status)
        assert row
        return int(row["n"])

    async def ready() -> bool:
        rows = await database.fetch("SELECT service FROM service_beats WHERE ready")
        return sorted(row["service"] for row in rows) == ["publisher"] * 2 + ["scheduler"] * 3

    async def some_are_taken() -> bool:
        return await count("scheduled") < number

    async def some_are_sent() -> int:
        return sum(len(world.messages(place.id, limit=number)) for place in places) > number // 10

    async def all_are_published() -> bool:
        return await count("published") == number

    async with running(*["scheduler"] * 3, *["publisher"] * 2) as processes:
        await eventually(ready, within=60)
        await plan(database, number, targets)
        await eventually(some_are_taken, every=0.001)
        processes[0].kill()
        await eventually(some_are_sent, every=0.001)
        processes[3].kill()
        await eventually(all_are_published, within=120)
        await asyncio.gather(processes[0].wait(), processes[3].wait())
    for n, place in enumerate(places):
        texts = [message.text for message in world.messages(place.id, limit=number)]
        assert texts == [f"post {each:04}" for each in range(n, number, targets)]
        rows = await database.fetch(
            "SELECT s.message_ids, p.text FROM scheduled_posts s JOIN posts p ON p.id = s.post_id WHERE target = $1",
            f"telegram:@chan{n}",
        )
        assert all(texts[row["message_ids"][0] - 1] == row["text"] for row in rows)
    [failed] = await database.fetch("SELECT count(*) AS jobs FROM jobs WHERE status NOT IN ('succeeded')")
    assert failed["jobs"] == 0
