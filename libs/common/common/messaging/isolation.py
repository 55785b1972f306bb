"""Messages run together; one that is suspected of killing its worker runs alone."""

import asyncio


class Isolation:
    """Shared places for all queues of a process, and one place that nobody shares.

    A suspect waits until whoever runs has finished, and holds back who would come next. So if the worker dies then, it
    was the suspect's doing, and no neighbour of it was claimed. Whoever joined or was isolated must `leave`, once.
    """

    def __init__(self) -> None:
        self._together: set[object] = set()
        self._empty = asyncio.Event()  # nobody runs in the shared places
        self._empty.set()
        self._open = asyncio.Event()  # no suspect runs or is about to
        self._open.set()
        self._one_at_a_time = asyncio.Lock()
        self._suspect: object | None = None

    async def join(self, who: object) -> None:
        """Run beside others; waits while a suspect runs or is about to."""
        while not self._open.is_set():
            await self._open.wait()
        self._together.add(who)
        self._empty.clear()

    async def isolate(self, who: object) -> None:
        """Leave the shared places, and run with nobody beside; one suspect at a time."""
        self.leave(who)
        await self._one_at_a_time.acquire()
        self._suspect = who
        self._open.clear()
        await self._empty.wait()

    def leave(self, who: object) -> None:
        """Make room. Does nothing for who is not there."""
        if who is self._suspect:
            self._suspect = None
            self._open.set()
            self._one_at_a_time.release()
        elif who in self._together:
            self._together.remove(who)
            if not self._together:
                self._empty.set()
