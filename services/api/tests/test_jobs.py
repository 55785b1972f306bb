"""Jobs over HTTP: filtered, read, retried, cancelled; one, or all that match."""

import json
from typing import Any

import pytest

from api.http.paging import END_OF_TIME
from common.jobs import JobFilter
from common.testing.waiting import eventually

from .conftest import Api

JOB = """
INSERT INTO jobs (consumer, event_id, queue, subject, post_id, status, trouble, error_class, last_error, created_at)
VALUES ($1, $2, $3, 'post.collected', $4, $5, nullif($5, 'succeeded'), $6, $7, now() - $8 * interval '1 h')
"""
MESSAGE = "INSERT INTO job_messages (consumer, event_id, payload, headers, sequence) VALUES ($1, $2, $3, $4, 7)"


async def add(
    api: Api,
    event_id: str,
    *,
    consumer: str = "rewriter",
    queue: str = "rewrite_queue",
    status: str = "succeeded",
    post: object = None,
    error: str | None = None,
    hours: float = 0,
) -> None:
    error_class = error.partition(":")[0] if error else None
    await api.database.execute(JOB, consumer, event_id, queue, post, status, error_class, error, hours)


async def listed(api: Api, **filters: Any) -> list[str]:
    answer = await api.http.get("/jobs", params=filters)
    assert answer.status_code == 200, answer.text
    return [item["event_id"] for item in answer.json()["items"]]


async def test_every_filter(api: Api) -> None:
    post = await api.post()
    await add(api, "done", hours=3)
    await add(api, "of-post", post=post, hours=2, status="cancelled", error="Skip: nothing to do")
    await add(api, "failed", status="failed", error="TimeoutError: 100% of 30_s are over", hours=1)
    await add(api, "other", consumer="rewriter-contents", status="queued", error="RuntimeError: 1000 of 30-s")
    await add(api, "far", consumer="publisher", queue="publish_queue", status="in_progress", hours=4)
    await api.database.execute("UPDATE jobs SET lease_until = now() WHERE status = 'in_progress'")
    everything = ["other", "failed", "of-post", "done", "far"]
    assert await listed(api) == everything
    assert await listed(api, queue="rewrite_queue") == everything[:4]
    assert await listed(api, consumer="rewriter") == ["failed", "of-post", "done"]
    for status, found in (("queued", "other"), ("in_progress", "far"), ("failed", "failed"), ("cancelled", "of-post")):
        assert await listed(api, status=status) == [found]
        assert await listed(api, status=status, queue="no_queue") == []
    assert await listed(api, status="succeeded") == ["done"]
    assert await listed(api, post_id=str(post)) == ["of-post"]
    assert await listed(api, post_id=str(post), status="failed") == []
    assert await listed(api, error="0% OF 30_s") == ["failed"]
    assert await listed(api, error_class="RuntimeError") == ["other"]
    assert await listed(api, error="o", status="cancelled") == ["of-post"]
    rows = {row["event_id"]: row["created_at"] for row in await api.database.fetch("SELECT * FROM jobs")}
    between = {"created_from": rows["of-post"].isoformat(), "created_until": rows["failed"].isoformat()}
    assert await listed(api, **between) == ["of-post"]
    assert await listed(api, **between, status="failed") == []
    assert (await api.http.get("/jobs?status=dead")).status_code == 422


async def test_counts_by_status(api: Api) -> None:
    post = await api.post()
    for number in range(3):
        await add(api, f"done-{number}", post=post if number else None, hours=number)
    await add(api, "retried", error="E: once")
    await api.database.execute("UPDATE jobs SET trouble = 'succeeded' WHERE event_id = 'retried'")
    await add(api, "failed", status="failed", error="TimeoutError: over", post=post)
    await add(api, "skipped", status="cancelled", error="Skip: nothing")
    await add(api, "waits", status="queued", consumer="publisher", queue="publish_queue")
    await add(api, "runs", status="in_progress", hours=4)
    await api.database.execute("UPDATE jobs SET lease_until = now() WHERE status = 'in_progress'")
    since = (await api.database.strict_fetch("SELECT now() - interval '90 minutes' AS at"))[0]["at"].isoformat()
    names = ("queued", "in_progress", "succeeded", "failed", "cancelled")
    for filters, counts in (
        ({}, (1, 1, 4, 1, 1)),
        ({"status": "failed"}, (1, 1, 4, 1, 1)),
        ({"queue": "rewrite_queue"}, (0, 1, 4, 1, 1)),
        ({"consumer": "publisher"}, (1, 0, 0, 0, 0)),
        ({"error": "o"}, (0, 0, 1, 1, 1)),
        ({"error_class": "TimeoutError"}, (0, 0, 0, 1, 0)),
        ({"post_id": str(post)}, (0, 0, 2, 1, 0)),
        ({"created_from": since}, (1, 0, 3, 1, 1)),
    ):
        answer = await api.http.get("/jobs/counts", params=filters)
        assert tuple(answer.json()[name] for name in names) == counts, (filters, answer.text)


async def test_pages_of_many_consumers_and_times(api: Api) -> None:
    """Jobs that were claimed at once have one time, also those of several consumers."""
    await api.database.execute(
        "INSERT INTO jobs (consumer, event_id, queue, subject, status, trouble, created_at)"
        " SELECT 'c-' || n % 3, n::text, 'q-' || n % 2, 's', 'failed', 'failed', now() - n / 20 * interval '1 s'"
        " FROM generate_series(1, 150) n"
    )
    for filters, number in (({}, 150), ({"status": "failed"}, 150), ({"queue": "q-1"}, 75), ({"consumer": "c-1"}, 50)):
        seen: list[str] = []
        cursor: str | None = None
        while True:
            given = {**filters, "limit": 7, **({"cursor": cursor} if cursor else {})}
            page = (await api.http.get("/jobs", params=given)).json()
            seen += [item["created_at"] + item["consumer"] + item["event_id"] for item in page["items"]]
            cursor = page["next"]
            if cursor is None:
                break
        assert len(seen) == len(set(seen)) == number, filters
        assert seen == sorted(seen, reverse=True), filters


@pytest.mark.parametrize("plans", ["force_custom_plan", "force_generic_plan"])
async def test_a_page_reads_little_more_than_it_shows(api: Api, plans: str) -> None:
    await api.database.strict.execute(
        "INSERT INTO jobs (consumer, event_id, queue, subject, status, trouble, error_class, last_error, created_at)"
        " SELECT 'c-' || n % 5, n::text, 'q-' || n % 5, 's', status, nullif(status, 'succeeded'), e, e || ': ' || n,"
        "        now() - n * interval '1 s'"
        " FROM generate_series(1, 50000) n, LATERAL (SELECT CASE WHEN n % 100 = 0 THEN 'failed' WHEN n % 100 = 1"
        "      THEN 'cancelled' ELSE 'succeeded' END, CASE WHEN n % 100 < 2 THEN 'E' || n % 7 END) AS s (status, e)"
    )
    await api.database.execute(
        "UPDATE jobs SET status = 'in_progress', lease_until = now() WHERE event_id = ANY(ARRAY['7', '40000'])"
    )
    async with api.database.strict.acquire() as connection:
        await connection.execute("VACUUM ANALYZE jobs")
    wanted = {
        "all": (JobFilter(), 800),
        "queue": (JobFilter(queue="q-3"), 200),
        "no such": (JobFilter(consumer="nobody"), 200),
        "failed": (JobFilter(status="failed"), 800),
        "failed of one": (JobFilter(status="failed", queue="q-0"), 200),
        "queued": (JobFilter(status="queued"), 100),
    }
    for name, (each, most) in wanted.items():
        async with api.database.transaction() as connection:
            await connection.execute(f"SET LOCAL plan_cache_mode = {plans}")
            explain = f"EXPLAIN (ANALYZE, FORMAT JSON) {each.listing()}"
            [plan] = json.loads(await connection.fetchval(explain, 51, END_OF_TIME, None, *each.columns()))
        assert rows_read(plan["Plan"]) < most, (name, plan)


async def test_what_is_in_progress_is_found_without_reading_all(api: Api) -> None:
    await api.database.strict.execute(
        "INSERT INTO jobs (consumer, event_id, queue, subject, status, lease_until)"
        " SELECT 'c', n::text, 'q', 's', 'in_progress', now() FROM generate_series(1, 50000) n"
    )
    ended = "UPDATE jobs SET status = 'succeeded', lease_until = NULL WHERE NOT event_id = ANY(ARRAY['7', '40000'])"
    await api.database.execute(ended)
    async with api.database.strict.acquire() as connection:
        await connection.execute("VACUUM ANALYZE jobs")
        await connection.execute("SET enable_seqscan = off")  # as the function has it
        explain = "EXPLAIN (ANALYZE, FORMAT JSON) SELECT * FROM jobs WHERE lease_until IS NOT NULL"
        [plan] = json.loads(await connection.fetchval(explain))
        await connection.execute("RESET enable_seqscan")
    assert rows_read(plan["Plan"]) < 5000
    assert sorted(await listed(api, status="in_progress")) == ["40000", "7"]
    assert await listed(api, status="in_progress", queue="other") == []


def rows_read(plan: dict[str, Any]) -> int:
    """How many rows a plan read of jobs, those included that it threw away."""
    read = 0
    if plan.get("Relation Name") == "jobs":
        removed = plan.get("Rows Removed by Filter", 0) + plan.get("Rows Removed by Index Recheck", 0)
        read = plan["Actual Rows"] + removed
    return int(read) * int(plan["Actual Loops"]) + sum(map(rows_read, plan.get("Plans", ())))


async def test_one_with_everything_that_is_known(api: Api) -> None:
    await add(api, "a/b c", status="failed", error="E: no", hours=1)
    path = "/jobs/rewriter/a%2Fb%20c"
    bare = (await api.http.get(path)).json()
    assert (bare["payload"], bare["headers"], bare["runs"], bare["letter"]) == (None, {}, [], None)
    await api.database.execute(MESSAGE, "rewriter", "a/b c", b'{"n": [1]}', '{"ce-id": "a/b c"}')
    await api.database.execute(
        "INSERT INTO job_attempts (consumer, event_id, attempt, started_at, outcome, error)"
        " VALUES ('rewriter', 'a/b c', 1, now(), 'failed', 'E: no')"
    )
    job = (await api.http.get(path)).json()
    assert (job["payload"], job["headers"], job["sequence"]) == ({"n": [1]}, {"ce-id": "a/b c"}, 7)
    assert [(run["attempt"], run["outcome"], run["error"]) for run in job["runs"]] == [(1, "failed", "E: no")]
    await api.database.execute("UPDATE job_messages SET payload = $1", b'{"n": \xff')
    assert (await api.http.get(path)).json()["payload"] == '{"n": \\xff'
    assert (await api.http.get("/jobs/rewriter/nothing")).status_code == 404


async def test_retry_and_cancel(api: Api) -> None:
    await add(api, "gone-wrong", status="failed", error="E: no")
    await api.database.execute(MESSAGE, "rewriter", "gone-wrong", b'{"n": 1}', '{"ce-id": "gone-wrong"}')
    path = "/jobs/rewriter/gone-wrong"
    job = (await api.http.post(f"{path}/retry")).json()
    assert job["status"] == "queued"
    assert await api.emitted("post.collected") == [{"n": 1}]
    stale = await api.http.post(f"{path}/cancel", headers={"If-Match": '"stale"'})
    assert stale.status_code == 412
    job = (await api.http.post(f"{path}/cancel", json={"reason": "never mind"})).json()
    assert job["status"] == "cancelled"
    assert job["last_error"].startswith("cancelled by token:")
    assert job["last_error"].endswith(": never mind")
    refused = await api.http.post(f"{path}/cancel")
    assert (refused.status_code, refused.json()["detail"]) == (409, "it is cancelled already")
    assert (await api.http.post("/jobs/rewriter/nothing/retry")).status_code == 404
    lines = (await api.http.get("/audit-log?object=/api/v1/jobs/rewriter/gone-wrong/cancel")).json()["items"]
    assert [(line["action"], line["before"]["status"], line["after"]["status"]) for line in lines] == [
        ("cancel_job", "queued", "cancelled")
    ]
    reader = {"Authorization": f"Bearer {await api.token('read')}"}
    assert (await api.http.post(f"{path}/retry", headers=reader)).status_code == 403


async def test_all_that_match(api: Api) -> None:
    for number in range(5):
        await add(api, f"failed-{number}", status="failed", error="E: no")
        await api.database.execute(MESSAGE, "rewriter", f"failed-{number}", b"{}", "{}")
    await add(api, "forgotten", status="failed", error="E: no")
    given: dict[str, Any] = {"kind": "jobs.retry", "filter": {"error": "e: NO"}, "dry_run": True}
    assert (await api.http.post("/operations", json=given)).json()["matching"] == 6
    started = await api.http.post("/operations", json=given | {"dry_run": False})
    assert started.status_code == 202

    async def ended() -> dict[str, Any] | None:
        found: dict[str, Any] = (await api.http.get(f"/operations/{started.json()['id']}")).json()
        return found if found["finished_at"] else None

    found = await eventually(ended)
    assert (found["status"], found["done"], found["refused"]) == ("done", 5, 1)
    assert found["refusals"] == [{"key": "rewriter/forgotten", "reason": "its message is not kept any more"}]
    assert await listed(api, status="failed") == ["forgotten"]
    assert len(await api.emitted("post.collected", 5)) == 5
    await add(api, "chosen", status="failed", error="E: no")
    keys = {"keys": ["rewriter/chosen", "rewriter/failed-0", "rewriter/nothing"]}
    count = {"kind": "jobs.cancel", "filter": {"status": "failed", **keys}, "dry_run": True}
    assert (await api.http.post("/operations", json=count)).json()["matching"] == 1
    started = await api.http.post("/operations", json=count | {"dry_run": False})
    found = await eventually(ended)
    assert (found["total"], found["done"], found["refused"]) == (1, 1, 0)
    assert await listed(api, status="failed") == ["forgotten"]
    for kind, filters in (
        ("jobs.retry", {"status": "succeeded"}),
        ("jobs.retry", {"keys": ["no key"]}),
        ("jobs.cancel", {"status": "cancelled"}),
    ):
        answer = await api.http.post("/operations", json={"kind": kind, "filter": filters})
        assert answer.status_code == 422
        assert f"/filter/{next(iter(filters))}" in json.dumps(answer.json()["errors"])
