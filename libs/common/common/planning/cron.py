"""Cron lines of five fields, on the wall clock. As POSIX has them, with names, steps and 7 for Sunday:
https://pubs.opengroup.org/onlinepubs/9799919799/utilities/crontab.html
"""

import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

LONGEST_SEARCH_DAYS = 366 * 9  # 29 February comes after eight years at the latest
MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
WEEKDAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]


class InvalidCron(ValueError):
    """A line that can't be read, or whose time never comes; the message says why."""


class _Field(NamedTuple):
    name: str
    lowest: int
    highest: int
    names: Mapping[str, int] = {}


FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of the month", 1, 31),
    _Field("month", 1, 12, {name: number for number, name in enumerate(MONTHS, 1)}),
    _Field("day of the week", 0, 7, {name: number for number, name in enumerate(WEEKDAYS)}),
)
_PART = re.compile(r"(?P<first>\*|[a-z]+|\d{1,4})(?:-(?P<last>[a-z]+|\d{1,4}))?(?:/(?P<step>\d{1,4}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Cron:
    """A parsed line. Where both kinds of days are restricted, a day of either kind is one."""

    minutes: Sequence[int]
    hours: Sequence[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]  # ISO, 1 is Monday
    either: bool

    def after(self, moment: datetime) -> datetime | None:
        """Return the first time that is later than `moment`, both without a zone; None where none comes."""
        day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
        for _ in range(LONGEST_SEARCH_DAYS):
            if self._is_day(day):
                begun = moment.hour if day.date() == moment.date() else 0
                for hour in self.hours[bisect_left(self.hours, begun) :]:
                    for minute in self.minutes:
                        if (found := day.replace(hour=hour, minute=minute)) > moment:
                            return found
            day += timedelta(days=1)
        return None

    def _is_day(self, day: datetime) -> bool:
        if day.month not in self.months:
            return False
        by_date, by_weekday = day.day in self.days, day.isoweekday() in self.weekdays
        return by_date or by_weekday if self.either else by_date and by_weekday


def parse_cron(line: str) -> Cron:
    """Return a line parsed. Raises InvalidCron."""
    texts = line.lower().split()
    if len(texts) != len(FIELDS):
        names = ", ".join(field.name for field in FIELDS)
        raise InvalidCron(f"a cron line has five fields ({names}), and this one {len(texts)}")
    minutes, hours, days, months, weekdays = map(_values, FIELDS, texts)
    cron = Cron(
        sorted(minutes),
        sorted(hours),
        days,
        months,
        frozenset(day or 7 for day in weekdays),
        either=not texts[2].startswith("*") and not texts[4].startswith("*"),
    )
    if cron.after(datetime(2000, 1, 1)) is None:  # noqa: DTZ001 (a wall clock)
        raise InvalidCron("there is no such day")
    return cron


def _values(field: _Field, text: str) -> frozenset[int]:
    return frozenset(value for part in text.split(",") for value in _part(field, part))


def _part(field: _Field, text: str) -> range:
    found = _PART.fullmatch(text)
    if not found:
        raise InvalidCron(f"{field.name}: {text!r} can't be read")
    step = int(found["step"] or 1)
    if found["first"] == "*":
        first, last = field.lowest, field.highest
    else:
        first = _number(field, found["first"])
        last = first
        if found["last"]:
            last = _number(field, found["last"])
            if last == 0 < first and field.highest == 7:  # as the last day, Sunday is 7: fri-sun
                last = field.highest
        elif found["step"]:
            last = field.highest
    if (found["first"] == "*" and found["last"]) or first > last or step == 0:
        raise InvalidCron(f"{field.name}: {text!r} is no range")
    return range(first, last + 1, step)


def _number(field: _Field, text: str) -> int:
    number = field.names.get(text, int(text) if text.isdigit() else -1)
    if not field.lowest <= number <= field.highest:
        raise InvalidCron(f"{field.name}: {text!r} is not between {field.lowest} and {field.highest}")
    return number
