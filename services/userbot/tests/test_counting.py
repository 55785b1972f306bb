"""How much others wrote since our last post, and chats that ask for some of it."""

import pytest

from common.testing.waiting import eventually

from .conftest import Stage, addresses, broadcasting


async def counted(stage: Stage, address: str, number: int) -> None:
    """Wait until so many messages are counted in a chat."""

    async def there() -> bool:
        return bool((await stage.known(address))["messages_since_post"] == number)

    await eventually(there)


@pytest.mark.parametrize("kind", ["megagroup", "group"])
async def test_messages_of_others_are_counted_and_a_post_resets_the_count(stage: Stage, kind: str) -> None:
    chat = stage.chat(None, kind)
    address = str(chat.id)
    async with broadcasting():
        await stage.until(await stage.request(text="first", target_chat_ids=[address]))
        for number in range(3):
            stage.world.post(chat, f"talk {number}")
        stage.world.post(chat, "typed by hand", author=stage.account)
        await counted(stage, address, 3)
        await stage.sql("UPDATE chats SET min_messages_between = 5 WHERE address = $1", address)
        task = await stage.request(text="too soon", target_chat_ids=[address])
        row = await stage.until(task)
        assert (row["status"], row["sent_count"], row["skipped_count"], row["error_count"]) == ("done", 0, 1, 0)
        (tried,) = await stage.attempts(task)
        assert (tried["outcome"], tried["error"]) == (
            "skipped",
            "others wrote 3 messages since our last post, and it asks for 5",
        )
        for number in range(2):
            stage.world.post(chat, f"more talk {number}")
        await counted(stage, address, 5)
        await stage.until(await stage.request(text="now", target_chat_ids=[address]))
        known = await stage.known(address)
        assert known["messages_since_post"] == 0
        stage.world.post(chat, "after it")
        await counted(stage, address, 1)
    of = stage.account if kind == "group" else None
    assert [text for text in stage.texts(chat, of) if text in ("first", "too soon", "now")] == ["first", "now"]


async def test_a_message_is_counted_once_by_two_accounts(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    (chat,) = stage.chats(1)
    second = stage.world.add_user("Second", "+10000000003")
    stage.world.add_member(chat, second)
    async with broadcasting():
        await stage.until(await stage.request(text="hello", target_chat_ids=addresses([chat])))
        monkeypatch.setenv("TELETHON_SESSION", stage.session(second))
        monkeypatch.setenv("USERBOT_ACCOUNT", "second")
        async with broadcasting():

            async def both() -> bool:
                return len(await stage.sql("SELECT FROM userbot_accounts")) == 2 and stage.calls("users.GetUsers") >= 2

            await eventually(both)
            for number in range(5):
                stage.world.post(chat, f"talk {number}")
            await counted(stage, f"@{chat.username}", 5)
    assert (await stage.known(f"@{chat.username}"))["messages_since_post"] == 5
