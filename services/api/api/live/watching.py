"""Beside the stream: whose token has ended is dropped, and the counts of the funnel are told while they change."""

import asyncio
import logging

from api.live.hub import Hub
from api.live.listener import TOKEN_ENDED
from api.live.told import told
from api.statements import statement
from common.postgres import UNREACHABLE, Database, Queries

log = logging.getLogger(__name__)

EVERY_SECONDS = 2.0
SHARE = 10  # a look takes at most one part in so many of the time, however long the counting takes
FUNNEL = "funnel"


class Watching:
    """Looks every few seconds, while somebody is connected."""

    def __init__(self, hub: Hub, database: Database, *, every: float = EVERY_SECONDS) -> None:
        self._hub = hub
        self._database = database
        self._every = every
        self._counts: dict[str, int] | None = None
        self._sql = Queries.load("common", "reconciliation.sql")

    async def run(self) -> None:
        """Look for ever."""
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            try:
                if self._hub.listeners:
                    await self._drop_ended()
                    await self._tell_counts()
            except UNREACHABLE as error:
                log.warning("live events: %r", error)
            await asyncio.sleep(max(self._every, SHARE * (loop.time() - began)))

    async def _drop_ended(self) -> None:
        listeners = self._hub.listeners
        asked = list({listener.caller.id for listener in listeners})
        ended = {row["id"] for row in await self._database.lax.fetch(statement("live", "ended"), asked)}
        for listener in listeners:
            if listener.caller.id in ended:
                listener.end(TOKEN_ENDED)

    async def _tell_counts(self) -> None:
        if not any(listener.takes(told(FUNNEL)) for listener in self._hub.listeners):
            self._counts = None
            self._hub.tell_funnel(None)
            return
        row = await self._database.lax.fetchrow(self._sql["funnel"])
        assert row
        if (counts := dict(row)) != self._counts:
            self._counts = counts
            self._hub.tell_funnel(told(FUNNEL, counts))
