"""Slots: the times of the week, over both changes of the clocks; and who gets which."""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import ValidationError

from common.catalog import Catalog
from common.planning.going_out import GoingOut
from common.planning.scheduled import ScheduledPosts
from common.planning.slots import NoFreeSlot, Slots, SlotTaker, Taken
from common.postgres import Database
from common.posts import NewPost, Posts
from common.telegram.text import RichText

DAILY = [str(day) for day in range(1, 8)]
MONDAY = datetime(2030, 1, 7, tzinfo=UTC)
TARGET = "telegram:@planned"


def slots(*times: str, zone: str = "UTC", days: list[str] = DAILY, distance: int = 0) -> Slots:
    return Slots.model_validate(
        {"timezone": zone, "times": {day: list(times) for day in days}, "minimum_distance_minutes": distance}
    )


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def next_of(found: Slots, after: str, number: int) -> list[str]:
    return [f"{at:%m-%d %H:%M}" for at in islice(found.after(moment(after)), number)]


def test_times_of_the_week_in_their_zone() -> None:
    found = slots("18:00", "09:00", zone="Europe/Moscow", days=["1", "5"])
    assert next_of(found, "2030-01-07T06:00:00+00:00", 4) == [
        "01-07 15:00",
        "01-11 06:00",
        "01-11 15:00",
        "01-14 06:00",
    ]
    assert next_of(found, "2030-01-07T05:59:59+00:00", 1) == ["01-07 06:00"]


def test_a_time_that_the_clocks_skip_moves_forward() -> None:
    # Berlin, 31 March 2030: 02:00 CET becomes 03:00 CEST at 01:00 UTC, so 02:30 is 03:30 CEST.
    found = slots("02:30", zone="Europe/Berlin")
    assert next_of(found, "2030-03-30T00:00:00+00:00", 3) == ["03-30 01:30", "03-31 01:30", "04-01 00:30"]
    assert next_of(slots("02:30", "03:30", zone="Europe/Berlin"), "2030-03-31T00:00:00+00:00", 3) == [
        "03-31 01:30", "04-01 00:30", "04-01 01:30",
    ]  # fmt: skip


def test_a_time_that_comes_twice_is_one_slot_the_first() -> None:
    # Berlin, 27 October 2030: 03:00 CEST becomes 02:00 CET at 01:00 UTC, so 02:30 is at 00:30 and at 01:30 UTC.
    found = slots("02:30", zone="Europe/Berlin")
    assert next_of(found, "2030-10-26T12:00:00+00:00", 2) == ["10-27 00:30", "10-28 01:30"]
    assert next_of(found, "2030-10-27T00:31:00+00:00", 1) == ["10-28 01:30"]


def test_a_zone_that_changes_by_half_an_hour() -> None:
    # Lord Howe, 6 October 2030: 02:00 becomes 02:30 at 15:30 UTC the day before.
    assert next_of(slots("02:15", zone="Australia/Lord_Howe"), "2030-10-05T00:00:00+00:00", 1) == ["10-05 15:45"]


def test_the_day_is_that_of_the_zone() -> None:
    found = slots("00:30", zone="Pacific/Auckland", days=["1"])
    assert next_of(found, "2030-01-06T00:00:00+00:00", 1) == ["01-06 11:30"]  # Monday there, Sunday in UTC


@pytest.mark.parametrize("moments", [200])
def test_slots_are_in_order_and_never_twice(moments: int) -> None:
    for zone in ("Europe/Berlin", "America/Sao_Paulo", "Asia/Kathmandu", "Africa/Casablanca", "America/St_Johns"):
        found = list(
            islice(slots("00:00", "01:30", "02:30", "03:00", zone=zone).after(moment("2026-03-01T00:00Z")), moments)
        )
        assert found == sorted(set(found))


@pytest.mark.parametrize(
    "given", [{}, {"times": {"0": ["09:00"]}}, {"times": {"1": ["9:00"]}}, {"times": {"1": "09:00"}}]
)
def test_what_are_no_slots_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Slots.model_validate(given)


@pytest.fixture
async def posts(database: Database) -> list[UUID]:
    source = await Catalog(database).put_source("import", "tests")
    new = [NewPost(source, str(number), RichText(text=f"post {number}")) for number in range(30)]
    return [each.post_id for each in await Posts(database).add(new)]


async def take(
    database: Database, found: Slots, post: UUID, target: str = TARGET, rewrite: UUID | None = None
) -> Taken:
    taker = SlotTaker(database)
    return await taker.take(found, target, post_id=post, rewrite_id=rewrite, route_id=uuid4(), by="tests", now=MONDAY)


async def test_each_post_takes_the_next_free_slot(database: Database, posts: list[UUID]) -> None:
    found = slots("09:00", "18:00")
    times = [(await take(database, found, post)).at for post in posts[:3]]
    assert [f"{at:%d %H}" for at in times] == ["07 09", "07 18", "08 09"]
    assert (await take(database, found, posts[0], "telegram:@other")).at == times[0]  # each target has its own


async def test_replicas_never_take_the_same_slot(database: Database, posts: list[UUID]) -> None:
    found = slots("09:00", "18:00")
    times = [taken.at for taken in await asyncio.gather(*(take(database, found, post) for post in posts))]
    assert sorted(times) == list(islice(found.after(MONDAY), len(posts)))


async def test_the_distance_holds_between_routes_and_plans_of_people(database: Database, posts: list[UUID]) -> None:
    await database.execute(
        "INSERT INTO scheduled_posts (post_id, platform, target, scheduled_time, due_at, created_by)"
        " VALUES ($1, 'telegram', $2, $3, $3, 'a person')",
        posts[0], TARGET, MONDAY + timedelta(hours=9, minutes=20),
    )  # fmt: skip
    first, second = slots("09:00", "10:00", distance=30), slots("09:15", "10:15", "10:45", distance=30)
    taken = await asyncio.gather(*(take(database, [first, second][n % 2], posts[n + 1]) for n in range(12)))
    times = sorted([MONDAY + timedelta(hours=9, minutes=20), *(each.at for each in taken)])
    assert min(b - a for a, b in pairwise(times)) >= timedelta(minutes=30)


async def test_a_repeat_keeps_its_slot_and_takes_the_newer_rewrite(database: Database, posts: list[UUID]) -> None:
    older, newer = uuid4(), uuid4()
    for rewrite, at in ((older, "2030-01-01Z"), (newer, "2030-01-02Z")):
        await database.execute(
            "INSERT INTO rewrites (id, post_id, status, model, request, answer, prompt_tokens, completion_tokens,"
            " cost_usd, duration_ms, created_at) VALUES ($1, $2, 'succeeded', 'm', '{}', '{}', 0, 0, 0, 0, $3)",
            rewrite, posts[0], moment(at.replace("Z", "T00:00+00:00")),
        )  # fmt: skip
    found = slots("09:00")
    first = await take(database, found, posts[0], rewrite=older)
    for rewrite in (newer, older):  # the older one is heard of again
        assert await take(database, found, posts[0], rewrite=rewrite) == first
        assert (await ScheduledPosts(database).get(first.scheduled_id))["rewrite_id"] == newer


async def test_a_slot_is_free_again_when_its_post_is_called_off_or_moved(database: Database, posts: list[UUID]) -> None:
    found, scheduled = slots("09:00"), ScheduledPosts(database, now=lambda: MONDAY)
    first = await take(database, found, posts[0])
    await scheduled.cancel(first.scheduled_id, "tests")
    second = await take(database, found, posts[1])
    assert second.at == first.at
    await scheduled.change(second.scheduled_id, scheduled_time=MONDAY + timedelta(hours=1))
    assert (await take(database, found, posts[2])).at == first.at


async def test_no_slot_within_a_year_holds_the_post(database: Database, posts: list[UUID]) -> None:
    found = slots("09:00", days=["1"], distance=7 * 24 * 60)
    await database.execute(
        "INSERT INTO scheduled_posts (post_id, platform, target, scheduled_time, due_at, created_by, status)"
        " SELECT $1, 'telegram', $2, t, t, 'tests', 'published'"
        " FROM generate_series($3::timestamptz, $3 + interval '400 days', interval '1 day') AS t",
        posts[0], TARGET, MONDAY,
    )  # fmt: skip
    with pytest.raises(NoFreeSlot):
        await take(database, found, posts[1])
    profile = await Catalog(database).put_profile("p")
    route_id = await Catalog(database).put_route("r", profile_id=profile, targets=[TARGET], slots=found.model_dump())
    route = await Catalog(database).route(route_id)
    goes_out = await GoingOut(database, now=lambda: MONDAY)(route, posts[1], uuid4(), [TARGET], "tests")
    assert (goes_out.decision, goes_out.reason) == ("hold", f"no slot of {TARGET} is free within a year")
    assert goes_out.requests == ()
