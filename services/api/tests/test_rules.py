"""Auto-posting rules over HTTP."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from common.catalog import Catalog

from .conftest import Api

DAILY: dict[str, Any] = {
    "name": "greeting",
    "schedule_type": "daily",
    "schedule_config": {"times": ["12:05"], "timezone": "Europe/Moscow", "jitter": 30},
    "content_config": {"title": "Good morning", "description": "Wish everybody a good day"},
    "platforms": ["telegram:@city"],
}


async def create(api: Api, **given: Any) -> dict[str, Any]:
    answer = await api.http.post("/auto-posting/rules", json=DAILY | given)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_a_rule_from_its_beginning_to_its_end(api: Api) -> None:
    answer = await api.http.post("/auto-posting/rules", json=DAILY)
    rule = answer.json()
    path = f"/auto-posting/rules/{rule['id']}"
    assert (answer.status_code, answer.headers["location"]) == (201, f"/api/v1{path}")
    assert rule["schedule_config"] == {"times": ["12:05"], "timezone": "Europe/Moscow", "jitter_seconds": 30}
    assert rule["content_config"]["profile"] is None
    upcoming = datetime.fromisoformat(rule["next_execution_at"])
    assert (upcoming.hour, upcoming.minute) == (9, 5)
    assert rule["statistics"]["executions"] == 0
    assert (await api.http.get(path)).headers["etag"] == answer.headers["etag"]

    times = (await api.http.get(f"{path}/preview")).json()["times"]
    assert (len(times), times[0]) == (10, rule["next_execution_at"])

    for given, expected in (
        ({"platforms": ["telegram:@city", "x:someone"]}, ["telegram:@city", "x:someone"]),
        ({"content_config": {"title": "Good night", "illustrate": True}}, "Good night"),
        ({"name": "night"}, "night"),
    ):
        answer = await api.http.patch(path, json=given)
        assert answer.status_code == 200, answer.text
        [(name, _)] = given.items()
        found = answer.json()[name]
        assert (found["title"] if name == "content_config" else found) == expected
        assert answer.json()["next_execution_at"] == rule["next_execution_at"]
    weekly = {"schedule_type": "weekly", "schedule_config": {"times": ["10:00"], "days_of_week": [1]}}
    changed = (await api.http.patch(path, json=weekly)).json()
    assert datetime.fromisoformat(changed["next_execution_at"]).isoweekday() == 1
    assert changed["version"] == 5

    assert (await api.http.post(f"{path}/deactivate")).json()["next_execution_at"] is None
    assert [item["id"] for item in (await api.http.get("/auto-posting/rules?is_active=false")).json()["items"]] == [
        rule["id"]
    ]
    active = (await api.http.post(f"{path}/activate")).json()
    assert (active["is_active"], active["next_execution_at"]) == (True, changed["next_execution_at"])
    assert (await api.http.delete(path)).status_code == 204
    assert (await api.http.get(path)).status_code == 404


async def test_run_now_makes_a_content_and_its_scheduled_posts(api: Api) -> None:
    rule = await create(api, is_active=False)
    path = f"/auto-posting/rules/{rule['id']}"
    run = (await api.http.post(f"{path}/run")).json()
    assert (run["status"], run["asked_by"], run["error"]) == ("succeeded", rule["created_by"], None)
    [event] = await api.emitted("content.requested")
    assert event["content_id"] == run["content_id"]
    [planned] = (await api.http.get("/scheduled-posts", params={"rule_id": rule["id"]})).json()["items"]
    assert (planned["content_id"], planned["target"]) == (run["content_id"], "telegram:@city")
    assert (run["title"], run["content_status"], run["post_id"]) == ("Good morning", "requested", planned["post_id"])
    [made] = run["posts"]
    assert (made["id"], made["target"], made["status"]) == (planned["id"], "telegram:@city", "scheduled")
    await api.database.execute("UPDATE scheduled_posts SET status = 'published'")
    read = (await api.http.get(path)).json()
    assert read["statistics"] | {"last_executed_at": None} == {
        "executions": 1, "succeeded": 1, "failed": 0, "last_executed_at": None, "last_error": None,
        "posts_open": 0, "posts_published": 1, "posts_failed": 0, "posts_cancelled": 0,
    }  # fmt: skip
    assert read["statistics"]["last_executed_at"] == run["executed_at"]
    run["posts"][0]["status"] = "published"
    assert (await api.http.get(f"{path}/executions")).json()["items"] == [run]


async def test_a_run_that_fails_says_why(api: Api) -> None:
    profile = await Catalog(api.database).put_profile("news")
    rule = await create(api, content_config={"title": "t", "profile": "news"})
    await api.database.execute("DELETE FROM profiles WHERE id = $1", profile)
    path = f"/auto-posting/rules/{rule['id']}"
    run = (await api.http.post(f"{path}/run")).json()
    assert (run["status"], run["error"], run["content_id"]) == ("failed", "there is no profile 'news'", None)
    assert (run["content_status"], run["posts"]) == (None, [])
    statistics = (await api.http.get(path)).json()["statistics"]
    assert (statistics["failed"], statistics["last_error"]) == (1, "there is no profile 'news'")
    assert await api.silent("content.requested")


@pytest.mark.parametrize(
    ("kind", "config", "number"),
    [
        ("once", {"at": "2100-01-01T00:00:00+03:00"}, 1),
        ("interval", {"every_minutes": 30}, 10),
        ("daily", {"times": ["00:00", "12:00"]}, 10),
        ("weekly", {"times": ["12:00"], "days_of_week": [6, 7]}, 10),
        ("cron", {"expression": "*/5 * * * *", "timezone": "Australia/Lord_Howe"}, 10),
    ],
)
async def test_each_kind_is_taken_and_previewed(api: Api, kind: str, config: dict[str, Any], number: int) -> None:
    given = {"schedule_type": kind, "schedule_config": config}
    times = (await api.http.post("/auto-posting/rules/preview", json=given)).json()["times"]
    assert len(times) == number
    assert times == sorted(times)
    rule = await create(api, **given)
    if kind != "interval":  # which counts from now
        assert rule["next_execution_at"] == times[0]


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ({"schedule_config": {"times": ["25:00"]}}, "/schedule_config/times/0"),
        ({"schedule_config": {"times": ["12:00"], "timezone": "Mars"}}, "/schedule_config/timezone"),
        ({"schedule_type": "cron", "schedule_config": {"expression": "often"}}, "/schedule_config/expression"),
        ({"schedule_type": "cron", "schedule_config": {"expression": "0 0\u0000 * * *"}}, ""),
        ({"schedule_type": "monthly"}, ""),
        ({"schedule_type": "weekly"}, "/schedule_config/days_of_week"),
        ({"schedule_type": "once", "schedule_config": {"at": "2020-01-01T00:00:00Z"}}, "/schedule_config/at"),
        ({"platforms": []}, "/platforms"),
        ({"platforms": ["myspace"]}, "/platforms"),
        ({"platforms": ["telegram"]}, "/platforms"),
        ({"content_config": {"title": "t", "profile": "nobody"}}, "/content_config/profile"),
        ({"content_config": {}}, "/content_config/title"),
        ({"name": ""}, "/name"),
    ],
)
async def test_what_is_wrong_is_said_where_it_is(api: Api, given: dict[str, Any], pointer: str) -> None:
    answer = await api.http.post("/auto-posting/rules", json=DAILY | given)
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/invalid"), answer.text
    assert pointer in {error["pointer"] for error in answer.json()["errors"]}
    assert (await api.http.get("/auto-posting/rules")).json()["items"] == []
    if pointer.startswith("/schedule_config") and given.get("schedule_type") != "once":
        body = {"schedule_type": "daily"} | {k: v for k, v in given.items() if k.startswith("schedule")}
        body.setdefault("schedule_config", DAILY["schedule_config"])
        answer = await api.http.post("/auto-posting/rules/preview", json=body)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)


async def test_names_are_unique_and_ids_known(api: Api) -> None:
    rule = await create(api)
    assert (await api.http.post("/auto-posting/rules", json=DAILY)).status_code == 409
    other = await create(api, name="another")
    taken = await api.http.patch(f"/auto-posting/rules/{other['id']}", json={"name": "greeting"})
    assert taken.status_code == 409
    nobody = f"/auto-posting/rules/{UUID(int=1)}"
    for method, path in (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/run"), ("POST", "/activate"),
                         ("POST", "/deactivate"), ("GET", "/preview"), ("GET", "/executions")):  # fmt: skip
        body = {"json": {}} if method == "PATCH" else {}
        assert (await api.http.request(method, nobody + path, **body)).status_code == 404
    once = {"at": (datetime.now(UTC) + timedelta(hours=1)).isoformat()}
    await api.http.patch(
        f"/auto-posting/rules/{rule['id']}", json={"schedule_type": "once", "schedule_config": once, "is_active": False}
    )
    await api.database.execute(
        """UPDATE auto_posting_rules SET schedule_config = '{"at": "2020-01-01T00:00:00Z"}' WHERE name = 'greeting'"""
    )
    gone = await api.http.post(f"/auto-posting/rules/{rule['id']}/activate")
    assert (gone.status_code, gone.json()["type"]) == (409, "/problems/conflict")


async def test_a_stale_change_is_refused(api: Api) -> None:
    rule = await create(api)
    path = f"/auto-posting/rules/{rule['id']}"
    tag = (await api.http.get(path)).headers["etag"]
    assert (await api.http.patch(path, json={"name": "a"}, headers={"If-Match": tag})).status_code == 200
    assert (await api.http.patch(path, json={"name": "b"}, headers={"If-Match": tag})).status_code == 412
