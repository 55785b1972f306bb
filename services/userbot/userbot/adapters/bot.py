"""The bot that tells an administrator: over MTProto, where a random id makes a message idempotent."""

import asyncio
import hashlib
from collections.abc import Callable

from telethon import errors, utils
from telethon.tl import functions, types

from common.failures import Retry
from common.leases import Leases
from common.telegram.client import call_once, disconnect
from common.telegram.health import SessionDead, reason
from common.telegram.sessions import BotSessions
from userbot.ports import NotTold

SESSION = "userbot-summary"
WAITS = (errors.FloodWaitError, errors.FloodPremiumWaitError, errors.SlowModeWaitError)


class Bot:
    """Tells one person or group. Signed in while it does: that is seldom, and one replica at a time."""

    def __init__(
        self, sessions: BotSessions, leases: Leases, token: str, recipient: int, *, call_seconds: Callable[[], float]
    ) -> None:
        self._sessions = sessions
        self._leases = leases
        self._token = token
        self._recipient = recipient
        self._call_seconds = call_seconds
        self._alone = asyncio.Lock()  # a lease is the process's, and would let in two of its tasks

    async def tell(self, text: str, once: str) -> None:
        """Send a text, one time for each value of `once`.

        Raises NotTold where that will never work, Retry, and what says that Telegram can't be reached.
        """
        request = functions.messages.SendMessageRequest(
            _peer(self._recipient), text, no_webpage=True, random_id=_random_id(once)
        )
        async with self._alone, self._leases.held(f"telegram-session:{SESSION}"):
            try:
                client = await self._sessions.open(SESSION, self._token)
            except SessionDead as dead:
                raise NotTold(f"ADMIN_NOTIFY_BOT_TOKEN: {dead}") from None
            except WAITS as wait:
                raise Retry(wait.seconds, reason(wait)) from None
            try:
                await call_once(client, request, self._call_seconds())
            except errors.RandomIdDuplicateError:
                return  # it was told before
            except WAITS as wait:
                raise Retry(wait.seconds, reason(wait)) from None
            except (errors.BadRequestError, errors.ForbiddenError) as error:
                raise NotTold(f"ADMIN_ID {self._recipient}: {reason(error)}") from None
            finally:
                await disconnect(client)


def _peer(marked: int) -> types.TypeInputPeer:
    """Return whom a bot may address without an access hash (https://core.telegram.org/api/bots/ids)."""
    bare, kind = utils.resolve_id(marked)
    if kind is types.PeerChannel:
        return types.InputPeerChannel(bare, 0)
    return types.InputPeerChat(bare) if kind is types.PeerChat else types.InputPeerUser(bare, 0)


def _random_id(once: str) -> int:
    """Return 63 bits that the same text always gives."""
    return max(1, int.from_bytes(hashlib.sha256(once.encode()).digest()[:8], "big") >> 1)
