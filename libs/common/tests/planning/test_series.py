"""What is still to come, day by day."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from time import perf_counter
from zoneinfo import ZoneInfo

from common.planning.recurrence import occurrences
from common.planning.schedules import Schedule, read_schedule
from common.planning.series import Coming, free_slots, runs
from common.planning.slots import Slots
from common.planning.wall_clock import Day, days

BERLIN = ZoneInfo("Europe/Berlin")
SPRING = days(date(2027, 3, 27), date(2027, 3, 30), BERLIN)
BEFORE = datetime(2027, 1, 1, tzinfo=UTC)


def clocks(found: Sequence[Coming]) -> list[list[str]]:
    return [[f"{at.astimezone(BERLIN):%H:%M}" for at in each.times] for each in found]


def daily(*times: str) -> Schedule:
    return read_schedule("daily", {"times": times, "timezone": "Europe/Berlin"})


def test_runs_keep_their_time_on_the_wall_over_a_change_of_the_clocks() -> None:
    assert clocks(runs(daily("02:30", "09:00"), "a", SPRING, BEFORE, 5)) == [
        ["02:30", "09:00"], ["03:30", "09:00"], ["02:30", "09:00"],
    ]  # fmt: skip


def test_a_run_at_the_first_instant_of_a_day_is_of_that_day() -> None:
    assert clocks(runs(daily("00:00"), "a", SPRING, BEFORE, 5)) == [["00:00"]] * 3


def test_only_what_is_to_come() -> None:
    now = SPRING[1].begins + timedelta(hours=8)  # 09:00 on the day of 23 hours
    assert clocks(runs(daily("08:00", "09:00", "10:00"), "a", SPRING, now, 5)) == [
        [], ["10:00"], ["08:00", "09:00", "10:00"],
    ]  # fmt: skip
    assert runs(daily("08:00"), "a", SPRING, SPRING[-1].ends, 5) == [Coming(())] * 3


def test_of_many_runs_the_first_of_each_day_and_that_there_are_more() -> None:
    found = runs(read_schedule("interval", {"every_minutes": 60}), "a", SPRING, BEFORE, 3)
    assert clocks(found) == [["00:00", "01:00", "02:00"], ["00:00", "01:00", "03:00"], ["00:00", "01:00", "02:00"]]
    assert all(each.more for each in found)
    once = read_schedule("once", {"at": "2027-03-28T12:00:00Z"})
    assert clocks(runs(once, "a", SPRING, BEFORE, 1)) == [[], ["14:00"], []]
    assert not any(each.more for each in runs(once, "a", SPRING, BEFORE, 1))


def test_they_are_those_of_the_schedule() -> None:
    schedule = read_schedule("cron", {"expression": "*/20 1-3 * * *", "timezone": "Europe/Berlin", "jitter": 600})
    found = [at for each in runs(schedule, "a", SPRING, BEFORE, 100) for at in each.times]
    expected = []
    for at in occurrences(schedule, SPRING[0].begins - timedelta(microseconds=1), "a"):
        if at >= SPRING[-1].ends:
            break
        expected.append(at)
    assert found == expected


def test_free_slots_leave_out_those_that_are_taken() -> None:
    slots = Slots.model_validate(
        {
            "timezone": "Europe/Berlin",
            "times": {"6": ["09:00"], "7": ["02:30", "12:00"]},
            "minimum_distance_minutes": 60,
        }
    )
    taken = [SPRING[1].begins + timedelta(hours=10, minutes=30)]  # 11:30
    assert clocks(free_slots(slots, taken, SPRING, BEFORE, 5)) == [["09:00"], ["03:30"], []]


def test_a_rule_of_every_minute_costs_a_month_little() -> None:
    month: list[Day] = days(date(2027, 3, 1), date(2027, 4, 12), BERLIN)
    for kind, config in (("interval", {"every_minutes": 1}), ("cron", {"expression": "* * * * *"})):
        begun = perf_counter()
        found = runs(read_schedule(kind, config), "a", month, BEFORE, 3)
        assert perf_counter() - begun < 1
        assert all(each.more for each in found)
