"""When `up --until-idle` stops: not while a broadcast or an image is on its way, and not for one that stands still."""

from typing import Any
from uuid import uuid4

import pytest
from nats.aio.client import Client

from common.events import ImageRequested, emitted
from common.postgres import Database
from postroom.stack.idle import IdleCheck

TASK = "INSERT INTO userbot_tasks (text, status, account, not_before, paused_at) VALUES ('x', $1, 'a', {}, {})"


@pytest.fixture
def idle(database: Database, nats_client: Client) -> Any:
    check = IdleCheck(database, nats_client.jetstream())

    async def looks() -> bool:
        await check()
        return await check()

    return looks


@pytest.mark.parametrize(
    ("status", "due", "paused", "waits"),
    [
        ("pending", "now()", "NULL", True),
        ("processing", "now()", "NULL", True),
        ("pending", "now() + interval '30 s'", "NULL", True),
        ("pending", "now() + interval '1 hour'", "NULL", False),
        ("pending", "now()", "now()", False),
        ("done", "now()", "NULL", False),
        ("cancelled", "now()", "NULL", False),
    ],
)
async def test_broadcasts(idle: Any, database: Database, status: str, due: str, paused: str, waits: bool) -> None:
    assert await idle()
    await database.execute(TASK.format(due, paused), status)
    assert await idle() is not waits


@pytest.mark.parametrize(
    ("decision", "waits"),
    [
        ("INSERT INTO queue_pauses (queue, paused_by) VALUES ('broadcast_queue', 'me')", False),
        ("INSERT INTO queue_pauses (queue, paused_by, until) VALUES ('broadcast_queue', 'me', now())", True),
        ("INSERT INTO queue_pauses (queue, paused_by) VALUES ('publish_queue', 'me')", True),
        ("INSERT INTO userbot_accounts VALUES ('a', now(), 'PEER_FLOOD')", False),
        ("INSERT INTO userbot_accounts VALUES ('b', now(), 'PEER_FLOOD')", True),
    ],
)
async def test_broadcasts_that_may_not_go_on(idle: Any, database: Database, decision: str, waits: bool) -> None:
    await database.execute(TASK.format("now()", "NULL"), "pending")
    await database.execute(decision)
    assert await idle() is not waits


async def test_an_image_that_is_asked_for(idle: Any, nats_client: Client) -> None:
    assert await idle()
    event = emitted(ImageRequested(post_id=uuid4()), event_id="1", consumer="test", cause_id="test")
    await nats_client.jetstream().publish(event.subject, event.payload, headers=dict(event.headers))
    assert not await idle()


@pytest.mark.parametrize(
    ("status", "due", "waits"),
    [
        ("scheduled", "now() + interval '30 s'", True),
        ("scheduled", "now() + interval '1 hour'", False),
        ("publishing", "now()", True),
        ("published", "now()", False),
        ("failed", "now()", False),
    ],
)
async def test_scheduled_posts(idle: Any, database: Database, status: str, due: str, waits: bool) -> None:
    await database.execute("INSERT INTO posts (id, external_id, text) VALUES ($1, 'x', 'x')", post := uuid4())
    await database.execute(
        "INSERT INTO scheduled_posts (post_id, platform, target, scheduled_time, due_at, status, created_by)"
        f" VALUES ($1, 'telegram', 'telegram:@d', now(), {due}, $2, 'tests')",
        post,
        status,
    )
    assert await idle() is not waits
    await database.execute("INSERT INTO worker_beats VALUES ('ScheduledPostsWorker', $1, false)", uuid4())
    assert await idle() is not (waits and status == "publishing")
