"""Messages run together; one that is suspected of killing its worker runs alone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Isolation:
    """Shared places for all queues of a process, and one place that nobody shares.

    A suspect waits until whoever runs has finished, and holds back who would come next. So if the worker dies then, it
    was the suspect's doing, and no neighbour of it was claimed.
    """

    def __init__(self) -> None:
        self._changed = asyncio.Condition()
        self._one_at_a_time = asyncio.Lock()
        self._together = 0
        self._alone = False

    @asynccontextmanager
    async def together(self) -> AsyncIterator[None]:
        """Run beside others; waits while a suspect runs or is about to."""
        if self._alone:
            async with self._changed:
                await self._changed.wait_for(lambda: not self._alone)
        self._together += 1
        try:
            yield
        finally:
            self._together -= 1
            if self._alone:
                async with self._changed:
                    self._changed.notify_all()

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """Run with nobody beside; one suspect at a time."""
        async with self._one_at_a_time:
            self._alone = True
            try:
                async with self._changed:
                    await self._changed.wait_for(lambda: self._together == 0)
                yield
            finally:
                self._alone = False
                async with self._changed:
                    self._changed.notify_all()
