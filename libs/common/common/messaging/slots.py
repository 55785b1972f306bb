"""Places for what runs at once, whose number may change while they are taken."""

import asyncio
from collections import deque
from contextlib import suppress
from types import TracebackType


class Slots:
    """A semaphore that can be resized: `async with slots`. Who waits longest is next.

    When it shrinks, nobody is thrown out: what runs may finish, and nobody follows until there is room.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._taken = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    def resize(self, limit: int) -> None:
        """Have so many places from now on."""
        self._limit = limit
        self._admit()

    async def __aenter__(self) -> None:
        """Take a place; wait for one where none is free."""
        if self._taken < self._limit:  # then nobody waits
            self._taken += 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                with suppress(ValueError):  # it was passed over meanwhile
                    self._waiting.remove(turn)
            else:  # a place was given to it in the same moment
                self._leave()
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the place back."""
        self._leave()

    def _leave(self) -> None:
        self._taken -= 1
        self._admit()

    def _admit(self) -> None:
        while self._waiting and self._taken < self._limit:
            turn = self._waiting.popleft()
            if not turn.cancelled():
                self._taken += 1
                turn.set_result(None)
