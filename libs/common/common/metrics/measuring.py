"""Reads the numbers of a window from the records."""

import asyncpg

from common.contracts import topology
from common.metrics.figures import Distribution, Figures, Funnel, Lateness, ModelFigures, QueueFigures, WaitFigures
from common.metrics.window import Window
from common.postgres import Database, Queries


async def measure(database: Database, window: Window) -> Figures:
    """Return the numbers of a window. A queue that did nothing in it is there all the same.

    Of 1,000,000 jobs an hour takes some milliseconds, and a window with all of them about a second.
    """
    sql = Queries.load(__package__, "metrics.sql")
    times = window.bounds
    queues = {row["queue"]: _queue(row, window) for row in await database.fetch(sql["queues"], *times)}
    names = dict.fromkeys((*topology().queue_names(), *sorted(name for name in queues if name)))
    lateness = await database.fetchrow(sql["lateness"], *times)
    assert lateness
    return Figures(
        window=window,
        total=queues[None],
        queues=tuple(queues.get(name, QueueFigures(name)) for name in names),
        funnel=await measure_funnel(database, window),
        models=tuple(ModelFigures(**dict(row)) for row in await database.fetch(sql["models"], *times)),
        waits=tuple(
            WaitFigures(row["destination"], row["publications"], _distribution(row))
            for row in await database.fetch(sql["waits"], *times)
        ),
        lateness=Lateness(
            lateness["published"], _distribution(lateness), lateness["overdue"], lateness["oldest_overdue_at"]
        ),
    )


async def measure_funnel(database: Database, window: Window) -> Funnel:
    """Return what each stage did in a window."""
    row = await database.fetchrow(Queries.load(__package__, "metrics.sql")["funnel"], *window.bounds)
    assert row
    return Funnel(**dict(row))


def _queue(row: asyncpg.Record, window: Window) -> QueueFigures:
    ended = row["ended"]
    return QueueFigures(
        queue=row["queue"],
        ended=ended,
        succeeded=row["succeeded"],
        failed=row["failed"],
        cancelled=row["cancelled"],
        per_second=ended / window.seconds,
        failure_share=row["failed"] / ended if ended else None,
        average_retries=row["average_retries"],
        average_run_seconds=row["average_run_seconds"],
        seconds=_distribution(row),
    )


def _distribution(row: asyncpg.Record) -> Distribution:
    return Distribution(row["average"], *(row["percentiles"] or (None, None, None)))
