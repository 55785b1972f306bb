"""When a lane may send: the paces of its destination and account, and what the platform asked to wait."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from prometheus_client import Counter

from common.limits import Pace, Pacing
from common.sends import Wait

log = logging.getLogger(__name__)

# So many destinations under a flood wait at once say that the account is meant, not the chats.
FLOODED_DESTINATIONS = 3


class Account:
    """The waits of one account of a platform.

    Telegram does not say whether a flood wait is for the chat or for the account, and stopping everything for a wait
    that one chat has would be worse than one refused call per chat. So it is taken for the chat's, until three chats
    have one at the same time: then the whole account waits.
    """

    def __init__(self, name: str, pacing: Pacing) -> None:
        self.key = f"{name}:account"
        self._pacing = pacing
        self._flooded: dict[str, float] = {}

    async def block(self, destination: str, wait: Wait) -> None:
        """Let nothing pass to a destination, or from the account, for as long as the platform asked."""
        loop = asyncio.get_running_loop()
        self._flooded = {place: until for place, until in self._flooded.items() if until > loop.time()}
        self._flooded[destination] = loop.time() + wait.seconds
        await self._pacing.block(destination, wait.seconds)
        if wait.scope == "account" or len(self._flooded) >= FLOODED_DESTINATIONS:
            log.warning("%s: blocked for %.0f s: %s", self.key, wait.seconds, wait)
            await self._pacing.block(self.key, wait.seconds)


class LanePace:
    """The pace of one lane.

    A place that was taken in one pace is kept while the next one makes wait, so that nothing is lost between them.
    `paces` gives the paces by key, in the order in which they are asked, or none where pacing is off.
    """

    def __init__(
        self,
        destination: str,
        account: Account,
        pacing: Pacing,
        paces: Callable[[], Awaitable[dict[str, Pace]]],
        waited: Counter,
    ) -> None:
        self._destination = destination
        self._account = account
        self._pacing = pacing
        self._paces = paces
        self._waited = waited.labels(destination)
        self._allowed = False

    async def unblocked(self) -> None:
        """Return when what the platform asked to wait is over."""
        for key in (self._destination, self._account.key):
            while (seconds := await self._pacing.blocked(key)) > 0:
                await self._sleep(seconds)

    async def allow(self) -> None:
        """Return when one may be sent; what is allowed and not `used` stays allowed."""
        await self.unblocked()
        if self._allowed:
            return
        for key, pace in (await self._paces()).items():
            while (seconds := await self._pacing.take(key, pace)) > 0:
                await self._sleep(seconds)
        self._allowed = True

    def used(self) -> None:
        """One was sent."""
        self._allowed = False

    async def block(self, wait: Wait) -> None:
        """Heed what the platform asked."""
        log.warning("%s: waits for %.0f s: %s", self._destination, wait.seconds, wait)
        await self._account.block(self._destination, wait)

    async def _sleep(self, seconds: float) -> None:
        self._waited.inc(seconds)
        await asyncio.sleep(seconds)
