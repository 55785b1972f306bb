"""Errors of a task as a whole."""

import pytest

from common.media.store import MediaStore

from .conftest import Stage, addresses, broadcasting, picture


async def lose_image(stage: Stage) -> None:
    """Take the only image out of the object store."""
    bucket = await MediaStore(stage.database, stage.nats.jetstream()).bucket()
    (row,) = await stage.sql("SELECT object FROM images")
    await bucket.delete(row["object"])


async def test_it_comes_again_and_fails_at_the_limit(stage: Stage) -> None:
    (chat,) = stage.chats(1)
    post = await stage.pictured("look", [picture()])
    await lose_image(stage)
    async with broadcasting():
        task = await stage.request(post_id=post, target_chat_ids=[chat.id])
        waiting = await stage.until(task, "pending", attempts=1)
        assert "can't be read" in waiting["last_error"]
        assert waiting["not_before"] > waiting["created_at"]
        row = await stage.until(task)
        result = await stage.result(task)
        (notice,) = await stage.notices("userbot.failed")
    assert (row["status"], row["attempts"], row["sent_count"]) == ("failed", 3, 0)
    assert "can't be read" in row["last_error"]
    assert (result["status"], result["sent_count"]) == ("failed", 0)
    assert notice["post_id"] == str(post)
    assert stage.texts(chat) == []


async def test_what_was_mended_goes_on_where_it_was(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROADCAST_QUEUE_BACKOFF_BASE_SECONDS", "1.5")
    chats = stage.chats(2)
    post = await stage.pictured("look", [picture()])
    async with broadcasting():
        first = await stage.request(post_id=post, target_chat_ids=addresses(chats[:1]))
        await stage.until(first)
    async with broadcasting():  # one that has not uploaded it yet
        (image,) = await stage.sql("SELECT object, hash FROM images")
        await lose_image(stage)
        task = await stage.request(post_id=post, target_chat_ids=addresses(chats))
        await stage.until(task, "pending", attempts=1)
        bucket = await MediaStore(stage.database, stage.nats.jetstream()).bucket()
        await bucket.put(image["object"], picture())
        row = await stage.until(task)
    assert (row["status"], row["sent_count"], row["last_error"]) == ("done", 2, None)
    assert row["attempts"] >= 2
    assert [stage.texts(chat) for chat in chats] == [["look", "look"], ["look"]]
