"""Writes alerts, each change in one transaction with what people are told of it."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

from asyncpg import Record

from api.alerts.ports import Finding
from api.notifying.message import REDACT
from api.notifying.ports import Audience
from api.statements import statement
from api.webhooks.events import Told, told
from common.postgres import Connection, Database
from common.telegram.utf16 import storable

LARGEST = 2**31 - 1
TITLE_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Firing:
    """An alert that fires."""

    id: UUID
    fingerprint: str
    kind: str
    title: str


class AlertRecords:
    """The alerts in the database."""

    def __init__(self, database: Database, audience: Audience, gather_seconds: float) -> None:
        self._database = database
        self._audience = audience
        self._gather_seconds = gather_seconds

    async def firing(self, kinds: tuple[str, ...]) -> dict[str, Firing]:
        """Return what fires of these kinds, by fingerprint."""
        rows = await self._database.fetch(statement("alerts", "firing"), list(kinds))
        return {row["fingerprint"]: Firing(**dict(row)) for row in rows}

    async def fire(self, finding: Finding) -> UUID | None:
        """Begin an alert, with its notification; None where it fires already."""
        async with self._database.transaction() as connection:
            row = await connection.fetchrow(
                statement("alerts", "fire"),
                finding.fingerprint,
                finding.kind,
                finding.severity,
                *_words(finding),
                finding.count,
                finding.since,
                uuid4(),
            )
            if row is None:
                return None
            await self._notify(connection, row, f"alert.{finding.kind}", finding.severity, row["title"], row["detail"])
            await _announce(connection, "alert.firing", row)
        return UUID(str(row["id"]))

    async def go_on(self, alert: Firing, finding: Finding) -> None:
        """Note that it still fires. What was not told yet is told with what holds now, once that does not rise."""
        await self._database.execute(
            statement("alerts", "go_on"),
            alert.id,
            finding.severity,
            *_words(finding),
            finding.count,
            self._gather_seconds,
        )

    async def resolve(self, alert: Firing) -> bool:
        """End an alert, with a notification; False where it has ended already."""
        async with self._database.transaction() as connection:
            row = await connection.fetchrow(statement("alerts", "resolve"), alert.id)
            if row is None:
                return False
            title = f"Over: {row['title']}"[:TITLE_LENGTH]
            lasted = timedelta(seconds=round((row["resolved_at"] - row["since"]).total_seconds()))
            detail = f"It began at {row['since']:%Y-%m-%d %H:%M:%S} UTC and lasted for {lasted}."
            if row["count"] > 1:
                detail += f" {row['count']:,} were counted."
            await self._notify(connection, row, "alert.resolved", "info", title, detail)
            await _announce(connection, "alert.resolved", row)
        return True

    async def _notify(
        self, connection: Connection, alert: Record, kind: str, severity: str, title: str, detail: str
    ) -> None:
        """Keep a notification for those who are told of this alert: also of its end, which is no trouble in itself."""
        over = kind == "alert.resolved"
        await connection.execute(
            statement("alerts", "notify"),
            uuid4() if over else alert["notification_id"],
            f"alert/{alert['id']}/{'resolved' if over else 'firing'}",
            kind,
            severity,
            title,
            detail,
            1 if over else min(LARGEST, alert["count"]),
            self._audience.names(alert["severity"]),
            self._gather_seconds,
        )


def _words(finding: Finding) -> tuple[str, str]:
    return storable(finding.title)[:TITLE_LENGTH], storable(finding.detail)


async def _announce(connection: Connection, event: Told, alert: Record) -> None:
    data = {
        "id": str(alert["id"]),
        "kind": alert["kind"],
        "fingerprint": alert["fingerprint"],
        "status": alert["status"],
        "severity": alert["severity"],
        "title": REDACT.clean(alert["title"]),
        "detail": REDACT.clean(alert["detail"]),
        "count": alert["count"],
        "since": alert["since"].isoformat(),
        "resolved_at": alert["resolved_at"].isoformat() if alert["resolved_at"] else None,
    }
    await connection.execute(
        statement("webhooks", "announce"), [event], [f"{event}/{alert['id']}"], [told(event, data)]
    )
