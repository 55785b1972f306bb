"""The imagegen on real servers, before the sandbox's image model."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from common.catalog import Catalog
from common.events import Event, ImageFailed, ImageGenerated, ImageRequested, NotifyRequested, derive, emitted
from common.media.store import MediaStore
from common.postgres import Database
from common.posts import NewPost, Posts
from common.service import ServiceSettings
from common.telegram.markdown import from_markdown
from common.testing.waiting import eventually, job_of
from imagegen.app import run
from sandbox.announcement import bind
from sandbox.connections import HttpServer
from sandbox.faults import Fault, Faults
from sandbox.model.images import ImageEndpoint
from sandbox.settings import SandboxSettings
from sandbox.web.application import make_application

KEY = "sk-of-the-tests-only"
NUMBERS = count(1)
TOLD: dict[str, type[Event]] = {
    kind.subject: kind for kind in (ImageGenerated, ImageFailed, ImageRequested, NotifyRequested)
}


@dataclass
class Served:
    """The running image endpoint."""

    url: str
    endpoint: ImageEndpoint

    def fault(self, kind: str, **given: Any) -> None:
        """Inject a fault into the next request, or into the next `times`."""
        self.endpoint.faults.add(Fault(where="images", kind=kind, **given))

    @property
    def calls(self) -> int:
        """How many requests it has answered."""
        return self.endpoint.journal.total


@pytest.fixture
async def model(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Served]:
    """The sandbox's image endpoint, which the settings in the environment point to."""
    endpoint = ImageEndpoint(Faults(), KEY, SandboxSettings().image_models)
    listener = bind("127.0.0.1", 0, 0)
    server = HttpServer(make_application([endpoint.routes()]))
    await server.start(listener)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_BASE_URL", f"{url}/v1")
    monkeypatch.setenv("OPENAI_IMAGE_MODEL", "gpt-image-1")
    monkeypatch.setenv("IMAGEGEN_QUEUE_BACKOFF_BASE_SECONDS", "0.01")
    yield Served(url, endpoint)
    await server.stop()


@dataclass
class Stage:
    """Posts, requests, and what the service tells of them."""

    database: Database
    nats: Client
    source: UUID
    media: MediaStore
    told: dict[str, list[Msg]] = field(default_factory=dict)

    async def post(self, markdown: str = "Мост открыли в 2024 году.", *, title: str = "") -> UUID:
        """Bring a post in."""
        post = NewPost(self.source, f"post-{next(NUMBERS)}", from_markdown(markdown), title=title)
        await Posts(self.database).add([post])
        return post.id

    async def rewrite(self, post_id: UUID, *, image_prompt: str = "", title: str = "", text: str = "Новость") -> UUID:
        """Add a rewrite of a post."""
        rewrite_id = uuid4()
        await self.database.execute(
            "INSERT INTO rewrites (id, post_id, route_id, profile_id, status, title, text, image_prompt, model,"
            " request, answer, prompt_tokens, completion_tokens, cost_usd, duration_ms)"
            " VALUES ($1, $2, $3, $3, 'succeeded', $4, $5, $6, 'm', '{}', '{}', 0, 0, 0, 0)",
            *(rewrite_id, post_id, uuid4(), title, text, image_prompt),
        )
        return rewrite_id

    async def requested(self, post_id: UUID, name: str = "requested", **given: Any) -> str:
        """Ask for an image; returns the id of the event."""
        event_id = str(derive(name, post_id))
        await self.send(ImageRequested(post_id=post_id, **given), event_id)
        return event_id

    async def send(self, event: Event, event_id: str, message_id: str | None = None) -> None:
        """Publish an event; `message_id` is another one than the first time where it is to be delivered again."""
        emit = emitted(event, event_id=event_id, consumer="test", cause_id="test")
        headers = {**emit.headers, "Nats-Msg-Id": message_id or event_id}
        await self.nats.jetstream().publish(emit.subject, emit.payload, headers=headers)

    async def job(self, event_id: str, *statuses: str) -> asyncpg.Record:
        """Wait until a job is in one of `statuses`: by default, until it has ended."""
        return await job_of(self.database, event_id, *statuses)

    async def done(self, post_id: UUID, **given: Any) -> asyncpg.Record:
        """Ask for an image, and wait for the job to end."""
        return await self.job(await self.requested(post_id, **given))

    async def illustrations(self) -> list[asyncpg.Record]:
        """Return all illustrations, oldest first."""
        return await self.database.fetch("SELECT * FROM illustrations ORDER BY created_at")

    async def image(self) -> asyncpg.Record:
        """Return the one image that is kept."""
        (row,) = await self.database.fetch("SELECT * FROM images")
        return row

    async def attachments(self, post_id: UUID) -> dict[str, str]:
        """Return the images of a post, by their places."""
        rows = await self.database.fetch("SELECT place, hash FROM attachments WHERE post_id = $1", post_id)
        return {row["place"]: row["hash"] for row in rows}

    async def heard(self, subject: str, number: int = 1) -> list[Any]:
        """Wait until `number` messages came under a subject, and return them as events."""

        async def there() -> bool:
            return len(self.told.get(subject, ())) >= number

        await eventually(there)
        return [TOLD[subject].model_validate_json(message.data) for message in self.told[subject]]


@pytest.fixture
async def stage(service_settings: ServiceSettings, database: Database, nats_client: Client) -> Stage:
    """A source, and an ear for what is told."""
    source = await Catalog(database).put_source("telegram", "@source", title="City news")
    stage = Stage(database, nats_client, source, MediaStore(database, nats_client.jetstream()))

    async def listen(message: Msg) -> None:
        stage.told.setdefault(message.subject, []).append(message)

    for subject in ("image.generated", "image.failed", "notify.requested", "dlq.>"):
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
async def imagegen(stage: Stage, model: Served) -> AsyncIterator[None]:
    """The running service."""
    async with serving():
        yield
