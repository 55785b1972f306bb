"""Broadcasts as people work with them, where what they do meets what the userbot does."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from nats.aio.client import Client

from common.broadcasts import BroadcastEnded, Broadcasts, NoSuchBroadcast, task_of
from common.events import BroadcastRequested, derive
from common.messaging.rails import Rails
from common.postgres import Database
from common.testing.waiting import eventually


@pytest.fixture
async def broadcasts(database: Database, nats_client: Client) -> AsyncIterator[Broadcasts]:
    rails = Rails(nats_client.jetstream(), database)
    yield Broadcasts(database, rails)
    rails.close()


async def task(database: Database, **columns: Any) -> UUID:
    values = {"text": "Hello", **columns}
    marks = ", ".join(f"${n}" for n in range(1, len(values) + 1))
    [row] = await database.strict_fetch(
        f"INSERT INTO userbot_tasks ({', '.join(values)}) VALUES ({marks}) RETURNING id",
        *values.values(),
    )
    return UUID(str(row["id"]))


async def sent(database: Database, task_id: UUID, chats: dict[str, datetime]) -> None:
    for chat, at in chats.items():
        await database.execute(
            "INSERT INTO broadcast_attempts (task_id, chat, attempt, account, outcome, started_at, finished_at)"
            " VALUES ($1, $2, 1, 'a', 'sent', $3, $3)",
            task_id, chat, at,
        )  # fmt: skip


def test_a_route_asks_for_a_broadcast_once() -> None:
    post, route = uuid4(), uuid4()
    request = BroadcastRequested(post_id=post, route_id=route)
    assert request.identity() == BroadcastRequested(post_id=post, route_id=route, forward=True).identity()
    assert request.identity() != BroadcastRequested(post_id=uuid4(), route_id=route).identity()
    assert BroadcastRequested(post_id=post).identity() is None


async def test_each_request_is_a_task_of_its_own(broadcasts: Broadcasts, nats_client: Client) -> None:
    event = BroadcastRequested(text="Hello", target_chat_ids=("@city",))
    tasks = {await broadcasts.request(event), await broadcasts.request(event)}
    reader = await nats_client.jetstream().pull_subscribe("broadcast.requested", stream="BROADCAST")
    messages = await reader.fetch(2, timeout=5)
    assert {task_of((message.headers or {})["ce-id"]) for message in messages} == tasks
    assert task_of("x") == derive("broadcast", "x")


async def test_a_request_survives_a_stream_that_is_away(
    broadcasts: Broadcasts, database: Database, nats_client: Client
) -> None:
    await nats_client.jetstream().delete_stream("BROADCAST")
    task_id = await broadcasts.request(BroadcastRequested(text="Hello"))
    [row] = await database.fetch("SELECT id, consumer FROM outbox")
    assert (task_of(row["id"]), row["consumer"]) == (task_id, "postroom")  # the scheduler sweeps for it


async def test_the_end_is_estimated_from_the_latest_chats(broadcasts: Broadcasts, database: Database) -> None:
    now = datetime.now(UTC)
    chats = [f"@chat{n}" for n in range(40)]
    task_id = await task(database, chats=chats, status="processing")
    assert (await broadcasts.get(task_id)).ends_at is None  # nothing is known of its pace
    slow = {chat: now - timedelta(hours=20 - n) for n, chat in enumerate(chats[:5])}
    await sent(database, task_id, slow)
    fast = {chat: now - timedelta(seconds=10 * (20 - n)) for n, chat in enumerate(chats[5:25])}
    await sent(database, task_id, fast)
    found = await broadcasts.get(task_id)
    assert (found.done, found.left) == (25, 15)
    assert found.ends_at
    assert abs(found.ends_at - now - timedelta(seconds=150)) < timedelta(seconds=30)
    await broadcasts.pause(task_id, "me")
    await database.execute("UPDATE userbot_tasks SET status = 'pending' WHERE id = $1", task_id)
    assert (await broadcasts.get(task_id)).ends_at is None  # it stands still


async def test_a_task_without_chats_of_its_own_has_no_total_yet(broadcasts: Broadcasts, database: Database) -> None:
    task_id = await task(database)
    found = await broadcasts.get(task_id)
    assert (found.total, found.left, await broadcasts.chats(task_id)) == (None, None, [])
    named = await task(database, target_chat_ids=["@b", "@a"])
    assert [chat.chat for chat in await broadcasts.chats(named)] == ["@b", "@a"]


async def test_cancelling_and_taking_at_once_leave_one_of_them(broadcasts: Broadcasts, database: Database) -> None:
    task_id = await task(database)
    async with database.transaction() as worker:
        await worker.execute("UPDATE userbot_tasks SET status = 'processing' WHERE id = $1", task_id)
        cancelling = asyncio.create_task(broadcasts.cancel(task_id, "me"))
        await eventually(lambda: database.fetch("SELECT FROM pg_locks WHERE NOT granted"))
    await cancelling
    found = await broadcasts.get(task_id)
    assert (found.status, found.ended, found.cancelled_by) == ("processing", False, "me")
    assert found.cancel_requested_at
    assert await database.fetch("SELECT FROM outbox") == []


async def test_two_who_cancel_end_it_once(broadcasts: Broadcasts, database: Database, nats_client: Client) -> None:
    task_id = await task(database)
    ended = await asyncio.gather(*(broadcasts.cancel(task_id, name) for name in "ab"), return_exceptions=True)
    assert sorted(type(each) for each in ended if each) == [BroadcastEnded]
    stream = await nats_client.jetstream().stream_info("BROADCAST")
    assert stream.state.messages == 1


async def test_what_is_not_there(broadcasts: Broadcasts) -> None:
    nobody = uuid4()
    for decide in (broadcasts.get(nobody), broadcasts.pause(nobody, "me"), broadcasts.cancel(nobody, "me")):
        with pytest.raises(NoSuchBroadcast):
            await decide
