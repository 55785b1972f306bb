"""Tells what is due on a channel. Any number of replicas share the work: what one tells is leased to it."""

import asyncio
import logging
from collections.abc import Sequence
from uuid import UUID

from api.notifying.ports import Channel, Notice, NotTold, failed
from api.settings import NotificationSettings
from api.statements import statement
from common.events import NotifyRequested
from common.postgres import UNREACHABLE
from common.service import Service

log = logging.getLogger(__name__)

POLL_SECONDS = 0.5
AT_ONCE = 1000  # notifications that one message tells of, or that are told one after another
LEASE_SECONDS = 120.0  # more than a message takes: what a dead replica was telling is told by another one then


class Teller:
    """Tells by one channel for ever, with growing waits while it does not take what it is given."""

    def __init__(self, service: Service, channel: Channel, settings: NotificationSettings) -> None:
        self._service = service
        self._database = service.database
        self._channel = channel
        self._holder: UUID = service.rails.ledger.holder
        self._waits = list(settings.notify_retry_seconds)
        self._update_seconds = settings.notify_update_seconds

    async def run(self) -> None:
        """Tell for ever."""
        while True:
            try:
                told = await self.look()
            except UNREACHABLE as error:  # what was taken is told again when its lease has run out
                log.warning("%s: %r", self._channel.name, error)
                told = False
            if not told:
                await asyncio.sleep(POLL_SECONDS)

    async def look(self) -> bool:
        """Tell what is due, and return whether there was anything."""
        name = self._channel.name
        rows = await self._database.strict.fetch(
            statement("notifications", "take"), name, self._holder, LEASE_SECONDS, AT_ONCE, self._channel.gathers
        )
        if not rows:
            return False
        attempts = {row["id"]: row["attempts"] for row in rows}
        notices = [Notice(**{key: value for key, value in row.items() if key != "attempts"}) for row in rows]
        try:
            await self._channel.tell(notices)
        except NotTold as error:
            await self._not_told(notices, max(attempts.values()), str(error))
            return True
        except UNREACHABLE:
            raise
        except Exception as error:  # the mistake of one channel must not stop the others, nor the service
            log.exception("%s", name)
            await self._not_told(notices, max(attempts.values()), f"{type(error).__name__}: {error}"[:500])
            return True
        log.info("%s: told of %d notifications", name, len(notices))
        await self._database.execute(
            statement("notifications", "told"),
            name,
            self._holder,
            [notice.count for notice in notices],
            self._update_seconds,
            [notice.id for notice in notices],
        )
        return True

    async def _not_told(self, notices: Sequence[Notice], attempts: int, reason: str) -> None:
        name = self._channel.name
        log.warning("%s: attempt %d: %s", name, attempts, reason)
        ids = [notice.id for notice in notices]
        rows = await self._database.strict_fetch(
            statement("notifications", "not_told"), name, self._holder, reason, self._waits, ids
        )
        if given_up := sum(row["status"] == "failed" for row in rows):
            notice = NotifyRequested(
                kind="api.channel_failed",
                severity="error",
                title=f"Nobody could be told by {name}",
                detail=f"{reason}; given up after {attempts} attempts, with {given_up} notifications",
                fingerprint=failed(name),
            )
            await self._service.emit([notice], cause=f"telling/{name}/{min(ids)}/{attempts}")
