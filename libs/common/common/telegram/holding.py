"""One holder per Telegram session: the same session used from two places is destroyed by Telegram.

The holder of the lease keeps the session connected; when the lease is lost it disconnects within half the lease's time
to live, and a stand-by waits all of it out before it connects.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

from telethon import TelegramClient, errors
from telethon.tl.types import User

from common.leases import LeaseLost, Leases
from common.telegram.client import disconnect
from common.telegram.health import NoSession, SessionDead, SessionUnavailable, ensure_healthy, reason

log = logging.getLogger(__name__)

DEAD_PAUSE = 30.0  # seconds until a dead session is opened again: somebody may have signed in meanwhile
UNAVAILABLE_PAUSE = 2.0
RECONNECT_PAUSE = 0.2
CHECK_SECONDS = 30.0  # a session that was revoked may stay connected, and nothing else tells of it

Open = Callable[[], Awaitable[TelegramClient]]
Connected = Callable[[TelegramClient, User], Awaitable[None]]
Died = Callable[[str], Awaitable[None]]


class NotHeld(Exception):
    """Another replica holds the session, or nobody does yet."""


async def _nothing(*_: object) -> None:
    """What happens where nobody asked to be told."""


class HeldSession:
    """A session that is connected while its lease is ours.

    `open_session` returns a connected client; `connected` is called after every connect and reconnect, `died` with the
    reason once per death of the session, and neither may fail. `run` is the loop that keeps it, and looks after its
    health every `check_every` seconds; `client` is for whoever works with it.
    """

    def __init__(
        self,
        name: str,
        leases: Leases,
        open_session: Open,
        *,
        connected: Connected = _nothing,
        died: Died = _nothing,
        dead_pause: float = DEAD_PAUSE,
        check_every: float = CHECK_SECONDS,
    ) -> None:
        self.name = name
        self.problem: str | None = "not connected yet"
        self._leases = leases
        self._open = open_session
        self._connected = connected
        self._died = died
        self._dead_pause = dead_pause
        self._check_every = check_every
        self._client: TelegramClient | None = None
        self._held = False
        self._reported: str | None = None
        self._one_check = asyncio.Lock()
        self._check: asyncio.Future[tuple[TelegramClient, User]] | None = None

    @property
    def held(self) -> bool:
        """Whether the lease is ours."""
        return self._held

    async def run(self) -> None:
        """Hold the session for ever, or stand by for it."""
        while True:
            with suppress(LeaseLost):
                async with self._leases.held(f"telegram-session:{self.name}"):
                    await self._hold()
            log.warning("telegram session %s: its lease was lost, disconnected", self.name)

    async def client(self) -> tuple[TelegramClient, User]:
        """Return a client whose session was found well just now, after up to three reconnects, and its account.

        Raises NotHeld, SessionUnavailable, SessionDead, and FloodWaitError.
        """
        async with self._one_check:
            if not self._held:
                raise self._not_held()
            self._check = asyncio.ensure_future(self._healthy())
            try:
                return await self._check
            except asyncio.CancelledError:
                if self._held:
                    raise
                raise self._not_held() from None

    async def _hold(self) -> None:
        self._held = True
        try:
            while True:
                pause = await self._keep_connected()
                await asyncio.sleep(pause)
        finally:
            self._held = False
            if self._check is not None:  # it must not connect any more
                self._check.cancel()
                await asyncio.wait({self._check}, timeout=2.0)
            client, self._client = self._client, None
            if client is not None:
                await disconnect(client)

    async def _keep_connected(self) -> float:
        """Connect, and return when the connection ended or is to be checked, with the seconds to wait before that."""
        try:
            client, _ = await self.client()
        except SessionDead:
            return self._dead_pause
        except SessionUnavailable:
            return UNAVAILABLE_PAUSE
        except errors.FloodWaitError as wait:
            log.warning("telegram session %s: %s", self.name, reason(wait))
            return float(wait.seconds)
        ended, _ = await asyncio.wait({client.disconnected}, timeout=self._check_every)
        return RECONNECT_PAUSE if ended else 0.0  # how it ended does not matter

    async def _healthy(self) -> tuple[TelegramClient, User]:
        fresh = False

        def connected() -> None:
            nonlocal fresh
            fresh = True

        try:
            if self._client is None:
                self._client, fresh = await self._open(), True
            client = self._client
            me = await ensure_healthy(client, connected)
        except SessionDead as dead:
            none = isinstance(dead, NoSession)
            self._client, self.problem = None, str(dead) if none else f"the session is dead: {dead}"
            await self._report(str(dead), error=not none)
            raise
        except SessionUnavailable as away:
            self.problem = str(away)
            log.warning("telegram session %s: %s", self.name, away)
            raise
        self.problem, self._reported = None, None
        if fresh:
            log.info("telegram session %s: connected as %d", self.name, me.id)
            await self._connected(client, me)
        return client, me

    def _not_held(self) -> NotHeld:
        return NotHeld(f"another replica holds the Telegram session {self.name}")

    async def _report(self, why: str, *, error: bool) -> None:
        if self._reported != why:
            self._reported = why
            if error:
                log.error("telegram session %s is dead: %s", self.name, why)
            await self._died(why)
