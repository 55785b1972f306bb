"""What is sent, and to whom."""

from collections import Counter
from typing import Any

import asyncpg
import pytest

from common.telegram.entities import Entity, EntityKind
from common.testing.waiting import eventually

from .conftest import Stage, addresses, broadcasting, picture


async def test_a_post_goes_to_each_chat_once(stage: Stage) -> None:
    chats = stage.chats(5)
    post = await stage.post("Hello, world", [Entity(kind=EntityKind.BOLD, offset=0, length=5)])
    async with broadcasting():
        task = await stage.request(post_id=post, target_chat_ids=addresses(chats))
        row = await stage.until(task)
        result = await stage.result(task)
        metrics = await stage.metrics()
    assert metrics['postroom_broadcast_sends_total{account="userbot",outcome="sent"}'] == "5.0"
    assert metrics['postroom_broadcast_send_seconds_count{account="userbot"}'] == "5.0"
    assert [stage.texts(chat) for chat in chats] == [["Hello, world"]] * 5
    (message,) = stage.world.messages(chats[0].id)
    assert [(type(mark).__name__, mark.offset, mark.length) for mark in message.tl_entities()] == [
        ("MessageEntityBold", 0, 5)
    ]
    assert message.sender_id == stage.account.id
    assert (row["status"], row["sent_count"], row["error_count"], row["attempts"]) == ("done", 5, 0, 1)
    assert (row["account"], row["holder"], row["last_error"]) == ("userbot", None, None)
    assert result["post_id"] == str(post)
    assert (result["status"], result["sent_count"], result["account"]) == ("done", 5, "userbot")
    known = await stage.known(f"@{chats[0].username}")
    assert known["peer_id"] == chats[0].id
    assert known["last_success_post_at"]
    assert {(row["outcome"], row["attempt"]) for row in await stage.attempts(task)} == {("sent", 1)}


async def test_own_text_is_telegram_markdown(stage: Stage) -> None:
    (chat,) = stage.chats(1)
    async with broadcasting():
        task = await stage.request(text="**bold** words", target_chat_ids=[chat.id])
        row = await stage.until(task)
    (message,) = stage.world.messages(chat.id)
    assert message.text == "bold words"
    assert [type(mark).__name__ for mark in message.tl_entities()] == ["MessageEntityBold"]
    assert (row["status"], row["chats"]) == ("done", [str(chat.id)])


async def test_a_row_that_an_operator_inserts_is_found_by_polling(stage: Stage) -> None:
    chats = stage.chats(2)
    post = await stage.post("by hand")
    async with broadcasting():
        task = await stage.insert(post_id=post, target_chat_ids=[str(chats[0].id), f"https://t.me/{chats[1].username}"])
        row = await stage.until(task)
    assert [stage.texts(chat) for chat in chats] == [["by hand"]] * 2
    assert row["chats"] == [str(chats[0].id), f"@{chats[1].username}"]


async def test_without_chats_it_goes_to_those_of_the_settings(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    chats = stage.chats(2)
    monkeypatch.setenv("TARGET_CHAT_IDS", f"@{chats[0].username}, {chats[1].id}")
    async with broadcasting():
        row = await stage.until(await stage.request(text="to all"))
    assert [stage.texts(chat) for chat in chats] == [["to all"]] * 2
    assert row["sent_count"] == 2


async def test_without_any_chats_it_fails_and_says_so(stage: Stage) -> None:
    async with broadcasting():
        task = await stage.request(text="to nobody")
        row = await stage.until(task)
        result = await stage.result(task)
        (notice,) = await stage.notices("userbot.failed")
    assert row["status"] == result["status"] == "failed"
    assert "TARGET_CHAT_IDS" in row["last_error"]
    assert "TARGET_CHAT_IDS" in notice["title"]


async def test_one_chat_under_two_addresses_gets_it_once(stage: Stage) -> None:
    (chat,) = stage.chats(1)
    async with broadcasting():
        task = await stage.request(
            text="once", target_chat_ids=[f"@{chat.username}", chat.id, f"@{chat.username.upper()}"]
        )
        row = await stage.until(task)
    assert stage.texts(chat) == ["once"]
    assert (row["sent_count"], row["skipped_count"]) == (1, 1)
    assert row["chats"] == [f"@{chat.username}", str(chat.id)]
    (skipped,) = await stage.attempts(task, str(chat.id))
    assert skipped["error"] == f"the same chat as @{chat.username}"


@pytest.mark.parametrize("number", [1, 2])
async def test_a_photo_is_uploaded_once_for_all_chats(stage: Stage, number: int) -> None:
    chats = stage.chats(5)
    post = await stage.pictured("look", [picture("red"), picture("green")][:number])
    method = "messages.SendMedia" if number == 1 else "messages.SendMultiMedia"
    forgotten = "FILE_REFERENCE_EXPIRED" if number == 1 else "FILE_REFERENCE_0_EXPIRED"
    stage.fault("rpc_error", method, message=forgotten, chat=chats[3].id)
    async with broadcasting():
        row = await stage.until(await stage.request(post_id=post, target_chat_ids=addresses(chats)))
    assert (row["status"], row["sent_count"], row["error_count"]) == ("done", 5, 0)
    assert all(stage.world.download(message) for chat in chats for message in stage.world.messages(chat.id))
    assert stage.calls("upload.SaveFilePart") == 2 * number  # once, and once more when Telegram had forgotten it


@pytest.mark.parametrize("number", [1, 3])
async def test_photos_go_along(stage: Stage, number: int) -> None:
    chats = stage.chats(2)
    post = await stage.pictured("look", [picture("red"), picture("green"), picture("blue")][:number])
    async with broadcasting():
        task = await stage.request(post_id=post, target_chat_ids=addresses(chats))
        row = await stage.until(task)
    assert row["status"] == "done", row["last_error"]
    for chat in chats:
        messages = stage.world.messages(chat.id)
        assert [message.text for message in messages] == ["look"] + [""] * (number - 1)
        assert all(stage.world.download(message) for message in messages)
        assert len({message.grouped_id for message in messages}) == 1
        assert (messages[0].grouped_id is not None) == (number > 1)
    places = await stage.sql("SELECT place FROM attachments WHERE place LIKE 'broadcast/%' ORDER BY place")
    assert [row["place"] for row in places] == [f"broadcast/{task}/{each}" for each in range(1, number + 1)]
    (tried,) = await stage.attempts(task, f"@{chats[0].username}")
    assert len(tried["random_ids"]) == len(tried["message_ids"]) == number


async def test_a_published_post_is_forwarded(stage: Stage) -> None:
    chats = stage.chats(2)
    channel = stage.chat("news_channel", "channel")
    original = stage.world.post(channel, "as published")
    post = await stage.post("as collected")
    await stage.published(post, channel, [original.id])
    async with broadcasting():
        row = await stage.until(await stage.request(post_id=post, target_chat_ids=addresses(chats), forward=True))
    assert row["status"] == "done", row["last_error"]
    for chat in chats:
        (message,) = stage.world.messages(chat.id)
        assert message.text == "as published"
        assert message.forward


async def test_what_was_not_published_is_not_forwarded(stage: Stage) -> None:
    (chat,) = stage.chats(1)
    post = await stage.post("never published")
    async with broadcasting():
        row = await stage.until(await stage.request(post_id=post, target_chat_ids=[chat.id], forward=True))
    assert row["status"] == "failed"
    assert "not published" in row["last_error"]
    assert stage.texts(chat) == []


async def test_a_channel_that_forbids_forwarding_fails_the_task(stage: Stage) -> None:
    chats = stage.chats(2)
    channel = stage.chat("closed_channel", "channel")
    original = stage.world.post(channel, "keep it here")
    stage.world.set_noforwards(channel)
    post = await stage.post("as collected")
    await stage.published(post, channel, [original.id])
    async with broadcasting():
        row = await stage.until(await stage.request(post_id=post, target_chat_ids=addresses(chats), forward=True))
    assert (row["status"], row["sent_count"], row["error_count"]) == ("failed", 0, 0)
    assert "CHAT_FORWARDS_RESTRICTED" in row["last_error"]


async def test_a_channel_that_has_thrown_the_account_out_is_not_blamed_on_the_chats(stage: Stage) -> None:
    chats = stage.chats(2)
    channel = stage.chat("lost_channel", "channel")
    original = stage.world.post(channel, "as published")
    post = await stage.post("as collected")
    await stage.published(post, channel, [original.id])
    async with broadcasting():
        await stage.until(await stage.request(post_id=post, target_chat_ids=addresses(chats[:1]), forward=True))
        stage.world.ban(channel, stage.account)
        row = await stage.until(await stage.request(post_id=post, target_chat_ids=addresses(chats), forward=True))
    assert (row["status"], row["sent_count"], row["error_count"]) == ("failed", 0, 0)
    assert "can't be forwarded: CHANNEL_PRIVATE" in row["last_error"]
    assert await stage.sql("SELECT FROM chats WHERE flag IS NOT NULL") == []


async def test_the_newest_rewrite_is_sent_and_it_is_due_when_it_says_so(stage: Stage) -> None:
    (chat,) = stage.chats(1)
    post = await stage.post("original")
    for number, status in enumerate(["succeeded", "succeeded", "refused"]):
        await stage.sql(
            """INSERT INTO rewrites (id, post_id, route_id, profile_id, status, text, model, request, answer,
                   prompt_tokens, completion_tokens, cost_usd, duration_ms, created_at)
               VALUES (gen_random_uuid(), $1, $1, $1, $2, $3, '', '{}', '{}', 0, 0, 0, 0,
                       now() + $4 * interval '1 s')""",
            post,
            status,
            f"rewritten {number}",
            number,
        )
    async with broadcasting():
        later = await stage.insert(text="later", target_chat_ids=[str(chat.id)])
        await stage.sql("UPDATE userbot_tasks SET not_before = now() + interval '1 hour' WHERE id = $1", later)
        await stage.until(await stage.request(post_id=post, target_chat_ids=[chat.id]))
        assert (await stage.task(later))["status"] == "pending"
        await stage.sql("UPDATE userbot_tasks SET not_before = now() WHERE id = $1", later)
        await stage.until(later)
    assert stage.texts(chat) == ["rewritten 1", "later"]


async def test_what_a_person_wrote_is_sent_and_a_brief_is_not(stage: Stage) -> None:
    (chat,) = stage.chats(1)
    post = await stage.post("original")
    brief = await stage.post("write about a bridge")
    await stage.sql("INSERT INTO contents (id, post_id, title, created_by) VALUES ($1, $1, 'a bridge', 'me')", brief)
    for number in range(2):
        await stage.sql(
            "INSERT INTO post_edits (post_id, text, edited_by) VALUES ($1, $2, 'me')", post, f"by hand {number}"
        )
    async with broadcasting():
        await stage.until(await stage.request(post_id=post, target_chat_ids=[chat.id]))
        row = await stage.until(await stage.request(post_id=brief, target_chat_ids=[chat.id]))
    assert stage.texts(chat) == ["by hand 1"]
    assert row["status"] == "failed"
    assert "nothing was written from it yet" in row["last_error"]


async def test_a_post_that_is_not_there_is_a_dead_letter(stage: Stage) -> None:
    async with broadcasting():
        await stage.request(post_id="00000000-0000-0000-0000-000000000001", target_chat_ids=["@a_chat"])

        async def buried() -> list[dict[str, str]]:
            return stage.dead

        await eventually(buried)
    assert await stage.sql("SELECT FROM userbot_tasks") == []


async def test_a_duplicate_is_not_sent(stage: Stage) -> None:
    (chat,) = stage.chats(1)
    posts = [await stage.post("the very same words, long enough to be told apart from others " * 3) for _ in range(2)]
    async with broadcasting():
        row = await stage.until(await stage.request(post_id=posts[1], target_chat_ids=[chat.id]))
    assert (row["status"], row["sent_count"]) == ("failed", 0)
    assert str(posts[0]) in row["last_error"]


async def test_two_round_trips_for_each_chat(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Peers are known after the first broadcast; then a chat costs leave and record, whatever else is going on."""
    chats = stage.chats(40)
    begun: Counter[str] = Counter()
    for name in ("fetch", "fetchrow", "execute"):
        original = getattr(asyncpg.Connection, name)

        async def counted(self: Any, statement: str, *arguments: Any, _call: Any = original, **given: Any) -> Any:
            ours = statement.startswith("SELECT * FROM userbot_tasks")  # by which this test waits
            begun[statement[:40]] += not ours and "renew" not in statement and "leases" not in statement
            return await _call(self, statement, *arguments, **given)

        monkeypatch.setattr(asyncpg.Connection, name, counted)
    async with broadcasting():
        await stage.until(await stage.request(text="first", target_chat_ids=addresses(chats)))
        asked = stage.calls("contacts.ResolveUsername")
        begun.clear()
        await stage.until(await stage.request(text="second", target_chat_ids=addresses(chats)))
    per_chat = {statement: times for statement, times in begun.items() if times >= len(chats)}
    assert sorted(per_chat.values()) == [40, 40]
    assert stage.calls("contacts.ResolveUsername") == asked == 40
