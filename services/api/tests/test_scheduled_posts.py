"""Scheduled posts over HTTP: planned, changed, called off, and refused where they would not fit."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from common.catalog import Catalog

from .conftest import Api

TARGET = "telegram:@planned"


def later(**delta: float) -> str:
    return (datetime.now(UTC) + timedelta(**delta)).isoformat()


async def planned(api: Api, post: UUID | None = None, **given: Any) -> dict[str, Any]:
    """Plan a post."""
    body = {"post_id": str(post or await api.post()), "target": TARGET, "scheduled_time": later(hours=1)} | given
    answer = await api.http.post("/scheduled-posts", json=body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    assert answer.headers["Location"] == f"/api/v1/scheduled-posts/{found['id']}"
    return found


async def refused(api: Api, status: int, **body: Any) -> dict[str, Any]:
    """Ask for a plan that is refused."""
    answer = await api.http.post("/scheduled-posts", json={"target": TARGET, "scheduled_time": later(hours=1)} | body)
    assert answer.status_code == status, answer.text
    problem: dict[str, Any] = answer.json()
    return problem


async def test_a_post_is_planned_read_and_listed(api: Api) -> None:
    post = await api.post()
    given = await planned(api, post, scheduled_time="2100-01-01T12:00:00+03:00")
    assert given["scheduled_time"] == given["due_at"] == "2100-01-01T09:00:00Z"
    assert (given["status"], given["platform"], given["target"]) == ("scheduled", "telegram", TARGET)
    assert (await api.http.get(f"/scheduled-posts/{given['id']}")).json() == given
    history = (await api.http.get(f"/posts/{post}")).json()
    assert (history["state"], [each["id"] for each in history["scheduled"]]) == ("scheduled", [given["id"]])
    [listed] = (await api.http.get("/posts?state=scheduled")).json()["items"]
    assert listed["id"] == str(post)


async def test_the_platforms_default_destination_is_meant_where_no_target_is_named(api: Api) -> None:
    post = str(await api.post())
    problem = await refused(api, 422, post_id=post, platform="telegram", target=None)
    assert "telegram has no default destination" in problem["detail"]
    assert problem["errors"][0]["pointer"] == "/target"
    for name in ("@first", "@second"):
        answer = await api.http.post("/destinations", json={"address": f"telegram:{name}", "is_default": True})
        assert answer.status_code == 201, answer.text
    assert (await api.http.get("/destinations/telegram:@first")).json()["is_default"] is False
    assert (await planned(api, UUID(post), platform="Telegram", target=None))["target"] == "telegram:@second"


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({"target": "telegram:not a name"}, "is no chat"),
        ({"target": "fax:+1"}, "there is no platform 'fax'; there are telegram, instagram, x"),
        ({"platform": "x", "target": "telegram:@there"}, "telegram:@there is not on x"),
        ({"target": "twitter:@a b"}, "is no account name"),
        ({"target": "telegram:"}, "names no address"),
        ({"platform": None, "target": None}, "give a platform or a target"),
        ({"scheduled_time": later(minutes=-3)}, "has passed"),
        ({"scheduled_time": "2100-01-01T12:00:00"}, "timezone"),
        ({"content_id": str(uuid4())}, "give either post_id or content_id"),
        ({"post_id": None}, "give either post_id or content_id"),
        ({"post_id": str(UUID(int=1))}, "there is no post"),
        ({"rewrite_id": str(UUID(int=1))}, "has no rewrite"),
    ],
)
async def test_what_can_not_be_planned_is_refused(api: Api, body: dict[str, Any], detail: str) -> None:
    problem = await refused(api, 422, **{"post_id": str(await api.post())} | body)
    assert detail in problem["detail"] + str(problem.get("errors"))


async def test_twitter_is_x(api: Api) -> None:
    assert (await planned(api, platform="twitter", target="@Someone"))["target"] == "x:someone"


async def test_a_text_that_does_not_fit_is_refused_with_its_length_or_cut(api: Api) -> None:
    post = await api.post("😀" * 2500)
    problem = await refused(api, 422, post_id=str(post))
    assert "5000" in problem["detail"]
    assert "4096" in problem["detail"]
    query = {"post_id": str(post), "platform": "telegram", "target": "@planned"}
    preview = (await api.http.get("/scheduled-posts/preview", params=query)).json()
    assert (preview["count"], preview["limit"], preview["fits"]) == (5000, 4096, False)
    assert preview["target"] == TARGET
    assert (await planned(api, post, cut=True))["status"] == "scheduled"


async def test_a_post_is_planned_once_for_a_target(api: Api) -> None:
    post = await api.post()
    first = await planned(api, post)
    assert first["id"] in (await refused(api, 409, post_id=str(post)))["detail"]
    await planned(api, post, target="telegram:@elsewhere")
    await api.publication(post, "succeeded", "telegram:@published")
    problem = await refused(api, 409, post_id=str(post), target="telegram:@published")
    assert "published at telegram:@published already" in problem["detail"]


async def test_a_plan_is_changed(api: Api) -> None:
    found = await planned(api)
    url = f"/scheduled-posts/{found['id']}"
    answer = await api.http.patch(url, json={"scheduled_time": "2100-01-01T00:00:00Z", "target": "telegram:@else"})
    assert answer.status_code == 200, answer.text
    changed = answer.json()
    assert (changed["scheduled_time"], changed["target"]) == ("2100-01-01T00:00:00Z", "telegram:@else")
    stale = await api.http.patch(url, json={"platform": "x"}, headers={"If-Match": '"old"'})
    assert stale.status_code == 412
    assert (await api.http.patch(url, json={"scheduled_time": later(minutes=-5)})).status_code == 422
    [audited] = [
        each for each in (await api.http.get("/audit-log")).json()["items"] if each["action"] == "change_scheduled_post"
    ]
    assert (audited["before"]["target"], audited["after"]["target"]) == (TARGET, "telegram:@else")


async def test_a_plan_is_called_off_and_taken_up_again(api: Api) -> None:
    found = await planned(api)
    url = f"/scheduled-posts/{found['id']}"
    cancelled = await api.http.delete(url)
    assert cancelled.status_code == 200
    assert cancelled.json()["status"] == "cancelled"
    assert "called off by token:" in cancelled.json()["last_error"]
    assert (await api.http.delete(url)).status_code == 409
    assert (await api.http.patch(url, json={"scheduled_time": later(hours=2)})).status_code == 409
    assert (await api.http.post(f"{url}/publish-now")).status_code == 409
    again = await api.http.post(f"{url}/retry")
    assert (again.status_code, again.json()["status"]) == (200, "scheduled")
    now = (await api.http.post(f"{url}/publish-now")).json()
    assert now["due_at"] <= datetime.now(UTC).isoformat()


async def test_what_is_being_published_can_not_be_called_off(api: Api) -> None:
    found = await planned(api)
    await api.database.execute("UPDATE scheduled_posts SET status = 'publishing'")
    for answer in (
        await api.http.delete(f"/scheduled-posts/{found['id']}"),
        await api.http.post(f"/scheduled-posts/{found['id']}/publish-now"),
        await api.http.post(f"/scheduled-posts/{found['id']}/retry"),
    ):
        assert answer.status_code == 409, answer.text
        assert "it is" in answer.json()["detail"]


async def test_a_cancel_and_a_taker_never_both_win(api: Api) -> None:
    post = await api.post()
    for _ in range(20):
        found = await planned(api, post)

        async def take(scheduled: str = found["id"]) -> bool:
            statement = "UPDATE scheduled_posts SET status = 'publishing' WHERE id = $1 AND status = 'scheduled'"
            return await api.database.execute(statement, UUID(scheduled)) == "UPDATE 1"

        answer, taken = await asyncio.gather(api.http.delete(f"/scheduled-posts/{found['id']}"), take())
        assert (answer.status_code == 200) is not taken
        await api.database.execute("UPDATE scheduled_posts SET status = 'cancelled' WHERE status = 'publishing'")


async def test_a_content_that_is_still_written_can_be_planned(api: Api) -> None:
    post, content = await api.post(), uuid4()
    await api.database.execute(
        "INSERT INTO contents (id, post_id, title, created_by) VALUES ($1, $2, 'brief', 'tests')", content, post
    )
    found = await planned(api, post, post_id=None, content_id=str(content))
    assert (found["content_id"], found["post_id"]) == (str(content), str(post))
    preview = await api.http.get(f"/scheduled-posts/preview?content_id={content}&target={TARGET}")
    assert (preview.json()["text"], preview.json()["fits"]) == (None, None)
    await api.database.execute("UPDATE contents SET deleted_at = now()")
    assert "was deleted" in (await refused(api, 422, content_id=str(content)))["detail"]


async def test_lists_are_filtered_and_paged(api: Api) -> None:
    posts = await api.post()
    await api.database.execute(
        "INSERT INTO scheduled_posts (post_id, platform, target, scheduled_time, due_at, created_by, status)"
        " SELECT $1, 'telegram', 'telegram:@chan' || n % 7, t, t, 'tests',"
        "        CASE WHEN n % 10 = 0 THEN 'published' ELSE 'cancelled' END"
        " FROM generate_series(1, 10000) n,"
        "      LATERAL (SELECT timestamptz '2030-01-01Z' + n / 4 * interval '1 minute' AS t) at",
        posts,
    )

    async def all_of(query: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        url: httpx.URL | str = f"/scheduled-posts?limit=200&{query}"
        while True:
            answer = await api.http.get(url)
            assert answer.status_code == 200, answer.text
            found += answer.json()["items"]
            if answer.json()["next"] is None:
                return found
            url = answer.links["next"]["url"].removeprefix("/api/v1")

    everything = await all_of("")
    assert len({each["id"] for each in everything}) == len(everything) == 10_000
    times = [each["scheduled_time"] for each in everything]
    assert times == sorted(times, reverse=True)
    assert len(await all_of("status=published")) == 1000
    assert len(await all_of("platform=twitter")) == 0
    assert {each["target"] for each in await all_of("target=telegram:@chan3&status=published")} == {"telegram:@chan3"}
    window = await all_of("from=2030-01-02T00:00:00Z&to=2030-01-02T01:00:00%2B00:00")
    assert len(window) == 240
    assert {each["scheduled_time"][:13] for each in window} == {"2030-01-02T00"}


async def test_the_health_of_workers(api: Api) -> None:
    async with httpx.AsyncClient() as anonymous:
        answer = await anonymous.get(f"{api.url}/health/workers")
    assert answer.status_code == 200
    found = answer.json()
    assert found["running"] is False
    assert [each["worker"] for each in found["workers"]][:2] == ["ScheduledPostsWorker", "AutoPostingWorker"]
    beat = "INSERT INTO worker_beats (worker, replica, running, last_beat, next_run) VALUES ($1, $2, $3, $4, $5)"
    now = datetime.now(UTC)
    await api.database.execute(beat, "ScheduledPostsWorker", uuid4(), True, now, now + timedelta(seconds=9))
    await api.database.execute(beat, "ScheduledPostsWorker", uuid4(), True, now - timedelta(minutes=1), now)
    await api.database.execute(beat, "AutoPostingWorker", uuid4(), False, now, None)
    first, second, *_ = (await api.http.get("/health/workers")).json()["workers"]
    assert (first["running"], first["replicas"]) == (True, 1)
    assert first["next_run"] > now.isoformat().replace("+00:00", "Z")
    assert (second["running"], second["next_run"]) == (False, None)


async def test_an_approved_post_goes_out_at_its_routes_next_slot(api: Api) -> None:
    post = await api.post()
    profile = await Catalog(api.database).put_profile("p")
    slots = {"timezone": "Europe/Moscow", "times": {str(day): ["09:00"] for day in range(1, 8)}}
    route = await api.http.post(
        "/routes",
        json={"name": "r", "profile_id": str(profile), "targets": ["telegram:@there"], "slots": slots},
    )
    assert route.status_code == 201, route.text
    assert route.json()["slots"] == slots | {"minimum_distance_minutes": 0}
    _, rewrite = await api.held(post)
    await api.database.execute("UPDATE routings SET route_id = $1", UUID(route.json()["id"]))
    answer = await api.http.post(f"/posts/{post}/approve", json={})
    assert answer.status_code == 202, answer.text
    [scheduled] = answer.json()["scheduled_ids"]
    assert answer.json()["package_ids"] == []
    found = (await api.http.get(f"/scheduled-posts/{scheduled}")).json()
    assert found["scheduled_time"].endswith("T06:00:00Z")
    assert (found["rewrite_id"], found["target"]) == (str(rewrite), "telegram:@there")
    history = (await api.http.get(f"/posts/{post}")).json()
    assert (history["state"], history["routings"][0]["decision"]) == ("scheduled", "schedule")
    assert await api.silent("publish.requested")


@pytest.mark.parametrize(
    "slots",
    [
        {"times": {}},
        {"times": {"8": ["09:00"]}},
        {"times": {"1": ["24:00"]}},
        {"times": {"1": []}},
        {"times": {"1": ["09:00"]}, "timezone": "Mars/Olympus"},
        {"times": {"1": ["09:00"]}, "timezone": "../etc/passwd"},
        {"times": {"1": ["09:00"]}, "minimum_distance_minutes": -1},
        {"times": {"1": ["09:00"]}, "distance": 5},
    ],
)
async def test_slots_that_can_not_be_are_refused(api: Api, slots: dict[str, Any]) -> None:
    profile = await Catalog(api.database).put_profile("p")
    given = {"name": "r", "profile_id": str(profile), "targets": ["telegram:@there"], "slots": slots}
    answer = await api.http.post("/routes", json=given)
    assert answer.status_code == 422, answer.text


@pytest.fixture
def environment(request: pytest.FixtureRequest) -> dict[str, str]:
    """What a test asks for."""
    given: dict[str, str] = getattr(request, "param", {})
    return given


@pytest.mark.parametrize(
    ("environment", "status"), [({}, 422), ({"INSTAGRAM_IMAGE": "generate"}, 201)], indirect=["environment"]
)
async def test_a_post_without_an_image_is_planned_for_instagram_where_one_is_made(api: Api, status: int) -> None:
    body = {"post_id": str(await api.post()), "target": "instagram:demo", "scheduled_time": later(hours=1)}
    answer = await api.http.post("/scheduled-posts", json=body)
    assert answer.status_code == status, answer.text
    assert ("no image" in answer.text) == (status == 422)
