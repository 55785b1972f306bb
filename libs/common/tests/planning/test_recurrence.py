"""The times of schedules: every kind, in many zones, over both changes of the clocks."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from common.planning.recurrence import following, latest, occurrences, preview
from common.planning.schedules import Once, Schedule, read_schedule

ZONES = (
    "UTC", "Europe/Moscow", "America/New_York", "Australia/Lord_Howe", "Europe/London", "America/St_Johns",
    "Asia/Kathmandu", "Pacific/Kiritimati", "Pacific/Apia", "Africa/Casablanca", "America/Santiago", "Asia/Beirut",
    "Pacific/Chatham", "Antarctica/Troll", "Europe/Dublin",
)  # fmt: skip
SEED = "7e9f0a4e"


def utc(text: str) -> datetime:
    """A time in UTC; one without a zone is in UTC already."""
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def shown(moments: list[datetime], zone: str) -> list[str]:
    """Times as a clock in a zone shows them."""
    return [moment.astimezone(ZoneInfo(zone)).strftime("%m-%d %H:%M%z") for moment in moments]


def daily(zone: str, *times: str) -> Schedule:
    return read_schedule("daily", {"times": times, "timezone": zone})


clocks = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.integers(0, 59))
times = st.lists(clocks, min_size=1, max_size=4)
jitters = st.sampled_from([0, 0, 30, 900, 7200, 86400])
moments = st.datetimes(datetime(2005, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
clocked = st.one_of(
    st.tuples(
        st.just("daily"),
        st.fixed_dictionaries({"times": times, "timezone": st.sampled_from(ZONES), "jitter_seconds": jitters}),
    ),
    st.tuples(
        st.just("weekly"),
        st.fixed_dictionaries(
            {
                "times": times,
                "days_of_week": st.lists(st.integers(1, 7), min_size=1, max_size=3),
                "timezone": st.sampled_from(ZONES),
                "jitter_seconds": jitters,
            }
        ),
    ),
    st.tuples(
        st.just("cron"),
        st.fixed_dictionaries(
            {
                "expression": st.sampled_from(
                    [
                        "* * * * *",
                        "*/20 * * * *",
                        "30 2 * * *",
                        "15 1-3 * * sun",
                        "0 0 1 * *",
                        "5 12 13 * fri",
                        "0 3 29 2 *",
                    ]
                ),
                "timezone": st.sampled_from(ZONES),
                "jitter_seconds": jitters,
            }
        ),
    ),
)
schedules = st.one_of(
    clocked,
    st.tuples(
        st.just("interval"),
        st.fixed_dictionaries({"every_minutes": st.integers(1, 5000), "from": moments, "jitter_seconds": jitters}),
    ),
)


@given(schedules, moments)
def test_times_are_later_rise_and_are_previewed_as_they_come(given_: tuple[str, dict], after: datetime) -> None:
    schedule = read_schedule(*given_)
    expected, moment = [], after
    for _ in range(6):
        found = following(schedule, moment, SEED)
        assert found is not None
        assert found > moment
        assert found.utcoffset() == timedelta(0)
        expected.append(found)
        moment = found
    assert preview(schedule, after, SEED, 6) == expected


@given(schedules, moments, st.integers(0, 10**6))
def test_it_does_not_matter_from_where_one_looks(given_: tuple[str, dict], after: datetime, seconds: int) -> None:
    """Whatever is asked in between, the times are the same: nobody sees a time that others don't."""
    schedule = read_schedule(*given_)
    first = following(schedule, after, SEED)
    assert first
    between = after + (first - after) * (seconds / 10**6)
    if between < first:
        assert following(schedule, between, SEED) == first


@given(clocked, moments)
def test_a_time_is_on_the_clock_unless_it_was_moved(given_: tuple[str, dict], after: datetime) -> None:
    """Without jitter every run is at a wanted time of the wall clock, the first one of two; or just behind a gap."""
    schedule = read_schedule(given_[0], given_[1] | {"jitter_seconds": 0})
    zone = ZoneInfo(schedule.timezone)  # type: ignore[union-attr]
    for moment in preview(schedule, after, SEED, 4):
        wall = moment.astimezone(zone).replace(tzinfo=None)
        minute = timedelta(microseconds=1)
        if schedule.wall_after(wall - minute) == wall:  # type: ignore[union-attr]
            assert moment.astimezone(zone).fold == 0
            continue
        before = (moment - timedelta(hours=25)).astimezone(zone).utcoffset()
        now = moment.astimezone(zone).utcoffset()
        assert before is not None
        assert now is not None
        moved = wall - (now - before)
        assert now > before, f"{wall} is not wanted, and the clocks were not put forward"
        assert schedule.wall_after(moved - minute) == moved  # type: ignore[union-attr]


@given(st.sampled_from(ZONES), clocks, st.integers(2000, 2036))
def test_a_daily_time_runs_once_a_day(zone: str, clock: str, year: int) -> None:
    """But for the day that Samoa left out, and a day whose time was moved into the next."""
    start, end = utc(f"{year}-01-10"), utc(f"{year}-12-20")
    runs = []
    for moment in occurrences(daily(zone, clock), start, SEED):
        if moment > end:
            break
        runs.append(moment)
    assert all(timedelta(hours=21) <= b - a <= timedelta(hours=27) for a, b in pairwise(runs))
    dates = [moment.astimezone(ZoneInfo(zone)).date() for moment in runs]
    assert len(dates) == len(set(dates))


@settings(deadline=None)  # a slow moment of the machine is no error
@given(schedules, moments, st.floats(0, 400))
def test_of_missed_runs_the_latest_is_made_up(given_: tuple[str, dict], after: datetime, hours: float) -> None:
    schedule = read_schedule(*given_)
    first = following(schedule, after, SEED)
    assert first
    now = first + timedelta(hours=hours)
    found = latest(schedule, first, now, SEED)
    assert first <= found <= now
    then = following(schedule, found, SEED)
    assert then
    assert then > now
    assert found == first or found in set(preview(schedule, found - timedelta(seconds=1), SEED, 1))


def test_a_time_that_does_not_exist_moves_forward() -> None:
    schedule = daily("America/New_York", "02:30")
    runs = shown(preview(schedule, utc("2026-03-07T12:00"), SEED, 2), "America/New_York")
    assert runs == ["03-08 03:30-0400", "03-09 02:30-0400"]


def test_a_time_that_occurs_twice_runs_once_the_first_time() -> None:
    schedule = daily("America/New_York", "01:30")
    runs = shown(preview(schedule, utc("2026-10-31T12:00"), SEED, 2), "America/New_York")
    assert runs == ["11-01 01:30-0400", "11-02 01:30-0500"]
    after_the_first = following(schedule, utc("2026-11-01T01:30-04:00"), SEED)
    assert shown([after_the_first], "America/New_York") == ["11-02 01:30-0500"]  # type: ignore[list-item]


def test_half_an_hour_at_lord_howe() -> None:
    gap = daily("Australia/Lord_Howe", "02:15", "02:40")
    runs = shown(preview(gap, utc("2026-10-03T12:00+11:00"), SEED, 3), "Australia/Lord_Howe")
    assert runs == ["10-04 02:40+1100", "10-04 02:45+1100", "10-05 02:15+1100"]
    fold = daily("Australia/Lord_Howe", "01:45")
    runs = shown(preview(fold, utc("2026-04-04T12:00+11:00"), SEED, 2), "Australia/Lord_Howe")
    assert runs == ["04-05 01:45+1100", "04-06 01:45+1030"]


def test_moscow_and_utc_know_no_change() -> None:
    for zone, expected in (("Europe/Moscow", "02:30+0300"), ("UTC", "02:30+0000")):
        runs = shown(preview(daily(zone, "02:30"), utc("2026-03-27"), SEED, 4), zone)
        assert [run[6:] for run in runs] == [expected] * 4


def test_times_that_a_gap_makes_equal_are_one_run() -> None:
    runs = shown(preview(daily("Europe/London", "01:30", "02:30"), utc("2026-03-28T12:00"), SEED, 3), "Europe/London")
    assert runs == ["03-29 02:30+0100", "03-30 01:30+0100", "03-30 02:30+0100"]


def test_the_day_that_samoa_left_out() -> None:
    runs = shown(preview(daily("Pacific/Apia", "12:00"), utc("2011-12-29T00:00-10:00"), SEED, 3), "Pacific/Apia")
    assert runs == ["12-29 12:00-1000", "12-31 12:00+1400", "01-01 12:00+1400"]


def test_a_week() -> None:
    schedule = read_schedule(
        "weekly", {"times": ["18:00", "09:00"], "days_of_week": [7, 1], "timezone": "Europe/Moscow"}
    )
    runs = shown(preview(schedule, utc("2026-11-23T09:00+03:00"), SEED, 4), "Europe/Moscow")
    assert runs == ["11-23 18:00+0300", "11-29 09:00+0300", "11-29 18:00+0300", "11-30 09:00+0300"]


def test_an_interval_is_counted_from_its_beginning() -> None:
    schedule = read_schedule("interval", {"every_minutes": 90, "from": "2026-01-01T00:10:00+03:00"})
    runs = preview(schedule, utc("2025-01-01"), SEED, 3)
    assert runs == [utc("2025-12-31T21:10"), utc("2025-12-31T22:40"), utc("2026-01-01T00:10")]
    assert following(schedule, utc("2026-01-01T00:10"), SEED) == utc("2026-01-01T01:40")


def test_once() -> None:
    schedule = Once(at=utc("2026-05-01T10:00"))
    assert preview(schedule, utc("2026-01-01"), SEED) == [utc("2026-05-01T10:00")]
    assert following(schedule, utc("2026-05-01T10:00"), SEED) is None


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("5 12 * * *", ["11-23 12:05", "11-24 12:05"]),
        ("0 9 * * 1", ["11-23 09:00", "11-30 09:00"]),
        ("0 9 * * 0", ["11-29 09:00", "12-06 09:00"]),
        ("0 9 * * 7", ["11-29 09:00", "12-06 09:00"]),
        ("0 9 * * SAT,sun", ["11-28 09:00", "11-29 09:00"]),
        ("0 9 1 * mon", ["11-23 09:00", "11-30 09:00"]),
        ("0 9 */2 * mon", ["11-23 09:00", "12-07 09:00"]),
        ("0 0 29 feb *", ["02-29 00:00", "02-29 00:00"]),
        ("10/25 23 * * *", ["11-23 23:10", "11-23 23:35"]),
        ("0-10/5 6 23 11 *", ["11-23 06:00", "11-23 06:05"]),
    ],
)
def test_cron_lines(line: str, expected: list[str]) -> None:
    runs = preview(read_schedule("cron", {"expression": line}), utc("2026-11-23T00:00"), SEED, 2)
    assert [run[:11] for run in shown(runs, "UTC")] == expected


def test_jitter_is_the_same_each_time_and_another_for_each_rule_and_day() -> None:
    config = {"times": ["12:00"], "jitter": 600}
    schedule = read_schedule("daily", config)
    runs = preview(schedule, utc("2026-01-01"), "one")
    assert runs == preview(read_schedule("daily", config), utc("2026-01-01"), "one")
    delays = {run - run.replace(hour=12, minute=0, second=0) for run in runs}
    assert len(delays) > 5
    assert all(timedelta(0) <= delay <= timedelta(seconds=600) for delay in delays)
    assert runs != preview(schedule, utc("2026-01-01"), "another")


@pytest.mark.parametrize(
    ("kind", "config", "said"),
    [
        ("daily", {"times": ["24:00"]}, "pattern"),
        ("daily", {"times": []}, "at least 1 item"),
        ("daily", {"times": ["12:00"], "timezone": "Mars/Olympus"}, "there is no time zone 'Mars/Olympus'"),
        ("daily", {"times": ["12:00"], "timezone": "../../etc/passwd"}, "there is no time zone"),
        ("daily", {"times": ["12:00"], "days_of_week": [1]}, "not permitted"),
        ("weekly", {"times": ["12:00"], "days_of_week": [0]}, "greater than or equal to 1"),
        ("interval", {"every_minutes": 0}, "greater than or equal to 1"),
        ("once", {"at": "2026-01-01T10:00"}, "timezone"),
        ("once", {"at": "9999-01-01T10:00Z"}, "between 1970 and 2200"),
        ("cron", {"expression": "* * * *"}, "five fields"),
        ("cron", {"expression": "60 * * * *"}, "minute: '60' is not between 0 and 59"),
        ("cron", {"expression": "0 0 30 2 *"}, "there is no such day"),
        ("cron", {"expression": "*/0 * * * *"}, "is no range"),
        ("cron", {"expression": "5-1 * * * *"}, "is no range"),
        ("cron", {"expression": "*-5 * * * *"}, "is no range"),
        ("cron", {"expression": "x * * * *"}, "'x' is not between"),
        ("cron", {"expression": "1,,2 * * * *"}, "can't be read"),
    ],
)
def test_what_is_no_schedule_is_said_clearly(kind: str, config: dict, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        read_schedule(kind, config)
