"""What the records say about queues: who paused them, what was changed, and how each replica works on them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from common.postgres import Database, Queries
from common.queues.settings import Change

ALIVE_SECONDS = 10.0  # three beats; a replica that is silent for longer does not live


@dataclass(frozen=True, slots=True)
class Pause:
    """A queue stands still, until somebody resumes it or `until` has come."""

    queue: str
    paused_at: datetime
    paused_by: str
    reason: str
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Replica:
    """How a replica works on a durable. `settings` are by name: {"value", "origin"}; `rate` is jobs per second."""

    service: str
    replica: UUID
    durable: str
    queue: str
    settings: dict[str, Any]
    holding: bool
    in_flight: int
    rate: float
    seen_at: datetime


class QueueRecords:
    """Reads the records."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = Queries.load(__package__, "queues.sql")

    async def pauses(self, queues: Sequence[str] | None = None) -> list[Pause]:
        """Return the pauses that hold now, of these queues or of all."""
        return [Pause(**dict(row)) for row in await self._database.fetch(self._sql["pauses"], queues)]

    async def changes(self, queues: Sequence[str] | None = None) -> list[Change]:
        """Return the settings that were changed, of these queues or of all."""
        return [Change(**dict(row)) for row in await self._database.fetch(self._sql["changes"], queues)]

    async def replicas(self, queues: Sequence[str] | None = None) -> list[Replica]:
        """Return what replicas tell that live."""
        rows = await self._database.fetch(self._sql["replicas"], queues, ALIVE_SECONDS)
        return [Replica(**dict(row)) for row in rows]

    async def behind(self, what: str) -> dict[str, Any]:
        """Return what stands behind a queue: `publications` or `broadcasts`."""
        row = await self._database.fetchrow(self._sql[what])
        assert row is not None
        return dict(row)
