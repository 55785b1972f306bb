"""Kill -9 in the middle of broadcasting."""

import asyncio
import random
import signal
import time

import pytest

from common.testing.waiting import eventually

from .conftest import Stage, addresses, process


async def broadcast_with_kills(stage: Stage, chats_count: int, kills: int, seed: int, *, quick: bool) -> None:
    """Kill the userbot again and again while it sends to many chats, and look at what came of it."""
    chance = random.Random(seed)
    chats = stage.chats(chats_count)
    post = await stage.post("survivor")
    task = await stage.request(post_id=post, target_chat_ids=addresses(chats))
    stage.fault("delay", seconds=0.01, times=100_000)  # so that most deaths find a send under way

    def there() -> int:
        return sum(bool(stage.texts(chat)) for chat in chats)

    marks = sorted(chance.sample(range(1, chats_count), kills))
    running = await process(quick=quick)
    try:
        for number, mark in enumerate(marks):

            async def so_many(mark: int = mark) -> bool:
                return there() >= mark

            await eventually(so_many, within=60, every=0.002)
            await asyncio.sleep(chance.uniform(0, 0.02))
            running.kill()
            await running.wait()
            assert there() < chats_count or number == kills - 1
            running = await process(quick=quick)
        row = await stage.until(task, within=120)
        result = await stage.result(task)
        running.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(running.wait(), 20) == 0
    finally:
        if running.returncode is None:
            running.kill()
            await running.wait()
    assert [stage.texts(chat) for chat in chats] == [["survivor"]] * chats_count
    assert (row["status"], row["sent_count"], row["error_count"], row["skipped_count"]) == ("done", chats_count, 0, 0)
    assert row["attempts"] == 1
    assert (result["sent_count"], result["error_count"]) == (chats_count, 0)
    assert set((await stage.outcomes(task)).values()) == {"sent"}
    (left,) = await stage.sql(
        """SELECT (SELECT count(*) FROM userbot_tasks WHERE status = 'processing') AS tasks,
                  (SELECT count(*) FROM broadcast_attempts WHERE outcome = 'sending') AS tries,
                  (SELECT count(*) FROM chats WHERE last_success_post_at IS NOT NULL) AS chats"""
    )
    assert tuple(left) == (0, 0, chats_count)


@pytest.mark.parametrize(("duplicates", "kills"), [("repeat", 4), ("error", 2)])
async def test_a_killed_process_leaves_nothing_doubled_or_lost(stage: Stage, duplicates: str, kills: int) -> None:
    stage.world.duplicates = duplicates  # type: ignore[assignment]
    await broadcast_with_kills(stage, 60, kills, seed=kills, quick=True)


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_twenty_kills_among_three_hundred_chats(stage: Stage, seed: int) -> None:
    await broadcast_with_kills(stage, 300, 20, seed, quick=False)


async def test_a_second_one_stands_by_and_takes_over(stage: Stage) -> None:
    chats = stage.chats(200)
    stage.fault("delay", seconds=0.1, times=100_000)
    first = await process()
    second = None

    def there() -> int:
        return sum(bool(stage.texts(chat)) for chat in chats)

    try:
        task = await stage.request(text="handed over", target_chat_ids=addresses(chats))
        await stage.until(task, "processing")
        second = await process()

        async def both() -> bool:
            return len(await stage.sql("SELECT FROM service_beats WHERE service = 'userbot'")) == 2

        await eventually(both)
        first.kill()
        await first.wait()
        died, before = time.monotonic(), there()
        assert before < 200

        async def goes_on() -> bool:
            return there() > before + 1

        await eventually(goes_on, within=30)
        print(f"taken over after {time.monotonic() - died:.1f} s")
        stage.faults.clear()
        row = await stage.until(task, within=30)
        second.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(second.wait(), 20) == 0
    finally:
        for each in (first, second):
            if each is not None and each.returncode is None:
                each.kill()
                await each.wait()
    assert (row["status"], row["sent_count"], row["attempts"]) == ("done", 200, 1)
    assert [stage.texts(chat) for chat in chats] == [["handed over"]] * 200
