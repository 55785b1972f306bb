"""Days, hours and times on the wall, over both changes of the clocks."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.planning.wall_clock import Hour, days, hour_of, hours, moved, wall_time

BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
ZONES = (
    "UTC", "Europe/Berlin", "America/New_York", "Europe/Moscow", "Australia/Lord_Howe", "Asia/Kathmandu",
    "Pacific/Apia", "America/Santiago", "America/Havana", "Asia/Beirut", "Pacific/Chatham", "Antarctica/Troll",
    "Africa/Casablanca",
)  # fmt: skip
zones = st.sampled_from(ZONES).map(ZoneInfo)
dates = st.dates(date(2009, 1, 1), date(2037, 12, 30))
clocks = st.builds(time, st.integers(0, 23), st.integers(0, 59))
instants = st.datetimes(datetime(2009, 1, 2), datetime(2037, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("zone", "on", "length", "shown"),
    [
        (BERLIN, date(2027, 3, 28), 23, {Hour(2, 0): 0, Hour(3, 0): 1}),
        (BERLIN, date(2027, 10, 31), 25, {Hour(2, 0): 1, Hour(2, 1): 1, Hour(3, 0): 1}),
        (NEW_YORK, date(2027, 3, 14), 23, {Hour(2, 0): 0}),
        (NEW_YORK, date(2027, 11, 7), 25, {Hour(1, 0): 1, Hour(1, 1): 1}),
        (ZoneInfo("Australia/Lord_Howe"), date(2027, 4, 4), 24.5, {Hour(1, 0): 1, Hour(1, 1): 1}),
        (ZoneInfo("America/Santiago"), date(2027, 9, 5), 23, {Hour(0, 0): 0, Hour(1, 0): 1}),
        (ZoneInfo("Pacific/Apia"), date(2011, 12, 30), 0, {}),
        (BERLIN, date(2027, 3, 29), 24, {Hour(2, 0): 1}),
    ],
)
def test_a_day_has_the_hours_that_its_clock_shows(
    zone: ZoneInfo, on: date, length: float, shown: dict[Hour, int]
) -> None:
    [day] = days(on, on + timedelta(1), zone)
    assert day.length == timedelta(hours=length)
    found = list(hours(day, zone))
    assert {each: found.count(each) for each in shown} == shown
    if length == int(length):
        assert len(found) == length


def test_the_repeated_hour_follows_the_first_one() -> None:
    [day] = days(date(2027, 10, 31), date(2027, 11, 1), BERLIN)
    assert list(hours(day, BERLIN))[:5] == [Hour(0, 0), Hour(1, 0), Hour(2, 0), Hour(2, 1), Hour(3, 0)]


@pytest.mark.parametrize(
    ("zone", "at", "fold", "meant", "shown"),
    [
        (BERLIN, "2027-03-28T02:30", 0, "2027-03-28T01:30Z", "never"),  # 03:30 CEST
        (BERLIN, "2027-03-28T02:30", 1, "2027-03-28T01:30Z", "never"),
        (BERLIN, "2027-03-28T03:00", 0, "2027-03-28T01:00Z", "once"),
        (BERLIN, "2027-10-31T02:30", 0, "2027-10-31T00:30Z", "twice"),
        (BERLIN, "2027-10-31T02:30", 1, "2027-10-31T01:30Z", "twice"),
        (BERLIN, "2027-10-31T03:00", 1, "2027-10-31T02:00Z", "once"),
        (NEW_YORK, "2027-03-14T02:30", 0, "2027-03-14T07:30Z", "never"),
        (NEW_YORK, "2027-11-07T01:30", 1, "2027-11-07T06:30Z", "twice"),
    ],
)
def test_a_time_that_is_missing_or_comes_twice(zone: ZoneInfo, at: str, fold: int, meant: str, shown: str) -> None:
    given_time = datetime.fromisoformat(at)
    found = wall_time(given_time.date(), given_time.time(), zone, fold)
    assert (found.at, found.shown) == (datetime.fromisoformat(meant), shown)


def test_moving_over_a_change_of_the_clocks_keeps_the_time_on_the_wall() -> None:
    friday = datetime(2027, 3, 26, 8, tzinfo=UTC)  # 09:00 CET
    found = moved(friday, date(2027, 3, 29), BERLIN)
    assert (found.at, found.shown) == (datetime(2027, 3, 29, 7, tzinfo=UTC), "once")  # 09:00 CEST
    assert moved(found.at, date(2027, 3, 26), BERLIN).at == friday
    sunday = moved(datetime(2027, 3, 27, 1, 30, tzinfo=UTC), date(2027, 3, 28), BERLIN)  # 02:30, which there is not
    assert (sunday.at.astimezone(BERLIN).time(), sunday.shown) == (time(3, 30), "never")


@given(zones, dates)
def test_days_follow_one_another_and_hours_cover_them(zone: ZoneInfo, first: date) -> None:
    found = days(first, first + timedelta(3), zone)
    assert [each.date for each in found] == [first + timedelta(n) for n in range(3)]
    assert all(one.ends == other.begins for one, other in pairwise(found))
    for each in found:
        assert timedelta(0) <= each.length <= timedelta(hours=26)
        if each.length:
            assert each.begins.astimezone(zone).date() == each.date
            assert (each.ends - timedelta(microseconds=1)).astimezone(zone).date() == each.date


@given(zones, instants)
def test_every_instant_is_in_an_hour_of_its_day_and_is_found_again(zone: ZoneInfo, instant: datetime) -> None:
    local = instant.astimezone(zone)
    [day] = days(local.date(), local.date() + timedelta(1), zone)
    assert day.begins <= instant < day.ends
    assert hour_of(instant, zone) in hours(day, zone)
    assert wall_time(local.date(), local.time(), zone, local.fold).at == instant


@given(zones, dates, clocks)
def test_a_time_that_is_shown_is_kept_and_another_moves_forward(zone: ZoneInfo, on: date, clock: time) -> None:
    found = wall_time(on, clock, zone)
    local = found.at.astimezone(zone).replace(tzinfo=None)
    wanted = datetime.combine(on, clock)
    assert local > wanted if found.shown == "never" else local == wanted


@given(zones, instants, dates)
def test_what_is_moved_away_comes_back(zone: ZoneInfo, instant: datetime, on: date) -> None:
    there = moved(instant, on, zone)
    back = moved(there.at, instant.astimezone(zone).date(), zone)
    if there.shown == "once" == back.shown:
        assert back.at == instant
