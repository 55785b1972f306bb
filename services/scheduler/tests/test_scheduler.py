"""The scheduler on real servers: routing, the clock, and what the server gave up."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import pytest
from nats.aio.client import Client

from common.catalog import Catalog
from common.events import PostRewritten
from common.postgres import Database
from common.posts import NewPost, Posts
from common.service import ServiceSettings
from common.telegram.text import RichText
from common.testing.waiting import eventually
from scheduler.app import run


@asynccontextmanager
async def scheduler() -> AsyncIterator[None]:
    stop = asyncio.Event()
    running = asyncio.create_task(run(stop))
    try:
        yield
    finally:
        stop.set()
        await running


@pytest.fixture
async def post(database: Database) -> tuple[UUID, UUID]:
    """A collected post: its id and that of its source."""
    source = await Catalog(database).put_source("telegram", "@source")
    body = RichText(text="A post that is long enough to be told apart")
    [brought] = await Posts(database).add([NewPost(source, "1", body)])
    return brought.post_id, source


async def route(database: Database, source: UUID, **how: Any) -> UUID:
    catalog = Catalog(database)
    profile = await catalog.put_profile("p")
    return await catalog.put_route(
        "r", profile_id=profile, targets=["telegram:@a", "telegram:@b"], source_id=source, **how
    )


async def requests(client: Client, subject: str, stream: str) -> list[Any]:
    """The messages of a subject that nobody has taken yet."""
    reader = await client.jetstream().pull_subscribe(subject, stream=stream)
    found = []
    try:
        while True:
            found += [json.loads(message.data) for message in await reader.fetch(10, timeout=0.3)]
    except TimeoutError:
        return found
    finally:
        await reader.unsubscribe()


async def rewritten(client: Client, post_id: UUID, route_id: UUID, **given: Any) -> UUID:
    event = PostRewritten(post_id=post_id, route_id=route_id, rewrite_id=uuid4(), **given)
    await client.jetstream().publish("post.rewritten", event.model_dump_json().encode())
    return event.rewrite_id


async def job_status(database: Database) -> Any:
    return await database.fetchrow(
        "SELECT status, last_error, post_id FROM jobs WHERE consumer = 'scheduler-routes' AND finished_at IS NOT NULL"
    )


async def test_a_rewritten_post_is_requested_at_its_routes_targets(
    service_settings: ServiceSettings, nats_client: Client, database: Database, post: tuple[UUID, UUID]
) -> None:
    post_id, source = post
    route_id = await route(database, source)
    async with scheduler():
        rewrite_id = await rewritten(nats_client, post_id, route_id)
        [request] = await eventually(lambda: requests(nats_client, "publish.requested", "PUBLISH"))
    assert request["post_id"] == str(post_id)
    assert request["rewrite_id"] == str(rewrite_id)
    assert request["targets"] == ["telegram:@a", "telegram:@b"]
    routing = await database.fetchrow("SELECT decision, targets FROM routings WHERE post_id = $1", post_id)
    assert routing
    assert dict(routing) == {"decision": "publish", "targets": ["telegram:@a", "telegram:@b"]}


async def test_a_route_that_asks_for_approval_holds_the_post(
    service_settings: ServiceSettings, nats_client: Client, database: Database, post: tuple[UUID, UUID]
) -> None:
    post_id, source = post
    route_id = await route(database, source, approval=True)
    async with scheduler():
        await rewritten(nats_client, post_id, route_id)
        job = await eventually(lambda: job_status(database))
    assert job["status"] == "succeeded"
    assert await requests(nats_client, "publish.requested", "PUBLISH") == []
    state = await database.fetchrow("SELECT state FROM post_states WHERE post_id = $1", post_id)
    assert state
    assert state["state"] == "awaiting"


async def test_what_a_person_had_rewritten_again_is_held_on_any_route(
    service_settings: ServiceSettings, nats_client: Client, database: Database, post: tuple[UUID, UUID]
) -> None:
    post_id, source = post
    route_id = await route(database, source)
    await database.execute(
        "INSERT INTO routings (post_id, route_id, rewrite_id, decision, targets)"
        " VALUES ($1, $2, gen_random_uuid(), 'rewrite', '{telegram:@a}')",
        post_id,
        route_id,
    )
    async with scheduler():
        rewrite_id = await rewritten(nats_client, post_id, route_id, held=True)
        await eventually(lambda: job_status(database))
    assert await requests(nats_client, "publish.requested", "PUBLISH") == []
    routing = await database.fetchrow("SELECT decision, rewrite_id FROM routings")
    assert routing
    assert dict(routing) == {"decision": "hold", "rewrite_id": rewrite_id}


async def test_a_route_that_is_gone_ends_the_post_as_cancelled(
    service_settings: ServiceSettings, nats_client: Client, database: Database, post: tuple[UUID, UUID]
) -> None:
    post_id, _ = post
    async with scheduler():
        await rewritten(nats_client, post_id, uuid4())
        job = await eventually(lambda: job_status(database))
    assert job["status"] == "cancelled"
    assert "does not exist any more" in job["last_error"]
    assert job["post_id"] == post_id


async def test_a_new_source_is_asked_for_at_once_and_only_once_by_two_replicas(
    service_settings: ServiceSettings, nats_client: Client, database: Database
) -> None:
    async with scheduler(), scheduler():
        source = await Catalog(database).put_source("feed", "http://127.0.0.1/feed")
        await Catalog(database).put_source("import", "a file")  # can't be asked for

        async def asked() -> int:
            return (await nats_client.jetstream().stream_info("COLLECT")).state.messages

        await eventually(asked)
        second = await Catalog(database).put_source("feed", "http://127.0.0.1/second")

        async def both() -> bool:
            return await asked() >= 2

        await eventually(both)
    found = await requests(nats_client, "collect.requested", "COLLECT")
    assert sorted(request["source_id"] for request in found) == sorted([str(source), str(second)])
    assert {request["reason"] for request in found} == {"schedule"}


async def test_a_wrong_schedule_is_reported_and_stops_nothing(
    service_settings: ServiceSettings, nats_client: Client, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    await Catalog(database).put_source("feed", "http://127.0.0.1/wrong", schedule="every day")
    async with scheduler():

        async def reported() -> bool:
            return "is not a cron line" in caplog.text

        await eventually(reported)
        await Catalog(database).put_source("feed", "http://127.0.0.1/right", schedule="* * * * *")

        async def asked() -> bool:
            return (await nats_client.jetstream().stream_info("COLLECT")).state.messages == 2

        await eventually(asked)
