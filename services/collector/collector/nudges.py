"""Nudges: requests to read a source now, because it has news or because the connection to Telegram was away.

Live messages are the fast path and carry nothing but the nudge; reading on from the last known message is the
guarantee. So a nudge that is lost costs time, never a post.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from uuid import UUID, uuid4

from nats.errors import Error as NatsError

from common.catalog import Catalog
from common.events import CollectRequested, Event, NotifyRequested
from common.postgres import UNREACHABLE

log = logging.getLogger(__name__)

Emit = Callable[[Sequence[Event], str], Awaitable[None]]  # events and their cause


class Nudges:
    """Collects what should be asked for, and asks. All times are in seconds."""

    def __init__(self, catalog: Catalog, emit: Emit, *, debounce: float, poll: float) -> None:
        self._catalog = catalog
        self._emit = emit
        self._debounce = debounce
        self._poll = poll
        self._live: dict[UUID, int] = {}  # source to its newest message
        self._notices: list[NotifyRequested] = []
        self._nudged: set[UUID] | None = None  # since the last connect; None: not connected yet
        self._something = asyncio.Event()

    def live(self, source_id: UUID, message_id: int) -> None:
        """A message arrived."""
        self._live[source_id] = max(message_id, self._live.get(source_id, 0))
        self._something.set()

    def connected(self) -> None:
        """Telegram is connected again: everything may have been missed."""
        self._nudged = set()
        self._something.set()

    def tell(self, notice: NotifyRequested) -> None:
        """Tell people something, as soon as that is possible."""
        self._notices.append(notice)
        self._something.set()

    async def run(self) -> None:
        """Ask for ever. What can't be asked for now, as the database or NATS is away, is asked for later."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._poll):
                    await self._something.wait()
                await asyncio.sleep(self._debounce)
            self._something.clear()
            try:
                await self._tell()
                await self._nudge_live()
                await self._nudge_all()
            except (*UNREACHABLE, NatsError) as error:
                log.warning("nudges: %r, again in %g s", error, self._poll)

    async def _tell(self) -> None:
        while self._notices:
            await self._emit([self._notices[0]], f"{self._notices[0].kind}/{uuid4()}")
            self._notices.pop(0)

    async def _nudge_live(self) -> None:
        for source_id, message_id in list(self._live.items()):
            request = CollectRequested(source_id=source_id, reason="live")
            await self._emit([request], f"live/{source_id}/{message_id}")
            if self._live[source_id] == message_id:
                del self._live[source_id]

    async def _nudge_all(self) -> None:
        """Also what came into the catalog since."""
        nudged = self._nudged
        if nudged is None:
            return
        for source in await self._catalog.sources("telegram"):
            if source.id not in nudged:
                await self._emit([CollectRequested(source_id=source.id, reason="connected")], f"connected/{uuid4()}")
                nudged.add(source.id)
