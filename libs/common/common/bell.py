"""Waking who looks for work in the database."""

import asyncio

EARLIEST_SECONDS = 0.01
LATEST_SECONDS = 0.5


class Bell:
    """Says when to look again: every `latest` seconds, and often for a while after it was rung.

    It is rung just before the work is committed (the commit comes with those of other messages), so one look at once
    would come too early: looks follow at growing distances.
    """

    def __init__(self, latest: float = LATEST_SECONDS) -> None:
        self._rung = asyncio.Event()
        self._latest = latest
        self._pause = latest

    def ring(self) -> None:
        """There is work, or will be in a moment."""
        self._rung.set()

    async def wait(self, at_most: float | None = None) -> None:
        """Return when it is time to look, after `at_most` seconds where that is given."""
        try:
            async with asyncio.timeout(self._pause if at_most is None else min(at_most, self._pause)):
                await self._rung.wait()
            await asyncio.sleep(EARLIEST_SECONDS)
            self._rung.clear()
            self._pause = EARLIEST_SECONDS
        except TimeoutError:
            self._pause = min(self._latest, self._pause * 2)
