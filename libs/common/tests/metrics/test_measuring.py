"""The numbers of a window are those of the records, on a real database."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from common.contracts import topology
from common.metrics import NoWindow, Window, measure
from common.postgres import Database

END = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = Window(END - timedelta(hours=1), END)


async def job(database: Database, name: str, *, before: float, **given: Any) -> None:
    """A job that ended `before` seconds before the end of the window, after `took` seconds, `ran` of them at last."""
    values = {"queue": "rewrite_queue", "status": "succeeded", "attempts": 1, "took": 1.0, "ran": 1.0} | given
    ended = END - timedelta(seconds=before)
    await database.execute(
        "INSERT INTO jobs (consumer, event_id, queue, subject, status, attempts, created_at, started_at, finished_at)"
        " VALUES ('c', $1, $2, 's', $3, $4, $5, $6, $7)",
        name, values["queue"], values["status"], values["attempts"],
        ended - timedelta(seconds=values["took"]), ended - timedelta(seconds=values["ran"]), ended,
    )  # fmt: skip


async def test_jobs_that_ended_in_the_window_are_measured_per_queue(database: Database) -> None:
    for number in range(1, 101):
        await job(database, f"rewrite-{number}", before=number, took=number, ran=2.0, attempts=1 + number % 2)
    for number in range(3):
        await job(database, f"failed-{number}", before=5, status="failed", attempts=5, took=1000.0, ran=1000.0)
    await job(database, "nothing to do", before=5, status="cancelled")
    await job(database, "image", before=0.5, queue="imagegen_queue", took=4.0, ran=3.0)
    await job(database, "comes back", before=5, status="queued")
    await job(database, "before it", before=3601)
    await job(database, "at its end", before=0)

    figures = await measure(database, HOUR)
    queues = {each.queue: each for each in figures.queues}
    rewrites = queues["rewrite_queue"]
    assert (rewrites.ended, rewrites.succeeded, rewrites.failed, rewrites.cancelled) == (104, 100, 3, 1)
    assert rewrites.failure_share == pytest.approx(3 / 104)
    assert rewrites.average_retries == pytest.approx((50 + 3 * 4) / 104)
    assert rewrites.average_run_seconds == pytest.approx(2.0)
    assert rewrites.per_second == pytest.approx(104 / 3600)
    # Of 1, 2, … 100 seconds: failures, which took 1,000, are not in it.
    seconds = rewrites.seconds
    assert (seconds.average, seconds.p50, seconds.p95, seconds.p99) == pytest.approx((50.5, 50.5, 95.05, 99.01))
    assert (queues["imagegen_queue"].ended, queues["imagegen_queue"].seconds.p99) == (1, 4.0)
    assert figures.total.queue is None
    assert (figures.total.ended, figures.total.failed) == (105, 3)


async def test_an_empty_window_has_every_queue_and_no_shares(database: Database) -> None:
    figures = await measure(database, HOUR)
    assert [each.queue for each in figures.queues] == topology().queue_names()
    assert {each.ended for each in figures.queues} == {0}
    assert figures.total.failure_share is None
    assert figures.total.seconds.p95 is None
    assert (figures.funnel.collected, figures.lateness.published, figures.models) == (0, 0, ())


async def test_funnel_waits_and_lateness(database: Database) -> None:
    await database.execute(
        """
        WITH p AS (INSERT INTO posts (id, external_id, text, collected_at)
                   SELECT gen_random_uuid(), n::text, 't', $1::timestamptz - n * interval '10 minutes'
                   FROM generate_series(1, 9) n RETURNING id, external_id::int AS n),
             k AS (INSERT INTO publish_packages (id, post_id, status) SELECT n::text, id, 'succeeded' FROM p
                   RETURNING id, post_id),
             q AS (INSERT INTO publications (id, package_id, post_id, destination, status, text, created_at,
                                             first_try_at, finished_at)
                   SELECT gen_random_uuid(), k.id, k.post_id, 'telegram:@there',
                          CASE WHEN n = 2 THEN 'failed' ELSE 'succeeded' END, 't', $1 - interval '2 hours',
                          $1 - interval '2 hours' + n * interval '10 s', $1 - n * interval '10 minutes'
                   FROM k JOIN p ON p.id = k.post_id),
             w AS (INSERT INTO rewrites (id, post_id, status, model, request, answer, prompt_tokens, completion_tokens,
                                         cost_usd, duration_ms, created_at)
                   SELECT gen_random_uuid(), id, CASE WHEN n = 4 THEN 'refused' ELSE 'succeeded' END, 'm', '{}', '{}',
                          1, 1, 1, 1,$1 - n * interval '10 minutes' FROM p)
        INSERT INTO scheduled_posts (post_id, platform, target, scheduled_time, due_at, status, created_by,
                                     published_at)
        SELECT id, 'telegram', 'telegram:@there', $1 - interval '30 minutes',
               $1 - interval '30 minutes',
               CASE WHEN n <= 4 THEN 'published' ELSE 'scheduled' END, 'tests',
               CASE WHEN n <= 4 THEN $1 - interval '30 minutes' + n * interval '1 s' END
        FROM p WHERE n <= 6
        """,
        END,
    )
    figures = await measure(database, HOUR)
    funnel = figures.funnel
    # Six posts are in the hour (10, 20, … 60 minutes before its end).
    assert (funnel.collected, funnel.rewritten, funnel.refused) == (6, 5, 1)
    assert (funnel.published, funnel.not_published) == (5, 1)
    [wait] = figures.waits
    assert (wait.destination, wait.publications) == ("telegram:@there", 5)
    assert wait.seconds.average == pytest.approx((10 + 30 + 40 + 50 + 60) / 5)
    late = figures.lateness
    assert (late.published, late.seconds.average, late.seconds.p50) == (4, pytest.approx(2.5), pytest.approx(2.5))
    assert (late.overdue, late.oldest_overdue_at) == (2, END - timedelta(minutes=30))


async def test_tokens_and_money_per_route_and_model(database: Database) -> None:
    await database.execute(
        """
        WITH p AS (INSERT INTO profiles (name) VALUES ('p') RETURNING id),
             r AS (INSERT INTO routes (name, profile_id, targets) SELECT 'news', id, '{telegram:@a}' FROM p
                   RETURNING id)
        INSERT INTO model_calls (id, at, service, kind, model, outcome, route_id, consumer, event_id, prompt_tokens,
                                 completion_tokens, cost_usd, seconds)
        SELECT gen_random_uuid(), $1::timestamptz - before * interval '1 s', 'rewriter', kind, model, outcome,
               CASE WHEN routed THEN r.id END, 'rewriter', 'e', 100, 10, cost, 2
        FROM r, (VALUES (1, 'chat', 'large', 'answered', true, 0.5), (2, 'chat', 'large', 'refused', true, 0.25),
                        (3, 'chat', 'large', 'timeout', true, 0), (4, 'chat', 'large', 'answered', false, 0.125),
                        (5, 'image', 'draw', 'answered', true, 2), (3601, 'chat', 'large', 'answered', true, 9))
                AS calls (before, kind, model, outcome, routed, cost)
        """,
        END,
    )
    figures = await measure(database, HOUR)
    told = [(m.route, m.model, m.kind, m.calls, m.failed, m.prompt_tokens, m.cost_usd) for m in figures.models]
    assert told == [
        ("news", "draw", "image", 1, 0, 100, 2.0),
        ("news", "large", "chat", 3, 1, 300, 0.75),
        (None, "large", "chat", 1, 0, 100, 0.125),
    ]
    assert figures.models[0].average_seconds == pytest.approx(2)


async def test_the_index_for_windows_costs_the_ledger_no_hot_update(database: Database) -> None:
    """BRIN alone leaves updates HOT (PostgreSQL 16); another index over finished_at would double the writing."""
    await database.execute(
        "INSERT INTO jobs (consumer, event_id, queue, subject, status)"
        " SELECT 'c', n::text, 'q', 's', 'in_progress' FROM generate_series(1, 400) n"
    )
    async with database.strict.acquire() as connection:
        await connection.execute(
            "UPDATE jobs SET status = 'succeeded', finished_at = now() WHERE event_id::int % 10 = 0"
        )
        await connection.execute("SELECT pg_stat_force_next_flush()")
    row = await database.fetchrow("SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'jobs'")
    assert row
    assert tuple(row) == (40, 40)


@pytest.mark.parametrize(
    ("start", "end"), [(END, END), (END, END - timedelta(1)), (END - timedelta(days=31, seconds=1), END)]
)
def test_a_window_that_is_none_says_so(start: datetime, end: datetime) -> None:
    with pytest.raises(NoWindow):
        Window.between(start, end)
    with pytest.raises(NoWindow, match="5m, 1h, 24h"):
        Window.last("2h")
