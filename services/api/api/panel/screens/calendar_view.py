"""The calendar as it is drawn: which days, in which rows and cells, by a person's clock on the wall."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Literal, TypeAlias
from zoneinfo import ZoneInfo

from babel.dates import format_date

from api.panel.viewer import Viewer
from api.resources.calendar import CalendarDay, CalendarPost, CalendarSeries
from common.planning.wall_clock import Day, Hour, hour_of, hours, wall_time

View: TypeAlias = Literal["month", "week", "day", "list"]
VIEWS: tuple[View, ...] = ("month", "week", "day", "list")
LISTED_DAYS = 28
LINES_IN_A_MONTH = 4  # of a day; what is beyond that is counted
PER_DAY = {"month": LINES_IN_A_MONTH, "week": 60, "day": 200, "list": 50}
NIGHT_ENDS = 7  # the hours before it are drawn low, unless something is in them
FIRST, LAST = date(1970, 2, 1), date(2198, 12, 1)


@dataclass(frozen=True, slots=True)
class Span:
    """The days that are shown: those from `first` until `until`, around `day`."""

    view: View
    day: date
    first: date
    until: date
    previous: date
    next: date


@dataclass(frozen=True, slots=True)
class Item:
    """What stands at a time: a post, or what is to come of a series, `times` of it from then on."""

    at: datetime
    post: CalendarPost | None = None
    series: CalendarSeries | None = None
    times: int = 1
    more: bool = False


@dataclass(slots=True)
class Cell:
    """An hour of a day; one that the clock does not show on that day exists no more than what could be in it."""

    exists: bool
    items: list[Item] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Row:
    """An hour over all days that are shown; `zone` is the name of its offset where the hour comes twice."""

    hour: Hour
    zone: str
    is_low: bool


def span(view: str, day: date) -> Span:
    """Return what a view around a day shows."""
    day = min(max(day, FIRST), LAST)
    match view:
        case "week":
            first = _monday(day)
            return Span("week", day, first, first + timedelta(7), day - timedelta(7), day + timedelta(7))
        case "day":
            return Span("day", day, day, day + timedelta(1), day - timedelta(1), day + timedelta(1))
        case "list":
            reach = timedelta(LISTED_DAYS)
            return Span("list", day, day, day + reach, day - reach, day + reach)
        case _:
            month = day.replace(day=1)
            following = (month + timedelta(31)).replace(day=1)
            last = _monday(following - timedelta(1)) + timedelta(7)
            return Span("month", day, _monday(month), last, (month - timedelta(1)).replace(day=1), following)


def named(shown: Span, language: str) -> str:
    """Return what the days are called."""
    match shown.view:
        case "month":
            said = format_date(shown.day, "LLLL y", locale=language)
            return said[:1].upper() + said[1:]
        case "day":
            return format_date(shown.day, "d MMMM y", locale=language)
        case _:
            last = shown.until - timedelta(1)
            until = format_date(last, "d MMMM y", locale=language)
            if (shown.first.year, shown.first.month) == (last.year, last.month):
                return f"{shown.first.day}–{until}"
            pattern = "d MMMM" if shown.first.year == last.year else "d MMMM y"
            return f"{format_date(shown.first, pattern, locale=language)} – {until}"


def in_order(day: CalendarDay) -> list[Item]:
    """Return what a day has in the order of time; each series once, at its next time."""
    found = [Item(post.at, post=post) for post in day.posts]
    found += [Item(each.times[0], series=each, times=len(each.times), more=each.more) for each in day.series]
    return sorted(found, key=lambda item: item.at)


def lines(day: CalendarDay) -> tuple[list[Item], int]:
    """Return what a month has room for on a day, and how many more there are. A person's posts go before series."""
    posts = [Item(post.at, post=post) for post in day.posts]
    coming = [item for item in in_order(day) if item.series]
    room = LINES_IN_A_MONTH - len(posts)
    return sorted(posts + coming[:room], key=lambda item: item.at), day.count - len(posts) + len(coming[room:])


def grid(shown: Sequence[CalendarDay], viewer: Viewer) -> tuple[list[Row], list[list[Cell]]]:
    """Return the rows of hours, and for each day its cells in these rows."""
    whole = [Day(day.date, day.begins, day.ends) for day in shown]
    of_days = [list(hours(day, viewer.zone)) for day in whole]
    keys = _joined(of_days)
    columns = [{hour: Cell(hour in own) for hour in keys} for own in of_days]
    for day, column in zip(shown, columns, strict=True):
        for item in _by_hour(day, viewer.zone):
            column[hour_of(item.at, viewer.zone)].items.append(item)
    twice = {hour.hour for hour in keys if hour.fold}
    rows = [
        Row(
            hour,
            _offset_name(whole, hour, viewer.zone) if hour.hour in twice else "",
            hour.hour < NIGHT_ENDS and not any(column[hour].items for column in columns),
        )
        for hour in keys
    ]
    return rows, [[column[hour] for hour in keys] for column in columns]


def weekday(language: str, day: date, width: Literal["short", "wide"]) -> str:
    """Return the name of a day of the week."""
    return format_date(day, "EEE" if width == "short" else "EEEE", locale=language)


def month(language: str, day: date) -> str:
    """Return the name of a month, as it stands after the number of a day."""
    return format_date(day, "d MMMM", locale=language).partition(" ")[2]


def as_view(given: str) -> View:
    """Return the view of this name, or the month."""
    return next((view for view in VIEWS if view == given), "month")


def _by_hour(day: CalendarDay, zone: ZoneInfo) -> Iterator[Item]:
    found = [Item(post.at, post=post) for post in day.posts]
    for each in day.series:
        by_hour: dict[Hour, list[datetime]] = {}
        for at in each.times:
            by_hour.setdefault(hour_of(at, zone), []).append(at)
        last = hour_of(each.times[-1], zone)
        found += [Item(ats[0], None, each, len(ats), each.more and hour == last) for hour, ats in by_hour.items()]
    yield from sorted(found, key=lambda item: item.at)


def _joined(of_days: Iterable[Sequence[Hour]]) -> list[Hour]:
    """Return all hours in the order of the day that has most of them."""
    ordered = sorted(of_days, key=len, reverse=True)
    found = list(ordered[0])
    for own in ordered[1:]:
        for hour in own:
            if hour not in found:
                found.insert(next((n for n, each in enumerate(found) if each > hour), len(found)), hour)
    return found


def _offset_name(days: Sequence[Day], hour: Hour, zone: ZoneInfo) -> str:
    """Return how the offset is called in that hour of the day that has it twice."""
    for day in days:
        if Hour(hour.hour, 1) in hours(day, zone):
            found = wall_time(day.date, time(hour.hour, 59), zone, hour.fold)
            return found.at.astimezone(zone).tzname() or ""
    return ""


def _monday(day: date) -> date:
    return day - timedelta(day.weekday())
