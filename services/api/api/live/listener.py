"""One client that watches: what waits to be told to it, which is never much."""

import asyncio
from collections import deque
from dataclasses import dataclass

from api.http.callers import Caller
from api.live.told import Told, told
from api.live.wanted import Wanted

DROPPED = "dropped"
LATER = 2**63


@dataclass(frozen=True, slots=True)
class Ending:
    """Why a client is not told anything more; `code` closes a WebSocket, https://www.rfc-editor.org/rfc/rfc6455#section-7.4"""

    code: int
    reason: str

    def told(self) -> Told:
        """Return it as the last event of a stream."""
        return told(DROPPED, {"code": self.code, "reason": self.reason})


TOO_SLOW = Ending(1013, "too slow: more events waited than are kept for a client; come back with the last id")
NOT_READABLE = Ending(1013, "the history can't be read at the moment; come back with the last id")
STOPPING = Ending(1012, "the service stops; come back with the last id")
TOKEN_ENDED = Ending(1008, "the token has expired or was revoked")


class Listener:
    """A client, and the events that wait for it: at most `most`, then it is dropped."""

    def __init__(self, caller: Caller, wanted: Wanted, most: int) -> None:
        self.caller = caller
        self.wanted = wanted
        self.ending: Ending | None = None
        self.position = 0  # up to here it has been told everything, or will be
        self._most = most
        self._waiting: deque[Told] = deque()
        self._news = asyncio.Event()

    def restart(self, wanted: Wanted) -> None:
        """Forget what waits: the client asks for something else."""
        self.wanted = wanted
        self._waiting.clear()

    def reset(self, event: Told) -> None:
        """Begin anew, with this event: ids of another stream follow."""
        self.position = event.id or 0
        self._waiting.clear()
        self._waiting.append(event)
        self._news.set()

    def takes(self, event: Told) -> bool:
        """Whether the client asked for this event and may hear it."""
        return self.wanted.takes(event) and self.caller.allows(event.scope)

    def offer(self, event: Told) -> None:
        """Let an event wait for the client, where it wants it."""
        if self.ending or (event.id or LATER) <= self.position or not self.takes(event):
            return
        if len(self._waiting) >= self._most:
            self.end(TOO_SLOW)
        else:
            self._waiting.append(event)
            self._news.set()

    def end(self, ending: Ending) -> None:
        """Tell the client nothing more than why. The first reason holds."""
        if self.ending is None:
            self.ending = ending
            self._waiting.clear()
            self._news.set()

    async def next(self, at_most: float) -> list[Told]:
        """Return what waits, as soon as there is something; nothing after `at_most` seconds, or where it has ended."""
        try:
            async with asyncio.timeout(at_most):
                await self._news.wait()
        except TimeoutError:
            return []
        self._news.clear()
        found = list(self._waiting)
        self._waiting.clear()
        return found
