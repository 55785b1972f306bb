"""Rewrites and images on one model quota, with both services and the sandbox's model: who has how much of it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from uuid import UUID

import pytest
from nats.aio.client import Client

import imagegen.app
import rewriter.app
from common.catalog import Catalog
from common.events import Event, ImageRequested, PostCollected, derive, emitted
from common.postgres import Database
from common.posts import NewPost, Posts
from common.service import ServiceSettings
from common.telegram.text import RichText
from common.testing.waiting import eventually
from sandbox.announcement import bind
from sandbox.connections import HttpServer
from sandbox.faults import Faults
from sandbox.model.images import ImageEndpoint
from sandbox.model.limit import Limit
from sandbox.model.rewriting import Rewriter, load_phrasebooks
from sandbox.model.routes import ModelEndpoint
from sandbox.web.application import make_application

KEY = "sk-of-the-tests-only"
LIMIT_REQUESTS, LIMIT_SECONDS = 12, 0.8


@pytest.fixture
async def limit(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Limit]:
    """A limit on the rate that texts and images share, of the model that both services are pointed to."""
    limit = Limit(LIMIT_REQUESTS, LIMIT_SECONDS)
    texts = ModelEndpoint(Rewriter(load_phrasebooks()), Faults(), KEY, 4000, ("sandbox-writer",), limit=limit)
    images = ImageEndpoint(Faults(), KEY, ("dall-e-2",), limit=limit)
    listener = bind("127.0.0.1", 0, 0)
    server = HttpServer(make_application([texts.routes(), images.routes()]))
    await server.start(listener)
    environment = {
        "OPENAI_API_KEY": KEY,
        "OPENAI_BASE_URL": f"http://127.0.0.1:{listener.getsockname()[1]}/v1",
        "OPENAI_IMAGE_MODEL": "dall-e-2",
        "OPENAI_IMAGE_SIZE": "256x256",  # the less to draw, the more of the time is the quota's
        "IMAGEGEN_QUEUE_CONCURRENCY": "16",  # as many as of the rewriter: nothing but the quota holds them back
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    yield limit
    await server.stop()


@dataclass
class Work:
    """Posts that wait for a rewrite or an image."""

    database: Database
    nats: Client
    source: UUID

    async def posts(self, number: int, name: str) -> list[UUID]:
        posts = [
            NewPost(self.source, f"{name}-{each}", RichText(text=f"Новость номер {each} ({name}) о мосте"))
            for each in range(number)
        ]
        await Posts(self.database).add(posts)
        return [post.id for post in posts]

    async def rewrites(self, number: int) -> None:
        posts = await self.posts(number, "rewrite")
        await self.publish([PostCollected(post_id=post, source_id=self.source) for post in posts])

    async def images(self, number: int) -> None:
        await self.publish([ImageRequested(post_id=post) for post in await self.posts(number, "image")])

    async def publish(self, events: Sequence[Event]) -> None:
        stream = self.nats.jetstream()
        for event in events:
            event_id = str(derive("test", event.wire_name(), event.about()))
            emit = emitted(event, event_id=event_id, consumer="test", cause_id="test")
            await stream.publish(emit.subject, emit.payload, headers=dict(emit.headers))

    async def answered(self, kind: str) -> int:
        """How many calls of a kind the model has answered."""
        statement = "SELECT count(*) FROM model_calls WHERE kind = $1 AND outcome = 'answered'"
        return int(await self.database.strict.fetchval(statement, kind))

    async def until_answered(self, kind: str, number: int, within: float) -> None:
        async def there() -> bool:
            return await self.answered(kind) >= number

        await eventually(there, within=within, every=0.1)

    async def shares(self) -> dict[str, int]:
        """What was answered between the first and the last rewrite."""
        rows = await self.database.fetch(
            """SELECT kind, count(*) AS number FROM model_calls
               WHERE outcome = 'answered' AND at BETWEEN (SELECT min(at) FROM model_calls WHERE kind = 'chat')
                                                     AND (SELECT max(at) FROM model_calls WHERE kind = 'chat')
               GROUP BY kind"""
        )
        return {row["kind"]: row["number"] for row in rows}


@pytest.fixture
async def work(service_settings: ServiceSettings, database: Database, nats_client: Client, limit: Limit) -> Work:
    catalog = Catalog(database)
    source = await catalog.put_source("telegram", "@source")
    profile = await catalog.put_profile("plain", keep=())
    await catalog.put_route("city", profile_id=profile, targets=["telegram:@city"], source_id=source)
    return Work(database, nats_client, source)


@pytest.mark.parametrize(
    ("first", "number"),
    [
        ("images", 70),
        pytest.param("images", 500, marks=pytest.mark.soak),
        pytest.param("rewrites", 500, marks=pytest.mark.soak),
    ],
)
async def test_rewrites_have_four_fifths_of_the_quota_and_images_move(
    work: Work, limit: Limit, first: str, number: int
) -> None:
    stop = asyncio.Event()
    if first == "rewrites":
        await work.rewrites(number)
    await work.images(number)
    services = [asyncio.create_task(service.run(stop)) for service in (rewriter.app, imagegen.app)]
    try:
        within = number + 30.0
        if first == "images":
            await work.until_answered("image", number // 10, within)
            await work.rewrites(number)
        await work.until_answered("chat", number, within)
        shares = await work.shares()
        await work.until_answered("image", number, 3 * within)
    finally:
        stop.set()
        await asyncio.gather(*services)
    assert limit.refused > 0  # it was the quota that was short
    assert shares["chat"] >= 4 * shares["image"] > 0, shares
    ended = await work.database.fetch("SELECT status, count(*) AS number FROM jobs GROUP BY status")
    assert {row["status"]: row["number"] for row in ended} == {"succeeded": 2 * number}
