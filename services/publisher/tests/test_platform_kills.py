"""Kill -9 in the middle of publishing on Instagram and X: everything is there once."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from common.planning.x_text import thread
from common.testing import warm
from common.testing.waiting import eventually
from sandbox.demo.pictures import picture as drawn

from .conftest import File, Platforms, Stage
from .test_x import LONG

SOAK = pytest.mark.soak  # each waits out the lease of a process that was killed


@asynccontextmanager
async def process() -> AsyncIterator[warm.Process]:
    """A process that publishes."""
    running = await warm.start("publisher")
    try:
        yield running
    finally:
        if running.returncode is None:
            running.send_signal(signal.SIGTERM)
            await asyncio.wait_for(running.wait(), 20)


async def killed_when(platforms: Platforms, where: str, number: int) -> None:
    """Publish, and die when so many calls have come in; the last one is under way, or has been carried out."""

    async def came() -> bool:
        return len(platforms.calls(where)) >= number

    async with process() as running:
        await eventually(came, every=0.001)
        running.kill()
        await running.wait()


@pytest.mark.parametrize("calls", [pytest.param(1, marks=SOAK), 2, pytest.param(3, marks=SOAK)])
async def test_a_thread_goes_on_after_its_last_post(stage: Stage, platforms: Platforms, calls: int) -> None:
    await stage.request(text=LONG, targets=["x:demo"])
    await killed_when(platforms, "x:/2/tweets", calls)
    assert calls <= len(platforms.x_posts()) < len(thread(LONG))
    async with process():
        (row,) = await stage.all_ended(1)
    posts = platforms.x_posts()
    assert [post.text for post in posts] == thread(LONG)
    assert [post.reply_to for post in posts] == [None, *(post.id for post in posts[:-1])]
    assert (row["status"], row["message_ids"]) == ("succeeded", [post.id for post in posts])


async def test_a_post_that_comes_late_is_waited_for(stage: Stage, platforms: Platforms) -> None:
    """X carries a call out although its caller has died; until then it is not found, and not repeated."""
    platforms.fault("x:/2/tweets", "delay", seconds=4)
    await stage.request(text="Late, but once", targets=["x:demo"])
    async with process() as running:
        await eventually(
            lambda: stage.rows("SELECT FROM publications WHERE progress ->> 'trying' = 'true'"), every=0.01
        )
        await asyncio.sleep(0.5)  # the call is on its way: nothing tells of it before it is carried out
        running.kill()
        await running.wait()
    assert platforms.x_texts() == []
    async with process():
        (row,) = await stage.all_ended(1)
    assert (row["status"], platforms.x_texts()) == ("succeeded", ["Late, but once"])


@pytest.mark.parametrize(
    "where",
    [
        pytest.param("instagram:media", marks=SOAK),
        pytest.param("instagram:container", marks=SOAK),
        "instagram:media_publish",
    ],
)
async def test_a_picture_is_published_once(stage: Stage, platforms: Platforms, where: str) -> None:
    post = await stage.post("Once", File("photo", drawn(1)), File("photo", drawn(2)))
    await stage.request(post_id=post, targets=["instagram:demo"])
    await killed_when(platforms, where, 1)
    async with process():
        (row,) = await stage.all_ended(1)
    (photo,) = platforms.photos()
    assert (row["status"], row["message_ids"]) == ("succeeded", [photo.id])
