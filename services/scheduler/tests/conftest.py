"""The scheduler on real servers: a post, its routes, and what the service tells."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from common.catalog import Catalog
from common.events import Event, PostRewritten, emitted
from common.postgres import Database
from common.posts import NewPost, Posts
from common.service import ServiceSettings
from common.telegram.text import RichText
from common.testing.waiting import eventually, job_of
from scheduler.app import run

TARGETS = ["telegram:@a", "telegram:@b"]


@dataclass
class Stage:
    """A collected post of one source, and what is told of it."""

    database: Database
    nats: Client
    source: UUID
    post: UUID
    told: dict[str, list[Msg]] = field(default_factory=dict)

    async def route(self, name: str = "r", **how: Any) -> UUID:
        """Add or change a route of the source."""
        catalog = Catalog(self.database)
        profile = await catalog.put_profile("p")
        return await catalog.put_route(
            name, **{"profile_id": profile, "targets": TARGETS, "source_id": self.source} | how
        )

    async def rewrite(self, route: UUID) -> UUID:
        """Add a rewrite of the post."""
        rewrite = uuid4()
        await self.database.execute(
            "INSERT INTO rewrites (id, post_id, route_id, profile_id, status, model, request, answer, prompt_tokens,"
            " completion_tokens, cost_usd, duration_ms)"
            " VALUES ($1, $2, $3, $3, 'succeeded', 'm', '{}', '{}', 0, 0, 0, 0)",
            rewrite, self.post, route,
        )  # fmt: skip
        return rewrite

    async def emit(self, event: Event, event_id: str | None = None) -> str:
        """Tell the scheduler something; returns the id of the event."""
        event_id = event_id or str(uuid4())
        emit = emitted(event, event_id=event_id, consumer="test", cause_id="test")
        await self.nats.jetstream().publish(emit.subject, emit.payload, headers=dict(emit.headers))
        return event_id

    async def done(self, event: Event, *statuses: str) -> asyncpg.Record:
        """Tell the scheduler something, and wait until its job is in one of `statuses`: by default, has ended."""
        return await job_of(self.database, await self.emit(event), *statuses)

    async def rewritten(self, route: UUID, rewrite: UUID, *, illustrate: bool = True) -> asyncpg.Record:
        """Say that the post was rewritten, and wait until it is routed."""
        return await self.done(
            PostRewritten(post_id=self.post, route_id=route, rewrite_id=rewrite, illustrate=illustrate)
        )

    async def decision(self) -> tuple[str, str]:
        """The decision of the only routing, and its reason."""
        [row] = await self.database.fetch("SELECT decision, reason FROM routings")
        return row["decision"], row["reason"]

    async def state(self) -> str:
        """Where the post stands."""
        row = await self.database.fetchrow("SELECT state FROM post_states WHERE post_id = $1", self.post)
        assert row
        return str(row["state"])

    async def heard(self, subject: str, number: int = 1) -> list[dict[str, Any]]:
        """Wait until `number` events came under a subject, and return them all."""

        async def there() -> bool:
            return len(self.told.get(subject, ())) >= number

        await eventually(there)
        return [json.loads(message.data) for message in self.told[subject]]

    async def all_told(self, subject: str) -> list[dict[str, Any]]:
        """Everything that was told under a subject by the jobs that have ended."""
        await eventually(self._outbox_is_empty)
        await self.nats.flush()
        return [json.loads(message.data) for message in self.told.get(subject, ())]

    async def _outbox_is_empty(self) -> bool:
        return await self.database.fetchrow("SELECT FROM outbox") is None


@pytest.fixture
async def stage(service_settings: ServiceSettings, database: Database, nats_client: Client) -> Stage:
    """A post, and ears for what is told of it."""
    source = await Catalog(database).put_source("import", "an archive")
    [brought] = await Posts(database).add([NewPost(source, "1", RichText(text="A post that is long enough"))])
    stage = Stage(database, nats_client, source, brought.post_id)

    async def listen(message: Msg) -> None:
        stage.told.setdefault(message.subject, []).append(message)

    for subject in ("post.collected", "publish.requested", "broadcast.requested", "notify.requested", "dlq.>"):
        await nats_client.subscribe(subject, cb=listen)
    return stage


@pytest.fixture
def scheduler() -> Callable[[], AbstractAsyncContextManager[None]]:
    """Runs the service for a block; its error is an error of the test."""

    @asynccontextmanager
    async def serving() -> AsyncIterator[None]:
        stop = asyncio.Event()
        running = asyncio.create_task(run(stop))
        try:
            yield
        finally:
            stop.set()
            await running

    return serving
