"""The API as a running service, on real servers, spoken to over HTTP."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any
from uuid import UUID

import httpx
import pytest
from nats.aio.client import Client

from api.app import run
from api.http.server import ApiServer
from common.catalog import Catalog
from common.contracts import topology
from common.postgres import Database
from common.posts import NewPost, Posts
from common.service import ServiceSettings
from common.telegram.text import RichText
from common.testing.waiting import eventually
from common.tokens import Scope, Tokens

NUMBERS = count(1)


@dataclass
class Api:
    """A running API, and what is behind it."""

    url: str
    database: Database
    nats: Client
    http: httpx.AsyncClient  # with a token of scope admin

    async def token(self, scope: Scope, **given: Any) -> str:
        """A new token."""
        given = {"expires_at": None, "by": "tests"} | given
        _, secret = await Tokens(self.database).create(f"token-{next(NUMBERS)}", scope, **given)
        return secret

    async def source(self, kind: str = "import", address: str = "tests") -> UUID:
        return await Catalog(self.database).put_source(kind, address)

    async def post(self, text: str = "Some text of a post that came in", **given: Any) -> UUID:
        """A post that was collected."""
        post = NewPost(await self.source(), f"post-{next(NUMBERS)}", RichText(text=text), **given)
        await Posts(self.database).add([post])
        return post.id

    async def rewrite(self, post_id: UUID, text: str = "rewritten", *, route: UUID | None = None) -> UUID:
        """What the model made of a post."""
        row = await self.database.strict_fetch(
            "INSERT INTO rewrites (id, post_id, route_id, profile_id, status, text, model, request, answer,"
            " prompt_tokens, completion_tokens, cost_usd, duration_ms)"
            " VALUES (gen_random_uuid(), $1, coalesce($2, gen_random_uuid()), gen_random_uuid(), 'succeeded', $3, 'm',"
            " '{}', '{}', 1, 1, 0.5, 1) RETURNING id",
            post_id,
            route,
            text,
        )
        return UUID(str(row[0]["id"]))

    async def held(self, post_id: UUID) -> tuple[UUID, UUID]:
        """A route's decision to hold a post; returns the route and the rewrite."""
        rewrite = await self.rewrite(post_id)
        row = await self.database.strict_fetch(
            "INSERT INTO routings (post_id, route_id, rewrite_id, decision, reason, targets)"
            " SELECT post_id, route_id, id, 'hold', 'the route asks for approval', '{telegram:@there}'"
            " FROM rewrites WHERE id = $1 RETURNING route_id",
            rewrite,
        )
        return row[0]["route_id"], rewrite

    async def publication(self, post_id: UUID, status: str, destination: str = "telegram:@there") -> None:
        """A publication of a post."""
        await self.database.execute(
            """WITH k AS (INSERT INTO publish_packages (id, post_id, status)
                          VALUES (gen_random_uuid()::text, $1, 'queued') RETURNING id)
               INSERT INTO publications (id, package_id, post_id, destination, status, text)
               SELECT gen_random_uuid(), id, $1, $3, $2, 'text' FROM k""",
            post_id,
            status,
            destination,
        )

    async def emitted(self, subject: str, number: int = 1) -> list[dict[str, Any]]:
        """Wait for so many messages on a subject that another service works on, and return what they say."""
        durable = next(each for each in topology().durables() if each.subject == subject)
        reader = await self.nats.jetstream().pull_subscribe_bind(durable.name, durable.stream)
        messages = await reader.fetch(number, timeout=10)
        for message in messages:
            await message.ack()
        return [json.loads(message.data) for message in messages]

    async def alert(self, status: str = "firing", kind: str = "queue_failures") -> dict[str, Any]:
        """Wait for the one alert of a kind, and return it."""

        async def there() -> list[dict[str, Any]]:
            return list((await self.http.get(f"/alerts?status={status}&kind={kind}")).json()["items"])

        [found] = await eventually(there)
        return found

    async def silent(self, subject: str) -> bool:
        """Whether nothing waits on such a subject."""
        durable = next(each for each in topology().durables() if each.subject == subject)
        info = await self.nats.jetstream().consumer_info(durable.stream, durable.name)
        return not info.num_pending


@asynccontextmanager
async def serving(monkeypatch: pytest.MonkeyPatch, **environment: str) -> AsyncIterator[str]:
    """Run the service and return its address; an error of it is an error of the test."""
    started: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    serve = ApiServer.serve

    async def note(self: ApiServer) -> None:
        started.set_result(self.url)
        await serve(self)

    monkeypatch.setattr(ApiServer, "serve", note)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    stop = asyncio.Event()
    running = asyncio.create_task(run(stop))
    try:
        await asyncio.wait({running, started}, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            running.result()
        yield await started
    finally:
        monkeypatch.setattr(ApiServer, "serve", serve)
        stop.set()
        await running


@asynccontextmanager
async def replicas(number: int) -> AsyncIterator[None]:
    """Run replicas of the service, with settings from the environment; an error of one is an error of the test."""
    stop = asyncio.Event()
    tasks = [asyncio.create_task(run(stop)) for _ in range(number)]
    try:
        yield
    finally:
        stop.set()
        await asyncio.gather(*tasks)


@pytest.fixture(autouse=True)
def any_port(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests run side by side."""
    monkeypatch.setenv("API_PORT", "0")


@pytest.fixture
def environment() -> dict[str, str]:
    """Settings of the service; tests override it."""
    return {}


@pytest.fixture
async def api(
    service_settings: ServiceSettings,
    database: Database,
    nats_client: Client,
    monkeypatch: pytest.MonkeyPatch,
    environment: dict[str, str],
) -> AsyncIterator[Api]:
    """A running API."""
    async with (
        serving(monkeypatch, **{"API_REQUESTS_PER_MINUTE": "0", **environment}) as url,
        httpx.AsyncClient(base_url=f"{url}/api/v1", timeout=20) as client,
    ):
        api = Api(url, database, nats_client, client)
        client.headers["Authorization"] = f"Bearer {await api.token('admin')}"
        yield api
