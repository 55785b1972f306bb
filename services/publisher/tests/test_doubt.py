"""Sends that may have arrived: errors in place of an answer, and looking in places with a history."""

import pytest

from common.testing.waiting import eventually

from .conftest import Stage, publishing

TARGETS = ["telegram:@doubt"]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two attempts, a second to repeat, and half a second for each call."""
    monkeypatch.setenv("PUBLISH_QUEUE_MAX_ATTEMPTS", "2")
    monkeypatch.setenv("PUBLISH_QUEUE_TIMEOUT_SECONDS", "0.5")
    monkeypatch.setenv("UNKNOWN_AFTER_SECONDS", "1")


async def test_an_error_in_place_of_an_answer_does_not_say_that_nothing_was_sent(stage: Stage) -> None:
    channel = stage.channel("doubt")
    stage.fault("error_after", message="RPC_CALL_FAIL", times=2)
    async with publishing():
        result = await stage.ended(await stage.request(text="it arrived", targets=TARGETS))
    assert stage.texts(channel) == ["it arrived"]
    assert (result["status"], result["targets"][0]["message_ids"]) == ("succeeded", [1])


async def test_what_may_have_been_sent_is_not_given_back(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUBLISH_QUEUE_BACKOFF_BASE_SECONDS", "30")
    stage.channel("doubt")
    stage.fault("error_after", message="RPC_CALL_FAIL")
    async with publishing():
        await stage.request(text="backs off", targets=TARGETS)

        async def tried() -> bool:
            return any(row["attempts"] for row in await stage.publications())

        await eventually(tried)
    (row,) = await stage.publications()
    assert row["status"] == "in_progress"
    assert row["first_try_at"]


async def test_a_lost_answer_is_found_behind_a_long_history(stage: Stage) -> None:
    channel = stage.channel("doubt")
    author = stage.bot  # the same text, from the same account, from before
    messages = [stage.world.post(channel, "again and again", author=author) for _ in range(3000)]
    stage.world.delete(messages[1000:1300] + messages[2800:])
    stage.fault("lost_answer", times=50)
    async with publishing():
        result = await stage.ended(await stage.request(text="again and again", targets=TARGETS))
    assert result["targets"][0]["message_ids"] == [3001]
    (row,) = await stage.publications()
    assert 2800 <= row["last_known_message_id"] <= 3000


async def test_a_lost_answer_is_found_behind_a_gap(stage: Stage) -> None:
    channel = stage.channel("doubt")
    stage.world.post(channel, "the first one")
    async with publishing():
        await stage.ended(await stage.request(text="before", targets=TARGETS))
        gone = [stage.world.post(channel, "gone") for _ in range(250)]
        stage.world.delete(gone)
        stage.fault("lost_answer", times=50)
        result = await stage.ended(await stage.request(text="behind the gap", targets=TARGETS))
    assert result["targets"][0]["message_ids"] == [253]


async def test_of_two_equal_texts_each_has_its_own_message(stage: Stage) -> None:
    channel = stage.channel("doubt")
    posts = await stage.posts(["twice", "twice"])
    for post in posts:
        await stage.request(post_id=post, targets=TARGETS)
    stage.fault("random_id_duplicate", times=2)
    async with publishing():
        rows = await stage.all_ended(2)
    assert stage.texts(channel) == ["twice", "twice"]
    assert [row["message_ids"] for row in rows] == [[1], [2]]
