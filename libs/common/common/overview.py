"""How everything stands, at a look: what needs a person, where the posts are, how the parts do."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from nats.js import JetStreamContext

from common.metrics import Window, measure_funnel
from common.postgres import Database, Queries
from common.queues.standing import QueueStanding, standing
from common.spending.budgets import Budget, Budgets
from common.verification.latest import latest_verification

LATEST, ALERTS = 8, 5
SQL = Queries.load("common", "overview.sql")


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for a person. The cause is that of most dead letters."""

    awaiting: int  # posts
    awaiting_since: datetime | None
    dead_letters: int
    dead_consumer: str | None
    dead_error: str | None
    dead_of_cause: int | None
    alerts: int


@dataclass(frozen=True, slots=True)
class FiringAlert:
    """An alert that fires and that nobody has seen."""

    id: UUID
    kind: str
    severity: str
    title: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Flow:
    """What each stage did in a window, in posts; `deliveries` counts each target."""

    collected: int
    duplicates: int
    rewritten: int
    refused: int
    illustrated: int
    approved: int
    rejected: int
    published: int
    deliveries: int
    not_published: int
    broadcast_messages: int


@dataclass(frozen=True, slots=True)
class Ledger:
    """Where all posts are, as the latest verification found it; `states` add up to `collected` where it is balanced."""

    at: datetime
    balanced: bool
    collected: int
    states: dict[str, int]


@dataclass(frozen=True, slots=True)
class Happened:
    """Something that became of a post."""

    what: Literal["collected", "duplicate", "rewritten", "published", "failed"]
    at: datetime
    post_id: UUID
    title: str
    detail: str


@dataclass(frozen=True, slots=True)
class ServiceState:
    """How many replicas of a service are ready, are not, and were not heard of; what those say that are not."""

    service: str
    ready: int
    not_ready: int
    silent: int
    detail: str | None


@dataclass(frozen=True, slots=True)
class QueueView:
    """A queue with its dead letters, and its backlog of the last hour, minute by minute."""

    standing: QueueStanding
    dead: int
    history: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything, at a time; the flow and what was spent are those of the last 24 hours."""

    at: datetime
    waiting: Waiting
    alerts: tuple[FiringAlert, ...]
    flow: Flow
    ledger: Ledger | None
    queues: tuple[QueueView, ...]
    latest: tuple[Happened, ...]
    services: tuple[ServiceState, ...]
    spent_usd: float
    budgets: tuple[Budget, ...]


async def read_waiting(database: Database) -> Waiting:
    """Return what waits for a person."""
    row = await database.lax.fetchrow(SQL["waiting"])
    assert row
    return Waiting(**dict(row))


async def read_overview(database: Database, stream: JetStreamContext) -> Overview:
    """Return how everything stands. Raises what asyncpg and nats raise where a server is away."""
    day = Window.last("24h")
    waiting, queues, funnel = await asyncio.gather(
        read_waiting(database), standing(database, stream), measure_funnel(database, day)
    )
    read = database.lax
    decided, spent = await read.fetchrow(SQL["decided"], *day.bounds), await read.fetchrow(SQL["spent"], *day.bounds)
    published = await read.fetchrow(SQL["published_posts"], *day.bounds)
    assert decided
    assert spent
    assert published
    flow = Flow(
        collected=funnel.collected,
        duplicates=funnel.duplicates,
        rewritten=funnel.rewritten,
        refused=funnel.refused,
        illustrated=funnel.illustrated,
        approved=decided["approved"],
        rejected=decided["rejected"],
        published=published["posts"],
        deliveries=funnel.published,
        not_published=funnel.not_published,
        broadcast_messages=funnel.broadcast_messages,
    )
    alerts = await read.fetch(SQL["alerts"], ALERTS) if waiting.alerts else []
    return Overview(
        at=day.end,
        waiting=waiting,
        alerts=tuple(FiringAlert(**dict(row)) for row in alerts),
        flow=flow,
        ledger=await _ledger(database),
        queues=await views(database, queues),
        latest=tuple(Happened(**dict(row)) for row in await read.fetch(SQL["latest"], LATEST)),
        services=tuple(ServiceState(**dict(row)) for row in await read.fetch(SQL["services"])),
        spent_usd=spent["usd"],
        budgets=tuple(await Budgets(database).all()),
    )


async def views(database: Database, queues: Sequence[QueueStanding]) -> tuple[QueueView, ...]:
    """Return queues with their dead letters, and their backlogs until now."""
    dead = {row["queue"]: row["letters"] for row in await database.fetch(SQL["dead"])}
    history = {row["queue"]: tuple(row["backlog"]) for row in await database.fetch(SQL["history"])}
    return tuple(
        QueueView(each, dead.get(each.queue, 0), (*history.get(each.queue, ()), each.backlog)) for each in queues
    )


async def _ledger(database: Database) -> Ledger | None:
    latest = await latest_verification(database)
    if latest is None:
        return None
    total: dict[str, Any] = dict(latest.report["total"])
    collected = total.pop("collected")
    total.pop("balanced")
    return Ledger(latest.at, latest.balanced, collected, {state: count for state, count in total.items() if count})


async def sample(database: Database, queues: Sequence[QueueStanding]) -> None:
    """Note how the queues stand in this minute, and forget what is older than a day."""
    names, backlogs = [each.queue for each in queues], [each.backlog for each in queues]
    await database.lax.execute(SQL["sample"], names, backlogs)
    await database.lax.execute(SQL["forget"])
