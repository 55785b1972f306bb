"""Approvals that expire: what nobody approved within the time that its route gives is rejected."""

import logging
from collections.abc import Callable
from datetime import datetime

from common.events import NotifyRequested
from common.messaging.rails import Rails
from common.postgres import Database, Queries
from common.telemetry.propagation import within_trace

log = logging.getLogger(__name__)

CONSUMER = "scheduler"


class ApprovalExpiryWorker:
    """Rejects what waited too long. `now` stands for the database's clock, in tests."""

    def __init__(self, database: Database, rails: Rails, *, now: Callable[[], datetime] | None = None) -> None:
        self._database = database
        self._rails = rails
        self._now: Callable[[], datetime | None] = now or (lambda: None)
        self._sql = Queries.load(__package__, "scheduled.sql")

    async def look(self) -> float | None:
        """Reject what has expired; return the seconds until the next approval does, None where none will."""
        emits = []
        async with self._database.transaction() as connection:
            for row in await connection.fetch(self._sql["expire"], self._now()):
                notice = NotifyRequested(
                    kind="scheduler.approval_expired",
                    title=f"Posts of the route {row['route']} were rejected: {row['reason']}"[:200],
                    detail=f"the latest is post {row['post_id']}",
                    fingerprint=f"scheduler.approval_expired/{row['route_id']}",
                    post_id=row["post_id"],
                )
                cause = f"expired/{row['post_id']}/{row['route_id']}/{row['rewrite_id']}"
                with within_trace(row["traceparent"]):
                    emits += self._rails.compose([notice], consumer=CONSUMER, cause=cause)
                log.info("post %s: %s", row["post_id"], row["reason"])
            await self._rails.emit(connection, emits)
        await self._rails.outbox.publish(emits)
        upcoming = await self._database.fetchrow(self._sql["next_expiry"], self._now())
        return upcoming["seconds"] if upcoming else None
