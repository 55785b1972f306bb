"""The calendar over HTTP: posts, runs and free slots by the days of a zone."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest

from common.catalog import Catalog

from .conftest import Api

TARGET, OTHER = "telegram:@planned", "telegram:@elsewhere"
BERLIN = "Europe/Berlin"


async def plan(api: Api, at: str, target: str = TARGET, post: UUID | None = None) -> dict[str, Any]:
    body = {
        "post_id": str(post or await api.post(f"A text of its own, {uuid4()}")),
        "target": target,
        "scheduled_time": at,
    }
    answer = await api.http.post("/scheduled-posts", json=body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def calendar(api: Api, since: str, until: str, **given: Any) -> dict[str, dict[str, Any]]:
    answer = await api.http.get("/calendar", params={"from": since, "until": until, "timezone": BERLIN, **given})
    assert answer.status_code == 200, answer.text
    return {day["date"]: day for day in answer.json()["days"]}


def times(day: dict[str, Any]) -> list[str]:
    return [each["at"] for each in day["posts"]]


async def rule(api: Api, **given: Any) -> dict[str, Any]:
    body = {
        "name": "morning",
        "schedule_type": "daily",
        "schedule_config": {"times": ["02:30", "09:00"], "timezone": BERLIN},
        "content_config": {"title": "Good morning"},
        "platforms": [TARGET],
    }
    answer = await api.http.post("/auto-posting/rules", json=body | given)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_the_days_are_those_of_the_zone_also_where_the_clocks_change(api: Api) -> None:
    for at in ("2099-03-28T22:59:59Z", "2099-03-28T23:00:00Z", "2099-03-29T21:59:59Z", "2099-03-29T22:00:00Z"):
        await plan(api, at)
    found = await calendar(api, "2099-03-28", "2099-03-31")
    assert [found[day]["count"] for day in ("2099-03-28", "2099-03-29", "2099-03-30")] == [1, 2, 1]
    day = found["2099-03-29"]
    assert (day["begins"], day["ends"]) == ("2099-03-28T23:00:00Z", "2099-03-29T22:00:00Z")
    assert times(day) == ["2099-03-28T23:00:00Z", "2099-03-29T21:59:59Z"]
    utc = await calendar(api, "2099-03-28", "2099-03-31", timezone="UTC")
    assert [utc[day]["count"] for day in utc] == [2, 2, 0]


async def test_a_post_says_what_it_is_and_what_changes_it(api: Api) -> None:
    post = await api.post("The original")
    await api.rewrite(post, "What is published")
    await api.http.patch(f"/posts/{post}", json={"text": "As a person wrote it", "title": "A headline"})
    planned = await plan(api, "2099-06-01T10:00:00Z", post=post)
    [shown] = (await calendar(api, "2099-06-01", "2099-06-02"))["2099-06-01"]["posts"]
    assert (shown["title"], shown["excerpt"]) == ("A headline", "As a person wrote it")
    assert (shown["state"], shown["platform"], shown["target"]) == ("planned", "telegram", TARGET)
    assert shown["scheduled"] == planned
    answer = await api.http.patch(
        f"/scheduled-posts/{planned['id']}",
        json={"scheduled_time": "2099-06-02T10:00:00Z"},
        headers={"If-Match": shown["etag"]},
    )
    assert answer.status_code == 200, answer.text
    stale = await api.http.patch(
        f"/scheduled-posts/{planned['id']}", json={"cut": True}, headers={"If-Match": shown["etag"]}
    )
    assert stale.status_code == 412
    found = await calendar(api, "2099-06-01", "2099-06-03")
    assert [found[day]["count"] for day in found] == [0, 1]


async def test_states_follow_from_what_became_of_a_post(api: Api) -> None:
    today = datetime.now(UTC).date()
    soon = (datetime.now(UTC) + timedelta(seconds=5)).isoformat()
    changes = {
        "due": "due_at = now() - interval '1 minute'",
        "missed": "due_at = now() - interval '6 minutes'",
        "publishing": "status = 'publishing'",
        "published": "status = 'published', url = 'https://t.me/planned/1'",
        "failed": "status = 'failed', last_error = 'no'",
        "planned": "due_at = now() + interval '1 hour', attempts = 1",
        "cancelled": "status = 'cancelled'",
    }
    for name, change in changes.items():
        planned = await plan(api, soon, f"telegram:@{name}")
        await api.database.execute(f"UPDATE scheduled_posts SET {change} WHERE id = $1", UUID(planned["id"]))
    found = await calendar(api, str(today - timedelta(1)), str(today + timedelta(3)))
    posts = [post for day in found.values() for post in day["posts"]]
    assert {post["target"].partition("@")[2]: post["state"] for post in posts} == {
        name: name for name in changes if name != "cancelled"
    }
    assert [post["url"] for post in posts if post["state"] == "published"] == ["https://t.me/planned/1"]


async def test_what_was_published_without_a_plan_stands_at_its_time(api: Api) -> None:
    post = await api.post("At once")
    await api.publication(post, "succeeded", TARGET)
    failed = await api.post("Not at all")
    await api.publication(failed, "failed", TARGET)
    await api.database.execute("UPDATE publications SET finished_at = '2026-05-05T12:00Z', url = 'https://t.me/a/1'")
    [shown] = (await calendar(api, "2026-05-05", "2026-05-06"))["2026-05-05"]["posts"]
    assert (shown["post_id"], shown["at"], shown["state"]) == (str(post), "2026-05-05T12:00:00Z", "published")
    assert (shown["scheduled"], shown["etag"], shown["url"]) == (None, None, "https://t.me/a/1")


async def test_of_a_full_day_the_first_posts_and_how_many_there_are(api: Api) -> None:
    for minute in range(5):
        await plan(api, f"2099-06-01T10:0{minute}:00Z")
    day = (await calendar(api, "2099-06-01", "2099-06-02", per_day=2))["2099-06-01"]
    assert (times(day), day["count"]) == (["2099-06-01T10:00:00Z", "2099-06-01T10:01:00Z"], 5)


async def test_only_some_targets(api: Api) -> None:
    await api.http.post("/destinations", json={"address": TARGET, "title": "The city"})
    await plan(api, "2099-06-01T10:00:00Z")
    await plan(api, "2099-06-01T11:00:00Z", OTHER)
    await rule(api)
    day = (await calendar(api, "2099-06-01", "2099-06-02", target=OTHER))["2099-06-01"]
    assert ([post["target"] for post in day["posts"]], day["count"], day["series"]) == ([OTHER], 1, [])
    day = (await calendar(api, "2099-06-01", "2099-06-02", target=[OTHER, TARGET]))["2099-06-01"]
    assert (day["count"], len(day["series"])) == (2, 1)
    answer = await api.http.get("/calendar", params={"from": "2099-06-01", "until": "2099-06-02"})
    assert answer.json()["targets"] == [{"target": OTHER, "title": ""}, {"target": TARGET, "title": "The city"}]


async def test_rules_and_free_slots_are_series_until_they_are_made(api: Api) -> None:
    profile = await Catalog(api.database).put_profile("news")
    made = await rule(api)
    await rule(api, name="off", is_active=False)
    slots = {"timezone": BERLIN, "times": {str(day): ["12:00", "18:00"] for day in range(1, 8)}}
    route = await api.http.post(
        "/routes",
        json={"name": "city", "profile_id": str(profile), "targets": [TARGET], "slots": slots},
    )
    assert route.status_code == 201, route.text
    on = spring()
    await plan(api, datetime.combine(on, datetime.min.time(), UTC).replace(hour=16).isoformat())  # 18:00 CEST
    found = (await calendar(api, str(on), str(on + timedelta(1))))[str(on)]
    assert [(each["kind"], each["id"], each["name"], each["times"], each["more"]) for each in found["series"]] == [
        ("rule", made["id"], "morning", [f"{on}T01:30:00Z", f"{on}T07:00:00Z"], False),  # 03:30, 09:00
        ("slots", route.json()["id"], "city", [f"{on}T10:00:00Z"], False),
    ]
    found = (await calendar(api, str(on), str(on + timedelta(1)), per_day=1))[str(on)]
    assert [(len(each["times"]), each["more"]) for each in found["series"]] == [(1, True), (1, False)]
    past = (await calendar(api, "2020-01-01", "2020-01-02"))["2020-01-01"]
    assert past["series"] == []


def spring() -> date:
    """The next day on which Berlin puts its clocks forward."""
    on = datetime.now(UTC).astimezone(ZoneInfo(BERLIN)).date() + timedelta(1)
    while on.month != 3 or on.isoweekday() != 7 or on.day < 25:
        on += timedelta(1)
    return on


@pytest.mark.parametrize(
    ("given", "parameter"),
    [
        ({"until": "2099-06-01"}, "until"),
        ({"until": "2099-05-01"}, "until"),
        ({"until": "2099-09-01"}, "until"),
        ({"from": "1900-01-01", "until": "1900-01-02"}, "until"),
        ({"from": "tomorrow"}, "from"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"per_day": 0}, "per_day"),
        ({"target": "fax"}, None),
    ],
)
async def test_what_can_not_be_shown_is_refused(api: Api, given: dict[str, Any], parameter: str | None) -> None:
    answer = await api.http.get("/calendar", params={"from": "2099-06-01", "until": "2099-06-02"} | given)
    assert answer.status_code == 422, answer.text
    if parameter:
        assert [each["parameter"] for each in answer.json()["errors"]] == [parameter]
