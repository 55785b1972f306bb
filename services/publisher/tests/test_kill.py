"""Kill -9 in the middle of sending."""

import asyncio
import signal
import sys

import pytest

from common.testing.waiting import eventually

from .conftest import Stage


@pytest.mark.parametrize("duplicates", ["repeat", "error"])
async def test_a_killed_process_leaves_nothing_doubled_or_lost(stage: Stage, duplicates: str) -> None:
    channel = stage.channel("survivor")
    stage.world.duplicates = duplicates  # type: ignore[assignment]
    texts = [f"post {number}" for number in range(150)]
    for post in await stage.posts(texts):
        await stage.request(post_id=post, targets=["telegram:@survivor"])

    async def publisher() -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "publisher", stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
        )

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
