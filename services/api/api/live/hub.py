"""From the stream LIVE to everybody who watches through this replica."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncGenerator

from nats.errors import Error as NatsError

from api.http.callers import Caller
from api.http.problems import Problem
from api.live.listener import NOT_READABLE, STOPPING, Listener
from api.live.source import PAGE, Source
from api.live.told import POSITION, Told, told
from api.live.wanted import Wanted
from api.settings import LiveSettings
from common.bell import Bell
from common.messaging.streams import TopologyError

log = logging.getLogger(__name__)

LATEST_SECONDS = 2.0  # between two looks where nobody rings
BOUNDS_SECONDS = 5.0  # between two looks whether it still is the stream that it was
AWAY_SECONDS = 0.5
LAG_SECONDS = 0.05  # of a replica of the stream that answers, behind the one that answered before
AWAY = (NatsError, OSError, TimeoutError)
RESET = "reset"
GONE = {"reason": "what happened since that id is not kept any more: read anew what is shown"}


class Hub:
    """Reads the stream once and tells each client what it wants. All clients are at `position` or catch up to it."""

    def __init__(self, source: Source, settings: LiveSettings) -> None:
        self._source = source
        self._settings = settings
        self._bell = Bell(LATEST_SECONDS)
        self._started = asyncio.Event()
        self._somebody = asyncio.Event()
        self._stopped = False
        self._listeners: set[Listener] = set()
        self._following: set[Listener] = set()  # those who have caught up
        self._problem: str | None = None
        self._funnel: Told | None = None
        self.position = 0

    @property
    def listeners(self) -> frozenset[Listener]:
        """Everybody who is connected."""
        return frozenset(self._listeners)

    async def check(self) -> str | None:
        """Say for the health endpoint why events can't be told, or None."""
        return self._problem

    def join(self, caller: Caller, wanted: Wanted) -> Listener:
        """Let a client in. Raises a problem where it has too many connections, or this replica has."""
        if self._stopped:
            raise Problem("unavailable", STOPPING.reason)
        of_caller = Counter(listener.caller.id for listener in self._listeners)[caller.id]
        if of_caller >= self._settings.live_connections_per_token:
            detail = f"this token has {of_caller} connections for events, which is as many as it may have"
            raise Problem("too-many-requests", detail, headers={"Retry-After": "10"})
        if len(self._listeners) >= self._settings.live_connections:
            raise Problem("unavailable", "as many clients are connected for events as may be")
        listener = Listener(caller, wanted, self._settings.live_waiting_events)
        self._listeners.add(listener)
        self._somebody.set()
        return listener

    def leave(self, listener: Listener) -> None:
        """Forget a client."""
        self._listeners.discard(listener)
        self._following.discard(listener)
        if not self._listeners:
            self._somebody.clear()

    def tell_funnel(self, event: Told | None) -> None:
        """Tell all who want it the counts of the funnel, and those who come later; None: they are not known."""
        self._funnel = event
        for listener in self._following:
            if event:
                listener.offer(event)

    async def follow(self, listener: Listener) -> AsyncGenerator[list[Told], None]:
        """Give what a client wants: first what it missed, while nothing happens positions, and at last why it ends."""
        await self._started.wait()
        self._following.discard(listener)
        position = self.position if listener.wanted.after is None else listener.wanted.after
        began: list[Told] = []
        try:
            gone = position > self.position and await self._missed(position) is None
            while position < self.position and not gone and not listener.ending:
                page = await self._missed(position)
                gone = page is None
                if page:
                    position = page[-1].id or 0
                    yield [event for event in page if listener.takes(event)]
            if gone:
                position = self.position
                began.append(told(RESET, GONE, place=position))
        except AWAY as error:
            log.warning("live events: %r", error)
            listener.end(NOT_READABLE)
        # No pause since the look at our position: everything after it is offered.
        listener.position = position
        self._following.add(listener)
        began.append(told(POSITION, place=position))
        if self._funnel and listener.takes(self._funnel):
            began.append(self._funnel)
        yield began
        while not listener.ending:
            events = await listener.next(self._settings.live_heartbeat_seconds)
            if not listener.ending:
                yield events or [told(POSITION, place=max(self.position, listener.position))]
        yield [listener.ending.told()]

    async def run(self) -> None:
        """Read the stream as long as somebody watches. Raises TopologyError where it is missing from the start."""
        try:
            await self._begin()
            while True:
                self._started.clear()
                await self._somebody.wait()
                async with self._source.ringing(self._bell):
                    await self._begin()
                    await self._read()
                    self._started.clear()  # before the next pause: whoever comes in it waits for another beginning
        finally:
            self._stopped = True
            for listener in self._listeners:
                listener.end(STOPPING)

    async def _begin(self) -> None:
        """Begin at the end of the stream."""
        while not self._started.is_set():
            try:
                _, self.position = await self._source.bounds()
                self._started.set()
            except AWAY as error:
                await self._away(error)

    async def _read(self) -> None:
        loop = asyncio.get_running_loop()
        looked = loop.time()
        while self._listeners:
            try:
                if not await self._look():
                    await self._bell.wait()
                if loop.time() - looked > BOUNDS_SECONDS:
                    await self._check_bounds()
                    looked = loop.time()
                self._problem = None
            except (*AWAY, TopologyError) as error:
                await self._away(error)

    async def _look(self) -> bool:
        """Tell the next page, and return whether there may be more."""
        page = await self._source.after(self.position)
        if page and page[0].id != self.position + 1:
            self._reset((page[0].id or 0) - 1)
        for event in page:
            self.position = event.id or self.position
            for listener in self._following:
                listener.offer(event)
        return len(page) == PAGE

    async def _missed(self, position: int) -> list[Told] | None:
        """Return what follows `position`: nothing where it is not there yet, None where it is gone for good."""
        page = await self._source.after(position)
        if page:
            return page if page[0].id == position + 1 else None
        first, last = await self._source.bounds()
        if position > last or position + 1 < first:
            return None
        await asyncio.sleep(LAG_SECONDS)
        return []

    async def _check_bounds(self) -> None:
        """Begin anew where the stream was made anew: its ids began anew as well."""
        _, last = await self._source.bounds()
        if last < self.position:
            self._reset(last)

    def _reset(self, position: int) -> None:
        self.position = position
        for listener in self._following:
            listener.reset(told(RESET, GONE, place=position))

    async def _away(self, error: Exception) -> None:
        self._problem = str(error) or repr(error)
        log.warning("live events: %s", self._problem)
        await asyncio.sleep(AWAY_SECONDS)
