"""Several accounts, and sessions that die."""

from contextlib import AsyncExitStack
from typing import Any

import pytest
from telethon import TelegramClient

from common.telegram.sessions import open_user
from common.testing.waiting import eventually

from .conftest import Stage, addresses, broadcasting


async def test_two_accounts_side_by_side(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    chats = stage.chats(6)
    second = stage.world.add_user("Second", "+10000000003")
    for chat in chats:
        stage.world.add_member(chat, second)
    stage.fault("delay", seconds=0.1, times=1000)
    async with AsyncExitStack() as stack:
        bound = await stage.request(text="by second", target_chat_ids=addresses(chats), account="second")
        free = await stage.request(text="by whom", target_chat_ids=addresses(chats))
        await stack.enter_async_context(broadcasting())
        row = await stage.until(free)
        assert (row["account"], row["sent_count"]) == ("userbot", 6)
        assert (await stage.task(bound))["status"] == "pending"
        again = await stage.request(text="by first", target_chat_ids=addresses(chats), account="userbot")
        monkeypatch.setenv("TELETHON_SESSION", "no session, as the other setting wins")
        monkeypatch.setenv("USERBOT_TELETHON_SESSION", stage.session(second))
        monkeypatch.setenv("USERBOT_ACCOUNT", "second")
        await stack.enter_async_context(broadcasting())
        rows = [await stage.until(task) for task in (bound, again)]
    assert [(row["account"], row["sent_count"]) for row in rows] == [("second", 6), ("userbot", 6)]
    for chat in chats:
        senders = {message.text: message.sender_id for message in stage.world.messages(chat.id)}
        assert senders == {"by whom": stage.account.id, "by first": stage.account.id, "by second": second.id}
    assert {row["name"] for row in await stage.sql("SELECT name FROM userbot_accounts")} == {"userbot", "second"}


async def beaten(stage: Stage) -> None:
    """Wait until the userbot has said once more that it lives."""
    (last,) = await stage.sql("SELECT max(beat_at) FROM service_beats WHERE service = 'userbot'")

    async def again() -> bool:
        return bool(await stage.sql("SELECT FROM service_beats WHERE service = 'userbot' AND beat_at > $1", last[0]))

    await eventually(again)


async def test_a_session_that_is_revoked_half_way(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    chats = stage.chats(4)
    stage.fault("revoke", chat=chats[2].id)
    opened: list[Any] = []

    async def opening(*given: Any) -> TelegramClient:
        opened.append(given)
        return await open_user(*given)

    monkeypatch.setattr("userbot.app.open_user", opening)
    async with broadcasting():
        task = await stage.request(text="half way", target_chat_ids=addresses(chats))
        row = await stage.until(task, "pending", sent_count=2)
        (notice,) = await stage.notices("userbot.session_dead")

        async def told() -> bool:
            return "SESSION_REVOKED" in (await stage.ready())[1].get("telegram", "")

        await eventually(told)
        before = len(opened)
        for _ in range(2):  # three seconds each
            await beaten(stage)
        assert len(opened) - before <= 2  # what is dead is not knocked at again and again
    assert (row["attempts"], row["error_count"]) == (0, 0)
    assert "SESSION_REVOKED" in row["last_error"]
    assert "SESSION_REVOKED" in notice["title"]
    monkeypatch.setenv("TELETHON_SESSION", stage.session(label="signed in anew"))
    async with broadcasting():
        row = await stage.until(task)
    assert (row["status"], row["sent_count"], row["attempts"], row["last_error"]) == ("done", 4, 1, None)
    assert [stage.texts(chat) for chat in chats] == [["half way"]] * 4
    assert stage.calls() == 5


async def test_without_a_session_it_says_so_and_waits(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TELETHON_SESSION", "")
    (chat,) = stage.chats(1)
    async with broadcasting():
        task = await stage.request(text="waiting", target_chat_ids=[chat.id])
        await stage.until(task, "pending")

        async def told() -> bool:
            return "no account that broadcasts" in (await stage.ready())[1].get("telegram", "")

        await eventually(told)
        assert (await stage.task(task))["attempts"] == 0


async def test_a_dropped_connection_is_made_again(stage: Stage) -> None:
    chats = stage.chats(5)
    stage.fault("drop", times=2, chat=chats[1].id)
    stage.fault("drop_after", chat=chats[3].id)
    async with broadcasting():
        task = await stage.request(text="again", target_chat_ids=addresses(chats))
        row = await stage.until(task)
    assert (row["status"], row["sent_count"], row["attempts"]) == ("done", 5, 1)
    assert [stage.texts(chat) for chat in chats] == [["again"]] * 5
