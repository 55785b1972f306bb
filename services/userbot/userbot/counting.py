"""Counting what others write in chats since our last post there."""

import asyncio
import logging

from common.postgres import UNREACHABLE, Database, Queries

log = logging.getLogger(__name__)

FLUSH_SECONDS = 1.0
MOST_WAITING = 50_000  # while the database is away; a chat that is so busy has enough messages anyway


class MessageCounter:
    """Takes messages as they come and counts them in groups. Which chats are counted, the records know."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[tuple[int, int]] = []
        self._sql = Queries.load(__package__, "chats.sql")

    def seen(self, peer_id: int, message_id: int) -> None:
        """Note a message that somebody else wrote."""
        if len(self._waiting) < MOST_WAITING:
            self._waiting.append((peer_id, message_id))

    async def keep(self) -> None:
        """Count for ever; what is waiting when it is told to stop is still counted."""
        try:
            while True:
                await asyncio.sleep(FLUSH_SECONDS)
                await self._flush()
        finally:
            await self._flush()

    async def _flush(self) -> None:
        seen, self._waiting = self._waiting, []
        if not seen:
            return
        try:
            await self._database.lax.execute(self._sql["count"], [peer for peer, _ in seen], [each for _, each in seen])
        except UNREACHABLE as error:
            log.warning("%d messages are counted later: %r", len(seen), error)
            self._waiting = seen + self._waiting
