"""From a brief, and from a rule, to a channel: API, rewriter, two schedulers and a publisher as processes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from common.postgres import Database
from common.service import ServiceSettings
from common.testing import warm
from common.testing.waiting import eventually
from common.tokens import Tokens
from sandbox.announcement import bind
from sandbox.connections import HttpServer
from sandbox.faults import Faults
from sandbox.model.rewriting import Rewriter, load_phrasebooks
from sandbox.model.routes import ModelEndpoint
from sandbox.telegram import Chat, Store, TelegramServer, World
from sandbox.web.application import make_application

SERVICES = ("api", "rewriter", "scheduler", "scheduler", "publisher")


@pytest.fixture
async def outside(service_settings: ServiceSettings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """Telegram with a bot that publishes, and a model."""
    world = World(Store(None))
    telegram = TelegramServer(world, Faults())
    await telegram.start()
    bot = world.add_bot("Publisher", "publisher_bot")
    endpoint = ModelEndpoint(Rewriter(load_phrasebooks()), Faults(), "sk-test", 4000, ("sandbox-writer",))
    listener = bind("127.0.0.1", 0, 0)
    model = HttpServer(make_application([endpoint.routes()]))
    await model.start(listener)
    for name, value in {
        "TELEGRAM_SERVER": f"127.0.0.1:{telegram.port}",
        "TELEGRAM_SERVER_PUBLIC_KEY": telegram.public_key_pem,
        "TELEGRAM_BOT_TOKEN": bot.token,
        "PUBLISH_PACING": "off",
        "OPENAI_API_KEY": "sk-test",
        "OPENAI_BASE_URL": f"http://127.0.0.1:{listener.getsockname()[1]}/v1",
    }.items():
        monkeypatch.setenv(name, value)
    yield world
    await model.stop()
    await telegram.stop()
    world.store.close()


@asynccontextmanager
async def calling(database: Database, monkeypatch: pytest.MonkeyPatch, port: int) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the API, while all services run."""
    monkeypatch.setenv("API_PORT", str(port))
    _, token = await Tokens(database).create("tests", "write", expires_at=None, by="tests")
    processes = [await warm.start(name) for name in SERVICES]

    async def ready() -> bool:
        assert all(process.returncode is None for process in processes), "a service ended"
        rows = await database.fetch("SELECT service FROM service_beats WHERE ready")
        return sorted(row["service"] for row in rows) == sorted(SERVICES)

    try:
        await eventually(ready, within=60)  # what they say is shown where a test fails
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}/api/v1", headers=headers, timeout=30) as client:
            yield client
    finally:
        for process in processes:
            if process.returncode is None:
                process.terminate()
        await asyncio.gather(*(process.wait() for process in processes))


def channel(world: World, name: str) -> Chat:
    """A channel in which the bot may post."""
    owner = world.add_user("Owner", f"+1{int.from_bytes(name.encode()[:4]):010}")
    return world.add_channel(name, name, owner, admins=[world.find_user("publisher_bot")])


async def test_what_is_planned_and_what_rules_make_is_written_and_published_once(
    outside: World, database: Database, monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int
) -> None:
    planned, ruled = channel(outside, "planned"), channel(outside, "ruled")
    async with calling(database, monkeypatch, unused_tcp_port) as api:

        async def post(path: str, **body: Any) -> dict[str, Any]:
            answer = await api.post(path, json=body)
            assert answer.status_code < 300, answer.text
            found: dict[str, Any] = answer.json()
            return found

        async def read(chat: Chat) -> list[str]:
            return [message.text for message in outside.messages(chat.id, limit=10)]

        soon = (datetime.now(UTC) + timedelta(seconds=1)).isoformat()
        content = await post("/content/create", title="The new bridge", description="3,500 people came on 12 May.")
        await post("/scheduled-posts", content_id=content["id"], target="telegram:@planned", scheduled_time=soon)

        await post("/destinations", address="telegram:@ruled", is_default=True)
        brief = {"title": "Good day", "description": "Have a good day, all of you."}
        common = {"content_config": brief, "platforms": ["telegram"]}
        soon = (datetime.now(UTC) + timedelta(seconds=1)).isoformat()
        once = await post(
            "/auto-posting/rules", name="once", schedule_type="once", schedule_config={"at": soon}, **common
        )
        daily = {"times": ["12:05"], "timezone": "Europe/Moscow"}
        rule = await post("/auto-posting/rules", name="daily", schedule_type="daily", schedule_config=daily, **common)
        assert (await post(f"/auto-posting/rules/{rule['id']}/run"))["status"] == "succeeded"

        [text] = await eventually(lambda: read(planned))
        assert text.startswith("The new bridge\n\n")
        assert "3,500" in text

        async def both() -> bool:
            return len(await read(ruled)) == 2

        await eventually(both)

        async def settled() -> bool:
            rows = (await api.get("/scheduled-posts", params={"status": "published"})).json()["items"]
            return len(rows) == 3

        await eventually(settled)
        for each in (once, rule):
            found = (await api.get(f"/auto-posting/rules/{each['id']}")).json()["statistics"]
            assert (found["executions"], found["succeeded"], found["posts_published"]) == (1, 1, 1)
        assert len(await read(planned)) == 1
        assert len(await read(ruled)) == 2
        state = (await api.get(f"/posts/{content['post_id']}")).json()["state"]
    assert state == "published"
