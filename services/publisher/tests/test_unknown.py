"""Sends whose outcome is not known: looked for, and else left to a person."""

import pytest

from common.testing.waiting import eventually

from .conftest import Stage, publishing


async def lose(stage: Stage, text: str, kind: str, times: int) -> None:
    """Request a post whose sends are not answered."""
    stage.fault(kind, times=times, seconds=60)
    await stage.request(text=text, targets=["telegram:@fog"])


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a second to repeat, and a tenth for each call."""
    monkeypatch.setenv("PUBLISH_QUEUE_TIMEOUT_SECONDS", "0.2")
    monkeypatch.setenv("UNKNOWN_AFTER_SECONDS", "0.5")


async def test_what_arrived_is_found_by_its_text(stage: Stage) -> None:
    channel = stage.channel("fog")
    stage.world.post(channel, "in the fog")  # the same text, from before
    async with publishing():
        await stage.ended(await stage.request(text="first", targets=["telegram:@fog"]))
        stage.world.post(channel, "in between")
        await lose(stage, "in the fog", "lost_answer", 50)
        rows = await stage.all_ended(2)
    assert stage.texts(channel) == ["in the fog", "first", "in between", "in the fog"]
    assert [(row["status"], row["message_ids"]) for row in rows] == [("succeeded", [2]), ("succeeded", [4])]


async def test_what_is_not_found_awaits_a_person(stage: Stage) -> None:
    channel = stage.channel("fog")
    async with publishing():
        await lose(stage, "never arrived", "drop", 50)
        (row,) = await stage.all_ended(1)
        (notice,) = await stage.notices("publisher.unknown")
        sends = stage.server.calls()["messages.SendMessage"]
        stage.faults.clear()
        after = await stage.ended(await stage.request(text="goes on", targets=["telegram:@fog"]))
    assert row["status"] == "unknown"
    assert "not found there" in row["last_error"]
    assert notice["post_id"] == str(row["post_id"])
    assert after["status"] == "succeeded"
    assert stage.texts(channel) == ["goes on"]
    assert stage.server.calls()["messages.SendMessage"] == sends + 1  # it is never repeated blindly
    (package,) = await stage.rows("SELECT status FROM publish_packages WHERE id = $1", row["package_id"])
    assert package["status"] == "in_progress"


async def test_a_person_decides_and_the_package_ends(stage: Stage) -> None:
    stage.channel("fog")
    async with publishing():
        await lose(stage, "it was there", "drop", 50)
        (row,) = await stage.all_ended(1)
        assert row["status"] == "unknown"
        await stage.database.execute(
            "UPDATE publications SET status = 'succeeded', message_ids = '{7}', finished_at = now() WHERE id = $1",
            row["id"],
        )
        result = await stage.ended(row["package_id"])
    assert result["status"] == "succeeded"
    assert result["targets"][0]["message_ids"] == [7]


async def test_an_old_send_of_a_killed_publisher_is_looked_for_first(stage: Stage) -> None:
    channel = stage.channel("fog")
    async with publishing():
        await stage.ended(await stage.request(text="sent long ago", targets=["telegram:@fog"]))
    sends = stage.server.calls()["messages.SendMessage"]
    await stage.database.execute(
        """UPDATE publications SET status = 'in_progress', message_ids = '{}', finished_at = NULL,
               first_try_at = now() - interval '1 h'"""
    )
    await stage.database.execute("UPDATE publish_packages SET status = 'in_progress', finished_at = NULL")
    async with publishing():
        (row,) = await stage.all_ended(1)
    assert (row["status"], row["message_ids"]) == ("succeeded", [1])
    assert stage.texts(channel) == ["sent long ago"]
    assert stage.server.calls()["messages.SendMessage"] == sends


async def test_a_message_that_was_deleted_meanwhile_is_unknown(stage: Stage) -> None:
    channel = stage.channel("fog")
    stage.world.duplicates = "error"
    stage.fault("random_id_duplicate")

    async def delete() -> bool:
        messages = stage.world.messages(channel.id)
        stage.world.delete(messages)
        return bool(messages)

    stage.fault("delay", "channels.GetMessages", seconds=0.1, times=3)
    async with publishing():
        await stage.request(text="soon gone", targets=["telegram:@fog"])
        await eventually(delete, every=0.001)
        (row,) = await stage.all_ended(1)
    assert row["status"] == "unknown"
    assert "RANDOM_ID_DUPLICATE" in row["last_error"]
