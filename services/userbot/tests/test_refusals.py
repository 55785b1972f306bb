"""Chats that do not let us write: recorded, flagged, left out; the others get it."""

import pytest

from common.testing.waiting import eventually

from .conftest import Stage, addresses, broadcasting


async def test_each_refusal_is_recorded_and_the_others_get_it(stage: Stage) -> None:
    first, last = stage.chats(2)
    forbidden = stage.chat("forbidden_chat")
    stage.world.set_read_only(forbidden)
    muted = stage.chat("muted_chat")
    stage.world.mute(muted, stage.account)
    banned = stage.chat(None)
    stage.world.ban(banned, stage.account)
    channel = stage.chat("a_channel", "channel")
    stranger = stage.chat("strangers_chat", member=False)
    expected = {
        f"@{first.username}": ("sent", None),
        "@forbidden_chat": ("refused", "forbidden"),
        "@muted_chat": ("refused", "banned"),
        str(banned.id): ("refused", "missing"),
        "@a_channel": ("refused", "forbidden"),
        "@strangers_chat": ("refused", "forbidden"),
        "@nobody_has_this": ("refused", "missing"),
        "-1009999999999": ("refused", "missing"),
        "-4999999999": ("refused", "missing"),
        f"@{last.username}": ("sent", None),
    }
    async with broadcasting():
        task = await stage.request(text="hello", target_chat_ids=list(expected))
        row = await stage.until(task)
        outcomes = await stage.outcomes(task)
    flags = {chat["address"]: chat["flag"] for chat in await stage.sql("SELECT address, flag FROM chats")}
    assert {chat: (outcomes[chat], flags[chat]) for chat in expected} == expected
    assert (row["status"], row["sent_count"], row["error_count"], row["attempts"]) == ("done", 2, 8, 1)
    assert row["last_error"]
    assert "CHAT_WRITE_FORBIDDEN" in (await stage.known("@forbidden_chat"))["flag_reason"]
    assert stage.texts(first) == stage.texts(last) == ["hello"]
    assert [stage.texts(chat) for chat in (forbidden, muted, banned, channel, stranger)] == [[]] * 5


async def test_thrown_out_of_a_chat_that_was_known(stage: Stage) -> None:
    chat = stage.chat(None)
    async with broadcasting():
        await stage.until(await stage.request(text="before", target_chat_ids=[chat.id]))
        stage.world.ban(chat, stage.account)
        await stage.until(await stage.request(text="thrown out", target_chat_ids=[chat.id]))
        known = await stage.known(str(chat.id))
        assert (known["flag"], known["flag_reason"].partition(":")[0]) == ("private", "CHANNEL_PRIVATE")
        stage.world.add_member(chat, stage.account)
        await stage.until(await stage.request(text="let in again", target_chat_ids=[chat.id]))
        known = await stage.known(str(chat.id))
        assert (known["flag"], known["flag_reason"], known["flagged_at"]) == (None, None, None)
    assert stage.texts(chat) == ["before", "let in again"]


async def test_a_group_that_became_a_supergroup_is_followed(stage: Stage) -> None:
    group = stage.chat("Old group", "group")
    (other,) = stage.chats(1)
    async with broadcasting():
        await stage.until(await stage.request(text="before", target_chat_ids=[group.id]))
        became = stage.world.migrate(group)
        targets = [group.id, became.id, f"@{other.username}"]
        task = await stage.request(text="after", target_chat_ids=targets)
        row = await stage.until(task)
        again = await stage.until(await stage.request(text="again", target_chat_ids=[group.id]))
    assert stage.texts(became) == ["after", "again"]
    assert await stage.outcomes(task) == {
        str(group.id): "sent",
        str(became.id): "skipped",
        f"@{other.username}": "sent",
    }
    assert (row["sent_count"], row["skipped_count"], row["error_count"]) == (2, 1, 0)
    assert again["sent_count"] == 1
    known = await stage.known(str(group.id))
    assert (known["flag"], known["peer_id"]) == ("migrated", became.id)
    assert str(became.id) in known["flag_reason"]


async def test_a_chat_that_is_disabled_is_left_out(stage: Stage) -> None:
    chats = stage.chats(2)
    async with broadcasting():
        await stage.until(await stage.request(text="first", target_chat_ids=addresses(chats)))
        await stage.sql("UPDATE chats SET enabled = false WHERE address = $1", f"@{chats[0].username}")
        task = await stage.request(text="second", target_chat_ids=[chats[0].id, chats[1].id])
        row = await stage.until(task)
    assert stage.texts(chats[0]) == ["first"]
    assert stage.texts(chats[1]) == ["first", "second"]
    assert (row["sent_count"], row["skipped_count"], row["error_count"]) == (1, 1, 0)


async def test_nonsense_is_refused_by_name(stage: Stage) -> None:
    (chat,) = stage.chats(1)
    async with broadcasting():
        task = await stage.request(text="hello", target_chat_ids=["what is this", f"@{chat.username}"])
        row = await stage.until(task)
    assert (row["sent_count"], row["error_count"]) == (1, 1)
    assert await stage.outcomes(task) == {"what is this": "refused", f"@{chat.username}": "sent"}
    assert [chat["address"] for chat in await stage.sql("SELECT address FROM chats")] == [f"@{chat.username}"]


async def test_slow_mode_lets_the_others_go_first(stage: Stage) -> None:
    chats = stage.chats(4)
    stage.fault("slow_mode", seconds=2, chat=chats[1].id)
    async with broadcasting():
        task = await stage.request(text="patience", target_chat_ids=addresses(chats))
        row = await stage.until(task)
    assert (row["status"], row["sent_count"], row["error_count"]) == ("done", 4, 0)
    assert [stage.texts(chat) for chat in chats] == [["patience"]] * 4
    tries = await stage.attempts(task)
    assert [(each["chat"], each["outcome"]) for each in tries] == [
        (f"@{chats[0].username}", "sent"),
        (f"@{chats[1].username}", "retry"),
        (f"@{chats[2].username}", "sent"),
        (f"@{chats[3].username}", "sent"),
        (f"@{chats[1].username}", "sent"),
    ]


@pytest.mark.parametrize(("times", "outcome"), [(2, "sent"), (50, "refused")])
async def test_trouble_at_telegram_is_repeated_a_few_times(stage: Stage, times: int, outcome: str) -> None:
    chats = stage.chats(2)
    stage.fault("rpc_error", message="INTERDC_2_CALL_ERROR", times=times, chat=chats[0].id)
    async with broadcasting():
        task = await stage.request(text="once more", target_chat_ids=addresses(chats))
        row = await stage.until(task)
    assert await stage.outcomes(task) == {f"@{chats[0].username}": outcome, f"@{chats[1].username}": "sent"}
    assert len(await stage.attempts(task, f"@{chats[0].username}")) == 3
    assert row["attempts"] == 1


async def test_a_refused_message_fails_the_task_at_once(stage: Stage) -> None:
    chats = stage.chats(3)
    stage.fault("rpc_error", message="MEDIA_EMPTY")
    async with broadcasting():
        task = await stage.request(text="odd", target_chat_ids=addresses(chats))
        row = await stage.until(task)
    assert (row["status"], row["sent_count"]) == ("failed", 0)
    assert "MEDIA_EMPTY" in row["last_error"]
    assert stage.calls() == 1


async def test_many_ids_are_found_in_one_walk(stage: Stage) -> None:
    chats = [stage.chat(None) for _ in range(20)]
    async with broadcasting():
        row = await stage.until(await stage.request(text="hello", target_chat_ids=[chat.id for chat in chats]))
        assert row["sent_count"] == 20
        walks = stage.calls("messages.GetDialogs")
    assert walks <= 20

    async def sent() -> bool:
        return all(stage.texts(chat) == ["hello"] for chat in chats)

    await eventually(sent)
