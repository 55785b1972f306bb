"""Versions of profiles, trials of them, and what they were used for, over HTTP. The rewriter is played by the test."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from common.catalog import Catalog

from .conftest import Api

VALUES = {
    "name": "city",
    "style": "plain",
    "language": "en",
    "max_length": 700,
    "keep": ["links"],
    "instructions": "No jokes.",
    "model": "m",
}


async def profile(api: Api, **given: Any) -> dict[str, Any]:
    answer = await api.http.post("/profiles", json=VALUES | given)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def versions(api: Api, path: str) -> list[dict[str, Any]]:
    return list((await api.http.get(f"{path}/versions")).json()["items"])


async def end(api: Api, trial: str, number: int, **given: Any) -> None:
    """Do as the rewriter does."""
    values = {"status": "succeeded", "text": "rewritten", "cost_usd": 0.25, "duration_ms": 1500} | given
    names = ", ".join(f"{name} = ${place}" for place, name in enumerate(values, 3))
    await api.database.execute(
        f"UPDATE profile_trial_runs SET ended_at = now(), {names} WHERE trial_id = $1 AND number = $2",
        UUID(trial),
        number,
        *values.values(),
    )


async def test_each_change_is_a_version_whoever_makes_it(api: Api) -> None:
    made = await profile(api)
    path = f"/profiles/{made['id']}"
    assert made["version"] == 1
    changed = (await api.http.patch(path, json={"style": "dry"})).json()
    assert changed["version"] == 2
    assert (await api.http.patch(path, json={"style": "dry"})).json()["version"] == 2  # nothing is different
    await Catalog(api.database).put_profile("city", style="warm", by="cli:anna")  # as a file does
    await api.database.execute("UPDATE profiles SET max_length = 99 WHERE name = 'city'")
    listed = await versions(api, path)
    assert [(each["version"], each["style"], each["max_length"]) for each in listed] == [
        (4, "warm", 99),
        (3, "warm", 4096),
        (2, "dry", 700),
        (1, "plain", 700),
    ]
    by = [each["created_by"] for each in listed]
    assert by[0].startswith("sql:")
    assert by[1] == "cli:anna"
    assert by[2] == by[3]
    assert by[2].startswith("token:")
    assert (await api.http.get(f"{path}/versions/2")).json() == listed[2]
    first = (await api.http.get(f"{path}/versions?limit=3")).json()
    rest = (await api.http.get(f"{path}/versions?limit=3", params={"cursor": first["next"]})).json()
    assert first["items"] + rest["items"] == listed
    with pytest.raises(asyncpg.RaiseError, match="never changed"):
        await api.database.execute("UPDATE profile_versions SET style = 'x'")


async def test_an_older_version_is_restored_as_a_new_one(api: Api) -> None:
    made = await profile(api)
    path = f"/profiles/{made['id']}"
    await api.http.patch(path, json={"name": "town", "keep": ["facts"], "instructions": ""})
    tag = (await api.http.get(path)).headers["etag"]
    restored = await api.http.post(f"{path}/versions/1/restore")
    assert restored.status_code == 200
    assert restored.json() == made | {"version": 3}
    assert (await api.http.post(f"{path}/versions/1/restore")).json()["version"] == 3
    assert (await api.http.post(f"{path}/versions/2/restore", headers={"If-Match": tag})).status_code == 412
    await profile(api, name="town")
    assert (await api.http.post(f"{path}/versions/2/restore")).status_code == 409  # the name is taken by now
    assert (await api.http.post(f"{path}/versions/9/restore")).status_code == 404
    assert (await api.http.get(f"{path}/versions/99999999999")).status_code == 422
    audit = (await api.http.get("/audit-log?action=restore_profile_version")).json()["items"]
    assert [(line["before"]["version"], line["after"]["version"]) for line in audit] == [(3, 3), (2, 3)]


async def test_changes_at_once_are_numbered_one_after_another(api: Api) -> None:
    made = await profile(api)
    path = f"/profiles/{made['id']}"
    await asyncio.gather(*(api.http.patch(path, json={"style": f"style {number}"}) for number in range(8)))
    assert [each["version"] for each in await versions(api, path)] == list(range(9, 0, -1))


async def test_the_versions_outlive_their_profile(api: Api) -> None:
    path = f"/profiles/{(await profile(api))['id']}"
    assert (await api.http.delete(path)).status_code == 204
    assert [each["version"] for each in await versions(api, path)] == [1]
    assert (await api.http.post(f"{path}/versions/1/restore")).status_code == 404
    assert (await api.http.get(f"/profiles/{uuid4()}/versions")).status_code == 404


async def test_a_draft_is_tried_beside_the_current_version(api: Api) -> None:
    made = await profile(api)
    path = f"/profiles/{made['id']}"
    posts = [str(await api.post("First of two posts")), str(await api.post("Second of two posts"))]
    asked = await api.http.post(f"{path}/trials", json={"post_ids": posts, "draft": {"style": "dry"}})
    assert asked.status_code == 202, asked.text
    trial = asked.json()
    assert asked.headers["location"] == f"/api/v1{path}/trials/{trial['id']}"
    assert trial["draft"] == VALUES | {"style": "dry"}
    assert [(run["post_id"], run["version"], run["status"]) for run in trial["runs"]] == [
        (posts[0], 1, "requested"),
        (posts[0], None, "requested"),
        (posts[1], 1, "requested"),
        (posts[1], None, "requested"),
    ]
    events = await api.emitted("trial.requested", 4)
    assert sorted(event["number"] for event in events) == [1, 2, 3, 4]
    assert {event["trial_id"] for event in events} == {trial["id"]}

    await end(api, trial["id"], 1)
    await end(api, trial["id"], 2, status="refused", reason="I can't", text="")
    event_id = await api.database.strict.fetchval("SELECT event_id FROM profile_trial_runs WHERE number = 3")
    await api.database.execute(
        "INSERT INTO jobs (consumer, event_id, queue, subject, status, last_error)"
        " VALUES ('rewriter-trials', $1, 'rewrite_queue', 'trial.requested', 'failed', 'the endpoint is away')",
        event_id,
    )
    runs = (await api.http.get(f"{path}/trials/{trial['id']}")).json()["runs"]
    assert [(run["status"], run["reason"], run["text"]) for run in runs] == [
        ("succeeded", None, "rewritten"),
        ("refused", "I can't", ""),
        ("failed", "the endpoint is away", ""),
        ("requested", None, ""),
    ]
    assert (runs[0]["cost_usd"], runs[0]["seconds"], runs[0]["post_text"]) == (0.25, 1.5, "First of two posts")
    [listed] = (await api.http.get(f"{path}/trials")).json()["items"]
    assert (listed["id"], listed["posts"], listed["runs"], listed["cost_usd"]) == (trial["id"], 2, 4, 0.5)
    assert (await api.http.get(path)).json() == made  # a draft changes nothing
    assert (await api.http.get(f"/profiles/{uuid4()}/trials/{trial['id']}")).status_code == 404


async def test_versions_are_tried_on_the_newest_posts_of_a_source(api: Api) -> None:
    made = await profile(api)
    path = f"/profiles/{made['id']}"
    await api.http.patch(path, json={"style": "dry"})
    posts = [str(await api.post(f"A post with the number {number}")) for number in range(4)]
    await api.post("A post with the number 3")  # a duplicate
    await api.post("")
    source = str(await api.source())
    given = {"source_id": source, "last": 2, "versions": [1, 2, 1]}
    trial = (await api.http.post(f"{path}/trials", json=given)).json()
    assert [(run["post_id"], run["version"]) for run in trial["runs"]] == [
        (posts[3], 1),
        (posts[3], 2),
        (posts[2], 1),
        (posts[2], 2),
    ]
    assert trial["draft"] is None


async def test_what_can_not_be_tried(api: Api) -> None:
    path = f"/profiles/{(await profile(api))['id']}/trials"
    post = str(await api.post())
    empty = str(await Catalog(api.database).put_source("import", "empty"))
    for wrong, pointer in (
        ({}, "/post_ids"),
        ({"post_ids": [post], "source_id": empty}, "/post_ids"),
        ({"source_id": empty}, "/source_id"),
        ({"post_ids": [str(uuid4())]}, "/post_ids"),
        ({"post_ids": [post] * 6}, "/post_ids"),
        ({"post_ids": [post], "versions": [2]}, "/versions"),
        ({"post_ids": [post], "versions": []}, "/versions"),
        ({"post_ids": [post], "draft": {"max_length": 1}}, "/draft/max_length"),
        ({"post_ids": [post], "draft": {"tone": "dry"}}, "/draft/tone"),
        ({"source_id": empty, "last": 6}, "/last"),
    ):
        refused = await api.http.post(path, json=wrong)
        assert refused.status_code == 422, wrong
        assert refused.json()["errors"][0]["pointer"] == pointer, refused.text
    assert await api.silent("trial.requested")
    assert (await api.http.post(f"/profiles/{uuid4()}/trials", json={"post_ids": [post]})).status_code == 404
    reading = {"Authorization": f"Bearer {await api.token('read')}"}
    assert (await api.http.post(path, json={"post_ids": [post]}, headers=reading)).status_code == 403


async def test_what_a_profile_was_used_for(api: Api) -> None:
    made, unused = await profile(api), await profile(api, name="unused")
    route = (
        await api.http.post("/routes", json={"name": "news", "profile_id": made["id"], "targets": ["telegram:@there"]})
    ).json()
    rewrite = await api.rewrite(await api.post(), route=UUID(route["id"]))
    old = await api.rewrite(await api.post())
    await api.database.execute("UPDATE rewrites SET profile_id = $1, profile_version = 1", UUID(made["id"]))
    await api.database.execute("UPDATE rewrites SET created_at = now() - interval '40 days' WHERE id = $1", old)
    first, second = (await api.http.get("/profiles/use")).json()["items"]
    assert (first["profile_id"], first["rewrites"], first["refused"]) == (made["id"], 1, 0)
    assert first["routes"] == [{"id": route["id"], "name": "news", "enabled": True}]
    assert first["last_used_at"]
    assert second == {
        "profile_id": unused["id"], "rewrites": 0, "refused": 0, "last_used_at": None, "routes": []
    }  # fmt: skip
    use = (await api.http.get("/profiles/use?since=2020-01-01T00:00:00Z")).json()["items"]
    assert use[0]["rewrites"] == 2
    assert rewrite != old


async def test_the_quota_of_a_model_says_whether_it_may_be_asked(api: Api) -> None:
    assert (await api.http.get("/quotas")).json()["items"] == []
    await api.database.execute(
        "INSERT INTO model_quotas (key, closed_until, reason, low_closed_until, low_reason) VALUES"
        " ('a', now() + interval '1 minute', 'busy', '-infinity', 'once'),"
        " ('b', now() - interval '1 minute', 'over', now() + interval '1 minute', 'images are busy')"
    )
    closed, low = (await api.http.get("/quotas")).json()["items"]
    assert (closed["open"], closed["reason"], closed["low_open"], closed["low_reason"]) == (False, "busy", False, None)
    assert (low["open"], low["reason"], low["low_open"], low["low_reason"]) == (True, None, False, "images are busy")
