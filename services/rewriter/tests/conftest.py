"""The rewriter on real servers, before the sandbox's model."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from common.catalog import Catalog
from common.events import PostCollected, derive, emitted
from common.postgres import Database
from common.posts import Media, NewPost, Posts
from common.service import ServiceSettings
from common.telegram.markdown import from_markdown
from common.testing.waiting import eventually, job_of
from rewriter.app import run
from sandbox.announcement import bind
from sandbox.connections import HttpServer
from sandbox.faults import Fault, Faults
from sandbox.model.rewriting import Rewriter, load_phrasebooks
from sandbox.model.routes import ModelEndpoint
from sandbox.web.application import make_application

KEY = "sk-of-the-tests-only"
NUMBERS = count(1)


@dataclass
class Served:
    """The running model endpoint."""

    url: str
    endpoint: ModelEndpoint

    def fault(self, kind: str, **given: Any) -> None:
        """Inject a fault into the next request, or into the next `times`."""
        self.endpoint.faults.add(Fault(where="model", kind=kind, **given))

    @property
    def calls(self) -> int:
        """How many requests it has answered."""
        return self.endpoint.journal.total


@pytest.fixture
async def model(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Served]:
    """The sandbox's model endpoint, which the settings in the environment point to."""
    endpoint = ModelEndpoint(Rewriter(load_phrasebooks()), Faults(), KEY, 4000, ("sandbox-writer",))
    listener = bind("127.0.0.1", 0, 0)
    server = HttpServer(make_application([endpoint.routes()]))
    await server.start(listener)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_BASE_URL", f"{url}/v1")
    monkeypatch.setenv("OPENAI_MODEL", "gpt-4.1-mini")
    monkeypatch.setenv("REWRITE_CACHE_SECONDS", "0")
    monkeypatch.setenv("REWRITE_QUEUE_BACKOFF_BASE_SECONDS", "0.01")
    yield Served(url, endpoint)
    await server.stop()


@dataclass
class Stage:
    """A catalog, posts, and what the service tells of them."""

    database: Database
    nats: Client
    source: UUID
    told: dict[str, list[Msg]] = field(default_factory=dict)

    async def route(
        self,
        name: str = "main",
        *,
        targets: Sequence[str] = ("telegram:@city",),
        illustrate: bool = False,
        **profile: Any,
    ) -> UUID:
        """Add a route with a profile of its own."""
        catalog = Catalog(self.database)
        profile_id = await catalog.put_profile(name, **profile)
        return await catalog.put_route(
            name, profile_id=profile_id, targets=targets, source_id=self.source, illustrate=illustrate
        )

    async def post(
        self, markdown: str, *, title: str = "", url: str | None = None, media: tuple[Media, ...] = ()
    ) -> UUID:
        """Bring a post in."""
        body = from_markdown(markdown)
        post = NewPost(self.source, f"post-{next(NUMBERS)}", body, title=title, url=url, media=media)
        await Posts(self.database).add([post])
        return post.id

    async def collected(self, post_id: UUID, name: str = "collected") -> str:
        """Say that a post was collected; returns the id of the event."""
        event = PostCollected(post_id=post_id, source_id=self.source)
        event_id = str(derive(name, post_id))
        emit = emitted(event, event_id=event_id, consumer="test", cause_id="test")
        await self.nats.jetstream().publish(emit.subject, emit.payload, headers=dict(emit.headers))
        return event_id

    async def job(self, event_id: str, *statuses: str) -> asyncpg.Record:
        """Wait until a job is in one of `statuses`: by default, until it has ended."""
        return await job_of(self.database, event_id, *statuses)

    async def done(self, markdown: str, **given: Any) -> asyncpg.Record:
        """Bring a post in, and wait for its job to end."""
        return await self.job(await self.collected(await self.post(markdown, **given)))

    async def rewrites(self) -> list[asyncpg.Record]:
        """Return all rewrites, oldest first."""
        return await self.database.fetch("SELECT * FROM rewrites ORDER BY created_at")

    async def heard(self, subject: str, number: int = 1) -> list[Msg]:
        """Wait until `number` messages came under a subject."""

        async def there() -> bool:
            return len(self.told.get(subject, ())) >= number

        await eventually(there)
        return self.told[subject]


@pytest.fixture
async def stage(service_settings: ServiceSettings, database: Database, nats_client: Client) -> Stage:
    """A source without routes."""
    source = await Catalog(database).put_source("telegram", "@source", title="City news")
    stage = Stage(database, nats_client, source)

    async def listen(message: Msg) -> None:
        subject = message.subject.rpartition(".")[0] if message.subject.startswith("dlq.") else message.subject
        stage.told.setdefault(subject, []).append(message)

    for subject in ("post.rewritten", "image.requested", "notify.requested", "dlq.>"):
        await nats_client.subscribe(subject, cb=listen)
    return stage


@asynccontextmanager
async def serving() -> AsyncIterator[None]:
    """Run the service; its error is an error of the test."""
    stop = asyncio.Event()
    task = asyncio.create_task(run(stop))
    try:
        yield
    finally:
        stop.set()
        await task


@pytest.fixture
async def rewriter(stage: Stage, model: Served) -> AsyncIterator[None]:
    """The running service."""
    async with serving():
        yield
