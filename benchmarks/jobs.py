"""Lists of jobs among a million of them, by each filter, and the reading of one."""

import time
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlencode

import asyncpg
import httpx

from benchmarks.api import ApiFailed, bench_api
from benchmarks.figures import quantile
from benchmarks.servers import BenchServers, bench_servers
from common.contracts import topology

CHUNK = 20_000  # rows per statement, which has its time limit
DAYS = 30
IN_PROGRESS = 50
FAILED_EVERY, SKIPPED_EVERY, RETRIED_EVERY, WAITING_EVERY = 100, 50, 40, 5000

# As the ledger writes them: first in progress, then with their ends, so that the table is as scattered as a real one.
CLAIM = """
INSERT INTO jobs (consumer, event_id, queue, subject, post_id, status, holder, lease_until, trace_id, created_at,
                  started_at)
SELECT consumer, gen_random_uuid()::text, queue, 'post.collected', gen_random_uuid(), 'in_progress',
       gen_random_uuid(), now(), md5(n::text), at, at
FROM (SELECT n, now() - ($4 - n) * ($5::float8 / $4) * interval '1 day' AS at,
             ($1::text[])[1 + n % cardinality($1)] AS consumer, ($6::text[])[1 + n % cardinality($1)] AS queue
      FROM generate_series($2::int, $3::int) AS n) AS claimed
"""
END = """
UPDATE jobs
SET status = ended, error_class = class, last_error = class || ': no answer from server ' || n % 1000,
    trouble = CASE WHEN class IS NOT NULL THEN ended END, lease_until = NULL,
    finished_at = started_at + interval '1 s', due_at = CASE ended WHEN 'queued' THEN now() + interval '1 h' END
FROM (SELECT ctid AS row, n,
             CASE WHEN n % $1 = 1 THEN 'failed' WHEN n % $2 = 2 THEN 'cancelled' WHEN n % $4 = 4 THEN 'queued'
                  ELSE 'succeeded' END AS ended,
             CASE WHEN n % $1 = 1 OR n % $4 = 4 THEN 'TimeoutError' WHEN n % $2 = 2 THEN 'Skip'
                  WHEN n % $3 = 3 THEN 'Retry' END AS class
      FROM (SELECT ctid, row_number() OVER (ORDER BY created_at DESC) AS n FROM jobs WHERE status = 'in_progress')
           AS open WHERE n > $5) AS run
WHERE jobs.ctid = run.row
"""
MESSAGES = """
INSERT INTO job_messages (consumer, event_id, payload, headers, sequence)
SELECT consumer, event_id, convert_to('{"text": "' || repeat('x', 500) || '"}', 'UTF8'), '{"ce-id": "x"}', 1
FROM jobs WHERE status = 'failed'
"""
SOME = """
SELECT consumer, event_id, post_id, created_at FROM jobs WHERE status = 'failed' ORDER BY event_id LIMIT 500
"""


async def measure_jobs(*, jobs: int, requests: int, say: Callable[[str], None]) -> dict[str, Any]:
    """List jobs by each filter, and read some, one request at a time. Raises ApiFailed."""
    say(f"jobs: {jobs:,} jobs")
    async with bench_servers() as servers:
        await fill(servers, jobs)
        failed = await servers.database.fetch(SOME)
        async with bench_api(servers) as client:
            filters = wanted(failed)
            say(f"jobs: {requests} requests by each of {len(filters)} filters")
            by_filter = {
                name: await latencies(client, [f"/jobs?{urlencode(each)}" for each in several(given, requests)])
                for name, given in filters.items()
            }
            listed = [took for times in by_filter.values() for took in times]
            paths = [f"/jobs/{row['consumer']}/{row['event_id']}" for row in several(failed, requests)]
            read = await latencies(client, paths)
    return {
        "jobs_listed": jobs,
        "jobs_list_p50_ms": round(quantile(listed, 0.5), 1),
        "jobs_list_p99_ms": round(quantile(listed, 0.99), 1),
        "jobs_list_p99_ms_by_filter": {name: round(quantile(times, 0.99), 1) for name, times in by_filter.items()},
        "jobs_read_p99_ms": round(quantile(read, 0.99), 1),
    }


async def fill(servers: BenchServers, jobs: int) -> None:
    """Let so many jobs have ended over a month; the last few are under way."""
    durables = [durable for durable in topology().durables() if durable.queue != "advisory_queue"]
    consumers, queues = [each.name for each in durables], [each.queue for each in durables]
    for first in range(1, jobs + 1, CHUNK):
        last = min(first + CHUNK - 1, jobs)
        await servers.database.execute(CLAIM, consumers, first, last, jobs, float(DAYS), queues)
        kinds = FAILED_EVERY, SKIPPED_EVERY, RETRIED_EVERY, WAITING_EVERY
        await servers.database.execute(END, *kinds, IN_PROGRESS if last == jobs else 0)
    await servers.database.execute(MESSAGES)
    async with servers.database.strict.acquire() as connection:
        await connection.execute("VACUUM ANALYZE jobs", timeout=300)
        await connection.execute("VACUUM ANALYZE job_messages", timeout=300)


async def latencies(client: httpx.AsyncClient, paths: Sequence[str]) -> list[float]:
    """Return in ms how long each answer took. Raises ApiFailed."""
    times = []
    for path in paths:
        began = time.perf_counter()
        answer = await client.get(path)
        times.append((time.perf_counter() - began) * 1000)
        if answer.status_code != 200:
            raise ApiFailed(f"{answer.status_code} at {answer.url}: {answer.text[:200]}")
    return times


def wanted(failed: Sequence[asyncpg.Record]) -> dict[str, list[dict[str, Any]]]:
    """Return what is asked for, by name; where there are several, one after another."""
    from_then_on = [{"created_until": row["created_at"].isoformat(), "queue": "rewrite_queue"} for row in failed]
    return {
        "all": [{}],
        "200 of all": [{"limit": 200}],
        "queue": [{"queue": "rewrite_queue"}],
        "consumer": [{"consumer": "publisher"}],
        "failed": [{"status": "failed"}],
        "failed of a queue": [{"status": "failed", "queue": "publish_queue"}],
        "queued": [{"status": "queued"}],
        "in progress": [{"status": "in_progress"}],
        "succeeded": [{"status": "succeeded"}],
        "post": [{"post_id": row["post_id"]} for row in failed],
        "error": [{"error": "from server 99"}],
        "error that is nowhere": [{"error": "no such text"}],
        "error class": [{"error_class": "Retry"}],
        "time": from_then_on,
        "nothing": [{"queue": "no_queue"}],
    }


def several(given: Sequence[Any], number: int) -> list[Any]:
    """Return so many, beginning again at the end."""
    return [given[each % len(given)] for each in range(number)]
