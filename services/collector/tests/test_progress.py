"""How far a source is read: batches, restarts, overlapping runs, and who holds the session."""

import asyncio

import pytest

from collector.app import run
from collector.ports import Page
from collector.store import SourceStates
from common.testing.waiting import eventually

from .conftest import serving

PICTURE = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x10\x00\x00\x00\x10\x08\x02\x00\x00\x00\x90\x91h6"


@pytest.fixture
def small_batches(telegram, monkeypatch):
    """Everything is read, twenty messages at once."""
    monkeypatch.setenv("COLLECT_BATCH", "20")
    monkeypatch.setenv("COLLECT_BACKFILL", "0")


def fill(telegram, channel, number, start=0):
    for position in range(start, start + number):
        telegram.world.post(channel, f"Сообщение городской хроники за номером {position}", date=1_700_000_000)


async def test_a_long_history_is_read_in_order_and_once(stage, telegram, small_batches) -> None:
    channel = telegram.channel("city_news")
    fill(telegram, channel, 130)
    await stage.source("telegram", "@city_news")
    async with serving():
        posts = await stage.posts(130)
        await stage.idle()
    assert await stage.collected() == [post["id"] for post in posts]


async def test_a_batch_tears_no_album(stage, telegram, small_batches) -> None:
    channel = telegram.channel("city_news")
    fill(telegram, channel, 17)
    photo = telegram.world.photo(PICTURE)
    for _ in range(6):  # over the end of the first batch of twenty
        telegram.world.post(channel, "", media=photo, grouped_id=5, date=1_700_000_000)
    fill(telegram, channel, 3, start=17)
    await stage.source("telegram", "@city_news")
    async with serving():
        posts = await stage.posts(21)
        await stage.idle()
    assert len(await stage.posts()) == 21
    assert await stage.database.strict.fetchval("SELECT count(*) FROM post_media") == 6
    assert (await stage.database.strict.fetchval("SELECT count(DISTINCT post_id) FROM post_media")) == 1
    assert len(posts) == 21


async def test_only_the_newest_of_a_new_source_are_read(stage, telegram, monkeypatch) -> None:
    monkeypatch.setenv("COLLECT_BACKFILL", "3")
    channel = telegram.channel("city_news")
    fill(telegram, channel, 10)
    source = await stage.source("telegram", "@city_news")
    async with serving():
        await stage.posts(3)
        await stage.idle()
        fill(telegram, channel, 5, start=10)
        posts = await stage.posts(8)
        await stage.idle()
    assert [int(post["text"].split()[-1]) for post in posts] == list(range(7, 15))
    assert (await stage.state(source))["last_message_id"] == int(posts[-1]["external_id"])


async def test_what_came_while_the_collector_was_away_is_read_on_return(stage, telegram, small_batches) -> None:
    channel = telegram.channel("city_news")
    fill(telegram, channel, 5)
    await stage.source("telegram", "@city_news")
    async with serving():
        await stage.posts(5)
        await stage.idle()
    fill(telegram, channel, 50, start=5)
    async with serving():
        await stage.posts(55)
        await stage.idle()
    found = await stage.collected()
    assert len(set(found)) == len(found) == 55


async def test_a_death_in_the_middle_loses_and_doubles_nothing(stage, telegram, small_batches) -> None:
    channel = telegram.channel("city_news")
    fill(telegram, channel, 200)
    await stage.source("telegram", "@city_news")
    telegram.fault("messages.GetHistory", "delay", seconds=0.05, times=100)
    task = asyncio.create_task(run(asyncio.Event()))
    await stage.posts(60)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert len(await stage.posts()) < 200
    async with serving():
        posts = await stage.posts(200)
        await stage.idle()
    assert sorted(await stage.collected()) == sorted(post["id"] for post in posts)


async def test_overlapping_runs_lose_and_double_nothing(stage, telegram, small_batches) -> None:
    channel = telegram.channel("city_news")
    fill(telegram, channel, 150)
    source = await stage.source("telegram", "@city_news")
    jobs = [await stage.request(source) for _ in range(4)]
    async with serving():
        posts = await stage.posts(150)
        for job in jobs:
            assert (await stage.job(job))["status"] == "succeeded"
        await stage.idle()
    assert sorted(await stage.collected()) == sorted(post["id"] for post in posts)
    assert (await stage.state(source))["last_message_id"] == int(posts[-1]["external_id"])


async def test_the_place_never_goes_backwards(stage) -> None:
    source = await stage.source("telegram", "@city_news")
    states = SourceStates(stage.database)
    for place in ([600, 100], [200]):  # two runs of one source in a group, and a late one
        rows = [_written(states, source, number) for number in place]
        await stage.database.execute(rows[0][0], *map(list, zip(*(row for _, row in rows), strict=True)))
    assert (await states.of(source)).last_message_id == 600


async def test_a_stand_by_takes_over(stage, telegram) -> None:
    channel = telegram.channel("city_news")
    fill(telegram, channel, 1)
    await stage.source("telegram", "@city_news")
    first = asyncio.Event()
    holder = asyncio.create_task(run(first))
    await stage.posts(1)
    async with serving():
        await stage.idle()
        first.set()
        await holder
        fill(telegram, channel, 1, start=1)
        assert len(await stage.posts(2)) == 2

        async def by_the_stand_by() -> bool:
            return bool(await stage.database.strict.fetchval("SELECT count(*) FROM leases") == 1)

        await eventually(by_the_stand_by)
        await stage.idle()
    assert "notify.requested" not in stage.told


def _written(states, source, number):
    class Recorder:
        def write(self, statement, *row):
            self.statement, self.row = statement, row

    recorder = Recorder()
    states.advance(recorder, source, Page(last_message_id=number))
    return recorder.statement, recorder.row
