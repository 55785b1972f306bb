"""The clock before catalogs that change, lag and fail. The catalog here is a list."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from common.catalog import Source
from common.planning.cron import parse_cron
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
        self.causes: list[str] = []

    async def sources(self) -> list[Source]:
        self.looks += 1
        return self.listed

    async def unread(self) -> set[UUID]:
        return self.never_read

    async def request(self, source: Source, cause: str) -> None:
        if self.failures:
            raise self.failures.pop()
        self.asked.append(source.id)
        self.causes.append(cause)


def source(schedule: str | None = None) -> Source:
    return Source(uuid4(), "feed", "https://example.com/feed", "", True, schedule, False)


@dataclass
class Clock:
    """A clock that is set by hand; it begins on a Tuesday."""

    at: datetime = datetime(2026, 11, 24, 8, 59, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def minute(self, text: str) -> None:
        self.at = datetime.fromisoformat(f"{text}:01Z")


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


@pytest.mark.parametrize(("line", "asked"), [("0 9 * * 1", False), ("0 9 * * 2", True), ("0 9 * * tue", True)])
async def test_weekdays_are_those_of_cron(line: str, asked: bool) -> None:
    catalog, clock = Listed(source(line)), Clock()
    under_test = CollectionClock(catalog, catalog.request, poll=POLL, now=clock)
    await under_test.look()
    assert catalog.asked == []
    clock.minute("2026-11-24T09:00")
    for _ in range(2):
        await under_test.look()
    assert [each.startswith("collect/") and each[-17:] for each in catalog.causes] == ["/2026-11-24T09:00"] * asked


async def test_missed_minutes_are_one_and_a_clock_that_was_wrong_is_forgotten() -> None:
    catalog, clock = Listed(source("*/10 * * * *")), Clock()
    under_test = CollectionClock(catalog, catalog.request, poll=POLL, now=clock)
    for minute in ("2026-11-24T08:59", "2026-11-24T09:41", "2030-01-01T00:00", "2026-11-24T09:43", "2026-11-24T09:50"):
        clock.minute(minute)
        await under_test.look()
    assert [each[-16:] for each in catalog.causes] == ["2026-11-24T09:00", "2026-11-24T09:50", "2026-11-24T09:50"]


@pytest.mark.parametrize("changed", [None, "* * * * *", "every night"])
async def test_a_wrong_schedule_can_be_taken_back_or_changed(changed: str | None) -> None:
    wrong, clock = source("every day"), Clock()
    catalog = Listed(wrong)
    under_test = CollectionClock(catalog, catalog.request, poll=POLL, now=clock)
    for schedule in ("every day", changed):
        catalog.listed = [replace(wrong, schedule=schedule)]
        await under_test.look()
    clock.at += timedelta(minutes=1)
    await under_test.look()
    assert len(catalog.asked) == (changed == "* * * * *")


@pytest.mark.parametrize("schedule", ["every day", None])
async def test_a_schedule_that_becomes_wrong_or_is_taken_away_ends_the_old_one(schedule: str | None) -> None:
    right, clock = source("* * * * *"), Clock()
    catalog = Listed(right)
    under_test = CollectionClock(catalog, catalog.request, poll=POLL, now=clock)
    await under_test.look()
    catalog.listed = [replace(right, schedule=schedule)]
    await under_test.look()
    clock.at += timedelta(minutes=1)
    await under_test.look()
    assert catalog.asked == []


async def test_a_source_is_asked_for_when_its_minute_begins() -> None:
    catalog = Listed(source("* * * * *"))
    start = asyncio.get_running_loop().time()

    def almost() -> datetime:
        passed = asyncio.get_running_loop().time() - start
        return datetime(2026, 11, 24, 8, 59, 59, 800_000, tzinfo=UTC) + timedelta(seconds=passed)

    clock = asyncio.create_task(CollectionClock(catalog, catalog.request, poll=3600, now=almost).run())

    async def asked() -> bool:
        return bool(catalog.asked)

    await eventually(asked)
    clock.cancel()
    assert catalog.causes[0] == f"collect/{catalog.listed[0].id}/2026-11-24T09:00"  # the same of every replica


@pytest.mark.parametrize("failure", [ConnectionRefusedError(), RuntimeError("nobody expected this")])
async def test_a_request_that_failed_is_made_again(failure: Exception) -> None:
    new = source()
    catalog = Listed(new)
    catalog.never_read, catalog.failures = {new.id}, [failure]
    async with running(catalog):
        await look(catalog, 3)
    assert catalog.asked == [new.id]


@pytest.mark.parametrize(
    ("field", "days"), [("fri-sun", {5, 6, 7}), ("5-0", {5, 6, 7}), ("0-1", {7, 1}), ("0-0", {7}), ("sun", {7})]
)
def test_sunday_is_the_first_or_the_last_day(field: str, days: set[int]) -> None:
    assert parse_cron(f"0 9 * * {field}").weekdays == days
