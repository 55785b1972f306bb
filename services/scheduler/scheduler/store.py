"""The scheduler's records."""

import json
from uuid import UUID

from common.catalog import Catalog, Route, Source
from common.events import PostRewritten
from common.messaging import Job
from common.postgres import Database, Queries


class Store:
    """Routing decisions, and the sources as the clock sees them."""

    def __init__(self, database: Database, catalog: Catalog) -> None:
        self._database = database
        self._catalog = catalog
        self._sql = Queries.load(__package__, "scheduler.sql")

    def record(self, job: Job, event: PostRewritten, route: Route, decision: str, reason: str) -> None:
        """Write a routing decision with the job's result."""
        job.write(
            self._sql["add_routing"],
            event.post_id,
            route.id,
            event.rewrite_id,
            decision,
            reason,
            json.dumps(route.targets),  # unnest would take arrays of arrays apart
        )

    async def sources(self) -> list[Source]:
        """Return the enabled sources."""
        return await self._catalog.sources()

    async def unread(self) -> set[UUID]:
        """Return the enabled sources that were never read, and that can be read by request."""
        return {row["id"] for row in await self._database.fetch(self._sql["unread_sources"])}
