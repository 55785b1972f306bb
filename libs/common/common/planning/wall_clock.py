"""Days and hours as a person's clock has them: a day may have 23 hours or 25, and a time may be missing or come twice.

What becomes of such a time is decided as for schedules and slots (https://peps.python.org/pep-0495/): one that is
skipped moves forward by as much as the clocks skip; of one that comes twice the first is meant, unless the second is
asked for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Literal, NamedTuple

STEP = timedelta(minutes=15)  # offsets are multiples of it, https://www.iana.org/time-zones


@dataclass(frozen=True, slots=True)
class Day:
    """A day of a zone, from its first instant until the first of the next day. One that is skipped is empty."""

    date: date
    begins: datetime
    ends: datetime

    @property
    def length(self) -> timedelta:
        """How long it is: not always 24 hours."""
        return self.ends - self.begins


class Hour(NamedTuple):
    """An hour as the clock shows it; `fold` is 1 where it shows it for the second time."""

    hour: int
    fold: int


@dataclass(frozen=True, slots=True)
class WallTime:
    """The instant that is meant by a time on the wall, and whether the clock shows that time never, once or twice."""

    at: datetime
    shown: Literal["never", "once", "twice"]


def days(first: date, until: date, zone: tzinfo) -> list[Day]:
    """Return the days from the first one until another one, which is not among them."""
    found, begins = [], _begin(first, zone)
    for number in range((until - first).days):
        each = first + timedelta(number)
        ends = _begin(each + timedelta(1), zone)
        found.append(Day(each, begins, ends))
        begins = ends
    return found


def hours(day: Day, zone: tzinfo) -> Sequence[Hour]:
    """Return the hours of a day in order, those that the clock shows in part too."""
    found: dict[Hour, None] = {}
    moment = day.begins
    while moment < day.ends:
        found[hour_of(moment, zone)] = None
        moment += STEP
    return list(found)


def hour_of(moment: datetime, zone: tzinfo) -> Hour:
    """Return the hour of its day in which an instant is."""
    local = moment.astimezone(zone)
    return Hour(local.hour, local.fold)


def wall_time(day: date, clock: time, zone: tzinfo, fold: int = 0) -> WallTime:
    """Return the instant of a time on the wall; `fold` is 1 where the second of two is meant."""
    wanted = datetime.combine(day, clock.replace(tzinfo=None, fold=0))
    first, second = (wanted.replace(tzinfo=zone, fold=each).astimezone(UTC) for each in (0, 1))
    if first.astimezone(zone).replace(tzinfo=None, fold=0) != wanted:
        return WallTime(first, "never")
    if first == second:
        return WallTime(first, "once")
    return WallTime(second if fold else first, "twice")


def moved(moment: datetime, day: date, zone: tzinfo) -> WallTime:
    """Return the same time on the wall on another day."""
    local = moment.astimezone(zone)
    return wall_time(day, local.time(), zone, local.fold)


def _begin(day: date, zone: tzinfo) -> datetime:
    # Where midnight is skipped, fold 0 is the instant of the change; where it comes twice, the first.
    return datetime.combine(day, time(), zone).astimezone(UTC)
