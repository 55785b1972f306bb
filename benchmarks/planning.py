"""Lateness of scheduled posts while many others wait, and the time of the query that finds what is due."""

import asyncio
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

from benchmarks.figures import quantile
from benchmarks.servers import BenchServers, bench_servers
from benchmarks.telegram import bench_telegram, running
from common.catalog import Catalog
from common.postgres import Queries

TARGETS = 20
AHEAD_SECONDS = 5.0  # for the services to start
OVER_SECONDS = 30.0  # the posts that are due are spread over
PATIENCE_SECONDS = 120.0
QUERIES = 50
CHUNK = 50_000  # rows per statement, which has its time limit

POSTS = """
INSERT INTO posts (id, source_id, external_id, text)
SELECT gen_random_uuid(), $1, n::text, 'post ' || n FROM generate_series($2::int, $3::int) AS n
"""
WAIT = """
INSERT INTO scheduled_posts (post_id, platform, target, scheduled_time, due_at, created_by)
SELECT id, 'telegram', 'telegram:@bench_' || n % 20, at, at, 'bench'
FROM (SELECT id, row_number() OVER () AS n, now() + interval '1 day' + random() * interval '300 days' AS at
      FROM posts WHERE source_id = $1 AND external_id::int BETWEEN $2 AND $3) AS waiting
"""
DUE = """
INSERT INTO scheduled_posts (post_id, platform, target, scheduled_time, due_at, created_by)
SELECT id, 'telegram', 'telegram:@bench_' || n % 20, at, at, 'bench'
FROM (SELECT id, row_number() OVER () AS n,
             now() + $4::float8 * interval '1 s' + random() * $5::float8 * interval '1 s' AS at
      FROM posts WHERE source_id = $1 AND external_id::int BETWEEN $2 AND $3) AS due
"""
LEFT = """
SELECT count(*) FROM scheduled_posts WHERE scheduled_time < now() + interval '1 hour' AND status <> 'published'
"""
LATENESS = """
SELECT extract(epoch FROM p.finished_at - s.scheduled_time)::float8 AS late
FROM scheduled_posts s JOIN publications p ON p.post_id = s.post_id WHERE s.status = 'published'
"""


class PlanningFailed(Exception):
    """Not every post that was due was published."""


async def measure_planning(*, waiting: int, due: int, rows: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Publish `due` posts at their times while `waiting` others wait; then look for what is due among `rows`.

    Raises PlanningFailed.
    """
    async with bench_servers() as servers:
        source = await Catalog(servers.database).put_source("import", "bench")
        say(f"planning: {waiting:,} posts wait")
        await servers.database.execute(POSTS, source, 1, waiting + due)
        await servers.database.execute(WAIT, source, 1, waiting)
        await servers.database.execute("ANALYZE")
        late = await lateness(servers, source, first=waiting + 1, count=due, say=say)
        say(f"planning: {rows:,} rows")
        for first in range(waiting + due + 1, rows + due, CHUNK):
            last = min(first + CHUNK - 1, rows + due)
            await servers.database.execute(POSTS, source, first, last)
            await servers.database.execute(WAIT, source, first, last)
        await servers.database.execute("ANALYZE")
        query = await due_query_ms(servers)
    return {
        "scheduled_late_p50_ms": round(quantile(late, 0.5) * 1000, 1),
        "scheduled_late_p99_ms": round(quantile(late, 0.99) * 1000, 1),
        "scheduled_waiting": waiting,
        "due_query_ms": round(query, 3),
        "due_query_rows": rows,
    }


async def lateness(
    servers: BenchServers, source: object, *, first: int, count: int, say: Callable[[str], None]
) -> list[float]:
    """Return for each of so many posts the seconds from its time to the record that it was published."""
    async with bench_telegram() as telegram, AsyncExitStack() as services:
        owner, bot = telegram.world.add_user("Owner"), telegram.world.add_bot("Publisher", "bench_bot")
        for number in range(TARGETS):
            telegram.world.add_channel(f"Bench {number}", f"bench_{number}", owner, admins=[bot])
        environment = {
            **servers.environment,
            **telegram.environment,
            "TELEGRAM_BOT_TOKEN": bot.token,
            "PUBLISH_PACING": "off",
        }
        for service in ("publisher", "scheduler"):
            await services.enter_async_context(running(service, environment))
        await servers.database.execute(DUE, source, first, first + count - 1, AHEAD_SECONDS, OVER_SECONDS)
        say(f"planning: {count} posts within {OVER_SECONDS:.0f} s")
        patient_until = time.monotonic() + AHEAD_SECONDS + OVER_SECONDS + PATIENCE_SECONDS
        while (row := await servers.database.fetchrow(LEFT)) and row[0]:
            if time.monotonic() > patient_until:
                raise PlanningFailed(f"{row[0]} of {count} posts are not published")
            await asyncio.sleep(0.5)
    return [row["late"] for row in await servers.database.fetch(LATENESS)]


async def due_query_ms(servers: BenchServers) -> float:
    """Return the median time of the query by which the worker takes what is due, in ms."""
    statement = Queries.load("scheduler", "scheduled.sql")["due"]
    times = []
    async with servers.database.transaction() as connection:
        for _ in range(QUERIES):
            began = time.perf_counter()
            await connection.fetch(statement, None)
            times.append((time.perf_counter() - began) * 1000)
    return quantile(times, 0.5)
