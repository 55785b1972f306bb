"""Metrics: the numbers of a window by the API, and those of the whole system for Prometheus."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from api.gauges.sampling import Part, SystemGauges
from common.contracts import topology
from common.postgres import Database
from common.testing.waiting import eventually

from .conftest import Api

JOB = (
    "INSERT INTO jobs (consumer, event_id, queue, subject, status, attempts, created_at, started_at, finished_at)"
    " SELECT 'rewriter', n::text, 'rewrite_queue', 's', CASE WHEN n % 4 = 0 THEN 'failed' ELSE 'succeeded' END, 2,"
    " $1::timestamptz - interval '4 s', $1::timestamptz - interval '1 s', $1 FROM generate_series(1, 8) n"
)


async def test_the_numbers_of_a_window(api: Api) -> None:
    await api.database.execute(JOB, datetime.now(UTC) - timedelta(minutes=30))
    answer = await api.http.get("/metrics")  # the last hour
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["window"]["seconds"] == 3600
    assert [each["queue"] for each in found["queues"]] == topology().queue_names()
    [rewrites] = [each for each in found["queues"] if each["queue"] == "rewrite_queue"]
    assert (rewrites["ended"], rewrites["failure_share"], rewrites["average_retries"]) == (8, 0.25, 1)
    assert rewrites["average_run_seconds"] == pytest.approx(1)
    assert rewrites["seconds"]["p95"] == pytest.approx(4)
    assert (found["total"]["queue"], found["total"]["ended"]) == (None, 8)
    assert (await api.http.get("/metrics?window=5m")).json()["total"]["ended"] == 0
    assert (await api.http.get("/metrics?window=24h")).json()["total"]["ended"] == 8
    since = (datetime.now(UTC) - timedelta(hours=2)).isoformat()
    until = (datetime.now(UTC) - timedelta(minutes=29)).isoformat()
    assert (await api.http.get("/metrics", params={"from": since})).json()["total"]["ended"] == 8
    between = (await api.http.get("/metrics", params={"from": since, "to": until})).json()
    assert between["total"]["ended"] == 8
    assert between["window"]["end"] == until.replace("+00:00", "Z")


async def test_a_window_that_is_none_is_refused(api: Api) -> None:
    for parameters, says in (
        ({"window": "2h"}, "5m"),
        ({"window": "1h", "from": "2026-01-01T00:00:00Z"}, "without `window`"),
        ({"to": "2026-01-01T00:00:00Z"}, "`to` goes with it"),
        ({"from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z"}, "end after it begins"),
        ({"from": "2026-01-01T00:00:00Z", "to": "2026-03-01T00:00:00Z"}, "31 days"),
    ):
        answer = await api.http.get("/metrics", params=parameters)
        assert answer.status_code == 422
        assert says in answer.text


async def scraped(database: Database) -> dict[str, dict[tuple[str, ...], float]]:
    """What the api tells Prometheus: by name, and by the values of the labels in the order of their names."""
    address = await eventually(lambda: database.lax.fetchval("SELECT address FROM service_beats WHERE service = 'api'"))
    async with httpx.AsyncClient(timeout=20) as http:
        text = (await http.get(f"http://{address}/metrics")).raise_for_status().text
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = tuple(value for _, value in sorted(sample.labels.items()))
            found.setdefault(sample.name, {})[labels] = sample.value
    return found


async def test_the_whole_system_is_told_to_prometheus(api: Api) -> None:
    await api.nats.jetstream().publish("publish.requested", b"{}")
    await api.database.execute(JOB, datetime.now(UTC))
    await api.database.execute(
        """WITH paused AS (INSERT INTO queue_pauses (queue, paused_by) VALUES ('imagegen_queue', 'me')),
                dead AS (INSERT INTO service_beats (service, replica, address, ready, beat_at)
                         VALUES ('userbot', gen_random_uuid(), 'x', true, now() - interval '1 minute')),
                post AS (INSERT INTO posts (id, external_id, text) VALUES (gen_random_uuid(), '1', 't') RETURNING id),
                late AS (INSERT INTO scheduled_posts (post_id, platform, target, scheduled_time, due_at, created_by)
                         SELECT id, 'telegram', 'telegram:@a', now(), now() - interval '1 hour', 'me' FROM post),
                spent AS (INSERT INTO budgets (name, period, limit_usd) VALUES ('all', 'day', 5) RETURNING id)
           INSERT INTO outbox (id, consumer, cause_id, subject, headers, payload, created_at)
           VALUES ('1', 'nobody', '1', 'post.collected', '{}', '', now() - interval '2 minutes')"""
    )
    await api.database.execute(
        "INSERT INTO alerts (fingerprint, kind, severity, title, notification_id)"
        " VALUES ('a', 'queue_failures', 'error', 't', gen_random_uuid())"
    )
    found = await scraped(api.database)
    assert found["postroom_sampled"].keys() >= {("alerts",), ("ledger",), ("queues",), ("records",), ("spending",)}
    assert set(found["postroom_sampled"].values()) == {1.0}  # also of a canary that nobody sends
    assert {queue for (queue,) in found["postroom_queue_waiting"]} == set(topology().queue_names())
    assert found["postroom_queue_waiting"]["publish_queue",] == 1
    assert found["postroom_queue_oldest_seconds"]["publish_queue",] > 0
    assert found["postroom_queue_paused"]["imagegen_queue",] == 1
    assert found["postroom_queue_paused"]["publish_queue",] == 0
    assert found["postroom_outbox_events"][()] == 1
    assert found["postroom_outbox_oldest_seconds"][()] > 100
    assert found["postroom_replicas"]["userbot", "silent"] == 1
    assert found["postroom_replicas"]["api", "silent"] == 0
    assert found["postroom_scheduled_overdue"][()] == 1
    assert found["postroom_scheduled_overdue_seconds"][()] > 3000
    assert found["postroom_alerts_firing"]["queue_failures", "error"] == 1
    assert found["postroom_budget_used_ratio"]["all",] == 0
    assert found["postroom_budget_warn_ratio"]["all",] == pytest.approx(0.8)
    assert found["postroom_posts"]["scheduled",] == 1
    assert found["postroom_ledger_balanced"][()] == 1
    assert found["postroom_ledger_jobs"]["rewrite_queue", "failed"] == 2
    assert found["process_resident_memory_bytes"][()] > 0


async def test_what_can_not_be_read_is_left_out_and_said(api: Api) -> None:
    assert (await scraped(api.database))["postroom_sampled"]["queues",] == 1
    await api.nats.jetstream().delete_consumer("POSTS", "rewriter")

    async def missing() -> dict[str, Any] | None:
        found = await scraped(api.database)
        return found if found["postroom_sampled"]["queues",] == 0 else None

    found = await eventually(missing, within=20)  # at most every five seconds
    assert "postroom_queue_waiting" not in found
    assert found["postroom_sampled"]["records",] == 1


async def test_many_questions_at_once_read_once() -> None:
    reads = 0

    async def read() -> dict[Any, Any]:
        nonlocal reads
        reads += 1
        await asyncio.sleep(0.05)
        return {}

    gauges = SystemGauges([Part("some", read, 60.0)], CollectorRegistry())
    await asyncio.gather(*(gauges.sample() for _ in range(20)))
    await gauges.sample()
    assert reads == 1
