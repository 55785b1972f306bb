"""Kill -9 in the middle of sending."""

import asyncio
import signal

import pytest

from common.testing import warm
from common.testing.waiting import eventually
from sandbox.demo.pictures import picture as drawn

from .conftest import File, Stage


async def publisher() -> warm.Process:
    """A process that publishes."""
    return await warm.start("publisher")


@pytest.mark.parametrize("duplicates", ["repeat", "error"])
async def test_a_killed_process_leaves_nothing_doubled_or_lost(stage: Stage, duplicates: str) -> None:
    channel = stage.channel("survivor")
    stage.world.duplicates = duplicates  # type: ignore[assignment]
    texts = [f"post {number}" for number in range(150)]
    for post in await stage.posts(texts):
        await stage.request(post_id=post, targets=["telegram:@survivor"])

    async def some_are_there() -> bool:
        return len(stage.texts(channel)) >= 30

    process = await publisher()
    try:
        await eventually(some_are_there, every=0.001)
        process.kill()
        await process.wait()
        assert len(stage.texts(channel)) < len(texts)
        process = await publisher()
        rows = await stage.all_ended(len(texts), within=60)
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 20) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert stage.texts(channel) == texts
    assert [row["message_ids"] for row in rows] == [[number] for number in range(1, 151)]
    (left,) = await stage.rows("SELECT count(*) FROM publish_packages WHERE status <> 'succeeded'")
    assert left["count"] == 0


@pytest.mark.parametrize("duplicates", ["repeat", pytest.param("error", marks=pytest.mark.soak)])
@pytest.mark.parametrize(
    ("method", "kind", "calls"),
    [
        ("messages.UploadMedia", "delay", 3),  # everything is uploaded, nothing is sent
        ("messages.SendMultiMedia", "lost_answer", 1),  # it is sent, and nobody knows
        ("messages.SendMultiMedia", "drop", 1),  # it is not, and nobody knows
    ],
)
async def test_an_album_is_sent_once_by_whoever_comes_after(
    stage: Stage, method: str, kind: str, calls: int, duplicates: str
) -> None:
    channel = stage.channel("survivor")
    stage.world.duplicates = duplicates  # type: ignore[assignment]
    post = await stage.post("an album", *(File("photo", drawn(number)) for number in (1, 2, 3)))
    await stage.request(post_id=post, targets=["telegram:@survivor"])
    if kind == "delay":
        stage.fault("delay", method, seconds=0, times=calls - 1)
    stage.fault(kind, method, seconds=2)

    async def is_there() -> bool:
        return stage.server.calls().get(method, 0) >= calls

    process = await publisher()
    try:
        await eventually(is_there, every=0.001)
        process.kill()
        await process.wait()
        assert len(stage.world.messages(channel.id)) == (3 if kind == "lost_answer" else 0)
        process = await publisher()
        (row,) = await stage.all_ended(1)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    messages = stage.world.messages(channel.id)
    assert [stage.world.download(message) for message in messages] == [drawn(1), drawn(2), drawn(3)]
    assert (row["status"], row["message_ids"]) == ("succeeded", [message.id for message in messages])
