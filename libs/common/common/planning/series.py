"""What is still to come and nobody has made yet, day by day: the runs of rules, and the free slots of routes."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from common.planning.recurrence import occurrences
from common.planning.schedules import Schedule
from common.planning.slots import Slots
from common.planning.wall_clock import Day

INSTANT = timedelta(microseconds=1)
From = Callable[[datetime], Iterator[datetime]]  # the times that are later than one, in order


@dataclass(frozen=True, slots=True)
class Coming:
    """The first times of a day; `more` where it has others."""

    times: Sequence[datetime]
    more: bool = False


def runs(schedule: Schedule, seed: str, days: Sequence[Day], now: datetime, most: int) -> list[Coming]:
    """Return the runs of a rule (`seed` is its id) that are to come on each of the days, which follow one another."""
    return _by_day(lambda after: occurrences(schedule, after, seed), days, now, most)


def free_slots(slots: Slots, taken: Sequence[datetime], days: Sequence[Day], now: datetime, most: int) -> list[Coming]:
    """Return the slots that are to come and free on each of the days; `taken` are the times of posts, in order."""
    return _by_day(lambda after: slots.free(after, taken), days, now, most)


def _by_day(later: From, days: Sequence[Day], now: datetime, most: int) -> list[Coming]:
    found: list[Coming] = []
    times: Iterator[datetime] = iter(())
    pending: datetime | None = None
    begun = False
    for day in days:
        if day.ends <= now or day.begins == day.ends:
            found.append(Coming(()))
            continue
        if not begun:
            times, begun = later(max(now, day.begins - INSTANT)), True
            pending = next(times, None)
        here: list[datetime] = []
        while pending is not None and pending < day.ends and len(here) < most:
            here.append(pending)
            pending = next(times, None)
        more = pending is not None and pending < day.ends
        found.append(Coming(here, more))
        if more:  # the rest of the day is not counted: it may have thousands
            begun = False
    return found
