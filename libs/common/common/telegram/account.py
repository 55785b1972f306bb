"""One signed-in account, as those use it who send with it: one call at a time is made, and what came of it is said.

Needs the `telegram` extra.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from telethon import TelegramClient, errors

from common.postgres import Database
from common.sends import Away, Refused, Unanswered, Wait
from common.telegram.answers import translated
from common.telegram.client import call_once
from common.telegram.health import SessionDead, SessionUnavailable, reason
from common.telegram.holding import HeldSession, NotHeld
from common.telegram.peers import OUTDATED, Peer, Peers, UnknownPeer

Result = TypeVar("Result")

CHECKED_SECONDS = 10.0  # for so long a session that was found well is taken to be well
RETRY_SECONDS = 1.0  # between checks of a session that can't be used
DEAD_SECONDS = 30.0  # between tries to open one that is dead: Telegram limits them


class TelegramAccount:
    """An account whose session is held, a user's or a bot's. `call_seconds` says, before each call, what bounds it."""

    def __init__(
        self, database: Database, held: HeldSession, *, call_seconds: Callable[[], float], bot: bool = False
    ) -> None:
        self._database = database
        self._held = held
        self._call_seconds = call_seconds
        self._bot = bot
        self._client: TelegramClient | None = None
        self._peers: Peers | None = None
        self._known: dict[str, Peer] = {}
        self._id: int | None = None
        self._checked = self._retry_at = float("-inf")
        self._died = False

    @property
    def problem(self) -> str | None:
        """Why it can't be used now; nothing where another replica has the session, as then that one uses it."""
        return self._held.problem if self._held.held else None

    async def ready(self) -> None:
        """Return when the session was found well in the last ten seconds. Raises Away, Wait and Trouble."""
        now = time.monotonic()
        if self._client is not None and self._client.is_connected() and now - self._checked < CHECKED_SECONDS:
            return
        if now < self._retry_at:
            raise Away(self._held.problem or "the Telegram session is being checked")
        try:
            client, me = await self._held.client()
        except (NotHeld, SessionUnavailable, SessionDead) as error:
            dead = isinstance(error, SessionDead)
            # The first time it may be the stored session of a bot that died: its token makes another one at once.
            self._retry_at = time.monotonic() + (DEAD_SECONDS if dead and self._died else RETRY_SECONDS)
            self._died = dead
            raise Away(str(error)) from None
        except errors.RPCError as error:
            problem = translated(error)
            if isinstance(problem, Wait):
                self._retry_at = time.monotonic() + problem.seconds
            raise problem from None
        if client is not self._client:
            if me.id != self._id:  # a session file was signed in as somebody else, who opens nothing with these
                self._id, self._known = me.id, {}
            self._client, self._peers = client, Peers(self._database, client, me.id, bot=self._bot)
        self._checked, self._died = time.monotonic(), False

    def connected(self) -> None:
        """Its session was connected just now: it may be used at once."""
        self._retry_at = float("-inf")

    async def recall(self, addresses: Sequence[str]) -> None:
        """Read what is known of all these addresses at once. Raises Away."""
        missing = [address for address in addresses if address not in self._known]
        if missing:
            self._known |= await self._book().remembered(missing)

    def knows(self, address: str) -> bool:
        """Tell whether an address can be used without asking Telegram what it stands for."""
        return address in self._known

    async def peer(self, address: str) -> Peer:
        """Return what an address stands for. Raises Refused where it is nothing that this account can see."""
        if address not in self._known:
            try:
                self._known[address] = await self._book().resolve(address)
            except UnknownPeer as error:
                raise Refused(str(error)) from None
            except errors.RPCError as error:
                raise self.meaning(error) from error
            except (OSError, TimeoutError) as error:
                self.doubt()
                raise Away(reason(error)) from None
        return self._known[address]

    async def learn(self, address: str, peer: Peer) -> None:
        """Remember that an address stands for something else than it says."""
        self._known[address] = peer
        await self._book().remember(address, peer)

    async def forget(self, address: str) -> None:
        """Ask again what an address stands for, the next time."""
        self._known.pop(address, None)
        await self._book().forget(address)

    async def at(self, address: str, work: Callable[[Peer], Awaitable[Result]]) -> Result:
        """Do something at an address; where what is known of it is outdated, ask Telegram for it once more.

        Raises what `meaning` makes of the refusal.
        """
        try:
            try:
                return await work(await self.peer(address))
            except OUTDATED:
                await self.forget(address)
                return await work(await self.peer(address))
        except errors.RPCError as error:
            raise self.meaning(error) from error

    async def ask(self, request: Any) -> Any:
        """Make one call. Raises RPCError as it is, Away before it was made, Unanswered after."""
        client = self._client
        if client is None or not client.is_connected():
            self.doubt()
            raise Away(self._held.problem or "not connected to Telegram")
        try:
            return await call_once(client, request, self._call_seconds())
        except (OSError, asyncio.IncompleteReadError, TimeoutError) as error:
            self.doubt()
            raise Unanswered(reason(error)) from None

    def meaning(self, error: errors.RPCError) -> Exception:
        """Return what a refusal means; one that ends the session has it looked after at once."""
        problem = translated(error)
        if isinstance(problem, Away):
            self.doubt()
        return problem

    def doubt(self) -> None:
        """Have the session looked after before it is used again."""
        self._checked = float("-inf")

    def _book(self) -> Peers:
        if self._peers is None:
            raise Away(self._held.problem or "not connected to Telegram yet")
        return self._peers
