"""Alerts: what is wrong, or was. The api finds them; people look at them and say that they have seen them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from common.postgres import Database, Queries

Status = Literal["firing", "resolved"]


class NoSuchAlert(Exception):
    """There is no such alert."""


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that is wrong, or was until `resolved_at`. `count` is how often it was so since it began."""

    id: UUID
    fingerprint: str
    kind: str
    severity: str
    title: str
    detail: str
    count: int
    status: str
    since: datetime
    last_at: datetime
    resolved_at: datetime | None
    acknowledged_by: str | None
    acknowledged_at: datetime | None
    notification_id: UUID


class Alerts:
    """Reads alerts, and takes note of who has seen them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = Queries.load("common", "alerts.sql")

    async def latest(self, status: Status | None = None, *, limit: int = 50) -> list[Alert]:
        """Return the latest alerts, those that fire first."""
        return [Alert(**dict(row)) for row in await self._database.fetch(self._sql["latest"], status, limit)]

    async def get(self, alert_id: UUID) -> Alert:
        """Return one alert. Raises NoSuchAlert."""
        row = await self._database.fetchrow(self._sql["get"], alert_id)
        if row is None:
            raise NoSuchAlert(f"there is no alert {alert_id}")
        return Alert(**dict(row))

    async def find(self, beginning: str) -> UUID:
        """Return the alert whose id begins like this. Raises NoSuchAlert where there is none, or more than one."""
        rows = await self._database.fetch(self._sql["find"], beginning.lower())
        if not rows:
            raise NoSuchAlert(f"there is no alert {beginning}")
        if len(rows) > 1:
            raise NoSuchAlert(f"several alerts begin with {beginning}")
        return UUID(str(rows[0]["id"]))

    async def acknowledge(self, alert_id: UUID, by: str) -> Alert:
        """Note that a person has seen an alert, the first one who says so. It fires on. Raises NoSuchAlert."""
        await self._database.execute(self._sql["acknowledge"], alert_id, by)
        return await self.get(alert_id)
