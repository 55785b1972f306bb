"""What workers have in common that go by the clock: they sleep until something is due, and are woken by changes."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from common.postgres import UNREACHABLE
from common.postgres.listening import listening
from scheduler.beats import WorkerBeats

log = logging.getLogger(__name__)

Look = Callable[[], Awaitable[float | None]]

RECONNECT_SECONDS = 1.0
ALIVE_FROM_SECONDS = 5.0  # after so long without a notice the connection is asked whether it still is one
LATE_SECONDS = 0.002  # after something is due, by when the database sees it so as well


class Waking:
    """Looks again and again. `look` does what is due and returns the seconds until the next is, None where nothing is.

    Between two looks are `check_seconds` at most, in case a notice was lost or a clock has jumped.
    """

    def __init__(self, dsn: str, channel: str, look: Look, beats: WorkerBeats, *, check_seconds: float) -> None:
        self._dsn = dsn
        self._channel = channel
        self._look = look
        self._beats = beats
        self._check_seconds = check_seconds

    async def run(self) -> None:
        """Work for ever, and beat."""
        async with self._beats.kept():
            while True:
                try:
                    await self._listen()
                except UNREACHABLE as error:
                    self._beats.failing = True
                    log.warning("%s: %r", self._beats.worker, error)
                    await asyncio.sleep(RECONNECT_SECONDS)
                except Exception:  # whatever it is, what is due later must not wait for somebody to notice
                    log.exception("%s: this look failed", self._beats.worker)
                    await asyncio.sleep(self._beats.broken_pause())

    async def _listen(self) -> None:
        async with listening(self._dsn, self._channel) as notices:
            while True:
                pause = self._beats.pause(await self._look(), self._check_seconds)
                if not await notices.wait(pause + LATE_SECONDS) and pause >= ALIVE_FROM_SECONDS:
                    await notices.check()
