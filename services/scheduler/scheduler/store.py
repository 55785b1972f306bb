"""The scheduler's records."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from common.catalog import Catalog, Source
from common.messaging import Job
from common.postgres import Database, Queries
from common.telemetry.propagation import current_trace
from scheduler.routing import Routing

WAITING = ("hold", "illustrate")  # decisions after which the routing itself is waited with


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a rewrite stands: its routing, or whether the route's routing is that of a newer rewrite already.

    `route_id` is None for one that was written from a brief.
    """

    route_id: UUID | None
    routing: Routing | None
    newer: bool


class Store:
    """Routing decisions, and the catalog as clock and broadcasts see it."""

    def __init__(self, database: Database, catalog: Catalog) -> None:
        self._database = database
        self._catalog = catalog
        self._sql = Queries.load(__package__, "scheduler.sql")

    def record(self, job: Job, routing: Routing) -> None:
        """Write a routing with the job's result; that of an older rewrite, or that waits again, changes nothing."""
        job.write(
            self._sql["add_routing"],
            routing.post_id,
            routing.route_id,
            routing.rewrite_id,
            routing.decision,
            routing.reason,
            json.dumps(routing.targets),  # unnest would take arrays of arrays apart
            current_trace() if routing.decision in WAITING else None,
        )

    def settle(self, job: Job, routing: Routing, decided: Routing) -> None:
        """Write another decision with the job's result, unless the routing has changed meanwhile."""
        job.write(
            self._sql["settle"],
            routing.post_id,
            routing.rewrite_id,
            routing.decision,
            decided.decision,
            decided.reason,
        )

    async def standing(self, post_id: UUID, rewrite_id: UUID) -> Standing | None:
        """Return where a rewrite stands, or None where the post has no such rewrite."""
        row = await self._database.fetchrow(self._sql["standing"], post_id, rewrite_id)
        if row is None:
            return None
        routing = _routing(row) if row["decision"] and row["rewrite_id"] == rewrite_id else None
        return Standing(row["route_id"], routing, row["newer"])

    async def routings(self, post_id: UUID, rewrite_id: UUID | None = None) -> Sequence[Routing]:
        """Return the routings of a post, or only that of one rewrite."""
        return [_routing(row) for row in await self._database.fetch(self._sql["routings"], post_id, rewrite_id)]

    async def plans_without_image(self, post_id: UUID, targets: Sequence[str]) -> dict[str, str]:
        """Return the requests of scheduled posts that wait at the publisher for this post's image, by target."""
        rows = await self._database.fetch(self._sql["plans_without_image"], post_id, list(targets))
        return {row["target"]: row["request_id"] for row in rows}

    def resume_plans(self, job: Job, request_ids: Iterable[str]) -> None:
        """Let scheduled posts be requested again, with the job's result."""
        for request_id in request_ids:
            job.write(self._sql["resume_plans"], request_id)

    def fail_plans(self, job: Job, request_ids: Iterable[str], reason: str) -> None:
        """End scheduled posts as failed, with the job's result."""
        for request_id in request_ids:
            job.write(self._sql["fail_plans"], request_id, reason)

    async def sources(self) -> list[Source]:
        """Return the enabled sources."""
        return await self._catalog.sources()

    async def unread(self) -> set[UUID]:
        """Return the enabled sources that were never read, and that can be read by request."""
        return {row["id"] for row in await self._database.fetch(self._sql["unread_sources"])}


def _routing(row: asyncpg.Record) -> Routing:
    return Routing(
        row["post_id"],
        row["route_id"],
        row["rewrite_id"],
        tuple(row["targets"]),
        row["decision"],
        row["reason"],
        row["traceparent"],
    )
