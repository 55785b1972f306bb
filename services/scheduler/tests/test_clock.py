"""The clock before catalogs that change, lag and fail. The catalog here is a list."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from common.catalog import Source
from common.testing.waiting import eventually
from scheduler.clock import CollectionClock

POLL = 0.01


class Listed:
    """A catalog, and those who ask for its sources."""

    def __init__(self, *sources: Source) -> None:
        self.listed = list(sources)
        self.never_read: set[UUID] = set()
        self.looks = 0
        self.failures: list[Exception] = []
        self.asked: list[UUID] = []

    async def sources(self) -> list[Source]:
        self.looks += 1
        return self.listed

    async def unread(self) -> set[UUID]:
        return self.never_read

    async def request(self, source: Source, _cause: str) -> None:
        if self.failures:
            raise self.failures.pop()
        self.asked.append(source.id)


def source(schedule: str | None = None) -> Source:
    return Source(uuid4(), "feed", "https://example.com/feed", "", True, schedule, False)


@pytest.fixture
def crons(monkeypatch: pytest.MonkeyPatch) -> list[AsyncIOScheduler]:
    """The schedulers that are made."""
    made: list[AsyncIOScheduler] = []

    def make(**given: object) -> AsyncIOScheduler:
        made.append(AsyncIOScheduler(**given))
        return made[-1]

    monkeypatch.setattr("scheduler.clock.AsyncIOScheduler", make)
    return made


@asynccontextmanager
async def running(catalog: Listed) -> AsyncIterator[None]:
    clock = asyncio.create_task(CollectionClock(catalog, catalog.request, poll=POLL).run())
    try:
        yield
        assert not clock.done()
    finally:
        clock.cancel()
        await asyncio.gather(clock, return_exceptions=True)


async def look(catalog: Listed, times: int = 2) -> None:
    """Wait for looks that began after this call; the first of two is over then."""
    until = catalog.looks + times

    async def looked() -> bool:
        return catalog.looks >= until

    await eventually(looked)


async def test_a_source_added_between_the_two_queries_is_asked_for_by_the_next_look() -> None:
    late, catalog = source(), Listed()
    catalog.never_read = {late.id}
    async with running(catalog):
        await look(catalog)
        assert catalog.asked == []
        catalog.listed = [late]
        await look(catalog)
    assert catalog.asked == [late.id]


@pytest.mark.parametrize("changed", [None, "* * * * *", "every night"])
async def test_a_wrong_schedule_can_be_taken_back_or_changed(
    crons: list[AsyncIOScheduler], changed: str | None
) -> None:
    wrong = source("every day")
    catalog = Listed(wrong)
    async with running(catalog):
        await look(catalog)
        catalog.listed = [replace(wrong, schedule=changed)]
        await look(catalog)
        assert len(crons[0].get_jobs()) == (changed == "* * * * *")
        catalog.listed = []
        await look(catalog)
        assert crons[0].get_jobs() == []


async def test_a_schedule_that_becomes_wrong_ends_the_old_one(crons: list[AsyncIOScheduler]) -> None:
    right = source("* * * * *")
    catalog = Listed(right)
    async with running(catalog):
        await look(catalog)
        assert len(crons[0].get_jobs()) == 1
        catalog.listed = [replace(right, schedule="every day")]
        await look(catalog)
        assert crons[0].get_jobs() == []


@pytest.mark.parametrize("failure", [ConnectionRefusedError(), RuntimeError("nobody expected this")])
async def test_a_request_that_failed_is_made_again(failure: Exception) -> None:
    new = source()
    catalog = Listed(new)
    catalog.never_read, catalog.failures = {new.id}, [failure]
    async with running(catalog):
        await look(catalog, 3)
    assert catalog.asked == [new.id]
