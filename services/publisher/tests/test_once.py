"""Exactly once, whatever happens to a send."""

import asyncio

import pytest

from common.testing.waiting import eventually

from .conftest import Stage, publishing

FIVE = [f"post {number}" for number in range(5)]


async def publish_five(stage: Stage, name: str) -> list[str]:
    """Publish five posts to a channel, and return what is to be read there."""
    channel = stage.world.find_chat(name) or stage.channel(name)
    for post in await stage.posts(FIVE):
        await stage.request(post_id=post, targets=[f"telegram:@{name}"])
    async with publishing():
        rows = await stage.all_ended(len(FIVE))
    assert {row["status"] for row in rows} == {"succeeded"}
    assert [row["message_ids"] for row in rows] == [[message.id] for message in stage.world.messages(channel.id)]
    return stage.texts(channel)


@pytest.mark.parametrize("duplicates", ["repeat", "error"])
@pytest.mark.parametrize("kind", ["lost_answer", "drop_after", "drop", "delay"])
async def test_a_send_without_an_answer_is_repeated_once(
    stage: Stage, kind: str, duplicates: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PUBLISH_QUEUE_TIMEOUT_SECONDS", "0.4")
    stage.world.duplicates = duplicates  # type: ignore[assignment]
    stage.fault(kind, times=2, seconds=0.6)
    assert await publish_five(stage, "faulty") == FIVE


async def test_a_random_id_that_is_called_a_duplicate_was_sent(stage: Stage) -> None:
    channel = stage.channel("doubtful")
    for text in ("post 1", "something else", "post 0"):  # what was there before is not what was sent now
        stage.world.post(channel, text)
    (before,) = await stage.posts(["post 0"])
    async with publishing():
        await stage.ended(await stage.request(post_id=before, targets=["telegram:@doubtful"]))
        stage.fault("random_id_duplicate", times=1)
        (post,) = await stage.posts(["post 1"])
        result = await stage.ended(await stage.request(post_id=post, targets=["telegram:@doubtful"]))
    assert stage.texts(channel) == ["post 1", "something else", "post 0", "post 0", "post 1"]
    assert result["targets"][0]["message_ids"] == [5]


async def test_a_passing_error_is_tried_again(stage: Stage) -> None:
    stage.fault("rpc_error", message="RPC_MCGET_FAIL", times=1)
    stage.fault("rpc_error", message="RPC_CALL_FAIL", times=1)
    assert await publish_five(stage, "troubled") == FIVE
    assert [row["attempts"] for row in await stage.publications()] == [2, 0, 0, 0, 0]


async def test_an_error_that_stays_fails_after_its_attempts(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUBLISH_QUEUE_MAX_ATTEMPTS", "2")
    stage.channel("broken")
    stage.fault("rpc_error", message="RPC_CALL_FAIL", times=2)
    async with publishing():
        result = await stage.ended(await stage.request(text="hello", targets=["telegram:@broken"]))
    assert result["status"] == "failed"
    assert "RPC_CALL_FAIL" in result["reason"]


async def test_a_lane_that_is_stopped_records_the_send_that_is_under_way(stage: Stage) -> None:
    channel = stage.channel("stopped")
    for post in await stage.posts(FIVE):
        await stage.request(post_id=post, targets=["telegram:@stopped"])
    stage.fault("delay", seconds=0.3, times=5)

    async def two_are_there() -> bool:
        return len(stage.texts(channel)) >= 2

    async with publishing():
        await eventually(two_are_there)
    rows = await stage.publications()
    assert [row["status"] for row in rows] == ["succeeded"] * len(stage.texts(channel)) + ["queued"] * (
        5 - len(stage.texts(channel))
    )
    async with publishing():
        await stage.all_ended(5)
    assert stage.texts(channel) == FIVE


@pytest.mark.parametrize("duplicates", ["repeat", "error"])
async def test_what_a_killed_publisher_had_sent_is_not_sent_again(stage: Stage, duplicates: str) -> None:
    channel = stage.channel("killed")
    stage.world.duplicates = duplicates  # type: ignore[assignment]
    for post in await stage.posts(FIVE):
        await stage.request(post_id=post, targets=["telegram:@killed"])
    async with publishing():
        await stage.all_ended(5)
    # As if it had died after the sends, before any result was recorded.
    await stage.database.execute(
        "UPDATE publications SET status = 'in_progress', message_ids = '{}', finished_at = NULL WHERE text <> 'post 0'"
    )
    await stage.database.execute("UPDATE publish_packages SET status = 'in_progress', finished_at = NULL")
    async with publishing():
        rows = await stage.all_ended(5)
    assert stage.texts(channel) == FIVE
    assert [row["message_ids"] for row in rows] == [[1], [2], [3], [4], [5]]


async def test_two_replicas_never_send_to_one_destination_at_once(stage: Stage) -> None:
    channel = stage.channel("shared")
    other = stage.channel("other")
    texts = [f"post {number}" for number in range(40)]
    for post in await stage.posts(texts):
        await stage.request(post_id=post, targets=["telegram:@shared", "telegram:@other"])
    async with publishing() as first, publishing():

        async def some_are_there() -> bool:
            return len(stage.texts(channel)) >= 5

        await eventually(some_are_there)
        first.cancel()  # the other one takes over and goes on in order
        with pytest.raises(asyncio.CancelledError):
            await first
        await stage.all_ended(80)
    assert stage.texts(channel) == stage.texts(other) == texts
