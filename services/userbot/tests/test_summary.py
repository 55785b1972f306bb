"""The summary that an administrator gets from a bot."""

import json
from uuid import UUID

import pytest

from common.events import BroadcastResult
from common.testing.waiting import eventually, job_of
from sandbox.telegram import User
from userbot.summary import summary

from .conftest import Stage, addresses, broadcasting


@pytest.fixture
def admin(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> tuple[User, User]:
    """An administrator who knows the bot."""
    admin, bot = stage.world.add_user("Admin", "+10000000009"), stage.world.add_bot("Clerk", "clerk_bot")
    stage.world.post(bot, "/start", author=admin)
    monkeypatch.setenv("ADMIN_NOTIFY_BOT_TOKEN", bot.token)
    monkeypatch.setenv("ADMIN_ID", str(admin.id))
    return admin, bot


def told(stage: Stage, admin: User, bot: User) -> list[str]:
    """What the bot told."""
    return [each.text for each in stage.world.messages(bot.id, of=admin) if each.sender_id == bot.id]


async def test_it_is_told_once_also_when_the_result_comes_again(stage: Stage, admin: tuple[User, User]) -> None:
    chats = stage.chats(2)
    async with broadcasting():
        task = await stage.request(text="hello", target_chat_ids=[*addresses(chats), "@nobody_here"])
        await stage.until(task)

        async def there() -> list[str]:
            return told(stage, *admin)

        (text,) = await eventually(there)
        (job,) = await stage.sql("SELECT event_id FROM jobs WHERE consumer = 'userbot-summary'")
        await job_of(stage.database, job["event_id"])
        # The worker died after the send, and its result comes again.
        await stage.sql("DELETE FROM jobs WHERE consumer = 'userbot-summary'")
        payload = stage.told["broadcast.result"][0]
        headers = {"ce-id": job["event_id"], "Nats-Msg-Id": "again"}
        await stage.nats.jetstream().publish("broadcast.result", json.dumps(payload).encode(), headers=headers)
        await job_of(stage.database, job["event_id"])
    assert told(stage, *admin) == [text]
    assert text.startswith("Broadcast done: 2 sent, 1 error.")
    assert "@nobody_here" in text
    assert str(task) in text


async def test_who_does_not_know_the_bot_is_named_in_a_notice(
    stage: Stage, admin: tuple[User, User], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADMIN_ID", str(stage.owner.id))
    (chat,) = stage.chats(1)
    async with broadcasting():
        await stage.until(await stage.request(text="hello", target_chat_ids=[chat.id]))
        (notice,) = await stage.notices("userbot.summary_not_sent")
    assert str(stage.owner.id) in notice["title"]
    assert "1 sent" in notice["detail"]
    assert stage.dead == []
    assert told(stage, *admin) == []


def test_an_error_of_any_length_fits_into_a_message() -> None:
    event = BroadcastResult(
        task_id=UUID(int=1), status="failed", sent_count=0, error_count=0, skipped_count=0, last_error="long " * 2000
    )
    assert len(summary(event)) < 4096


async def test_without_a_bot_nobody_is_told(stage: Stage) -> None:
    (chat,) = stage.chats(1)
    async with broadcasting():
        task = await stage.request(text="hello", target_chat_ids=[chat.id])
        await stage.until(task)
        await stage.result(task)

        async def ended() -> bool:
            rows = await stage.sql("SELECT FROM jobs WHERE consumer = 'userbot-summary' AND status = 'succeeded'")
            return bool(rows)

        await eventually(ended)
    assert stage.told["notify.requested"] == []
