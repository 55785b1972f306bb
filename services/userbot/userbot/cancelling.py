"""Ending tasks that a person has cancelled while nobody works on them."""

import asyncio
import logging

from common.postgres import UNREACHABLE
from userbot.endings import Endings

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0


class Cancellations:
    """A task that somebody works on is ended by its worker; this ends the others, of whatever account."""

    def __init__(self, endings: Endings) -> None:
        self._endings = endings

    async def keep(self) -> None:
        """End cancelled tasks for ever."""
        while True:
            try:
                while await self._endings.end_cancelled():
                    pass
            except UNREACHABLE as error:
                log.warning("cancelling: %r", error)
            await asyncio.sleep(LOOK_SECONDS)
