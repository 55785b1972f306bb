"""Whether a Telegram session works, asked of the server.

`is_user_authorized()` and `get_me()` hide errors (seen with Telethon 1.45.0: a cached True while the server answered
401), so the question is the raw request.
"""

import logging
import re
from collections.abc import Callable

from telethon import TelegramClient, errors
from telethon.errors.common import AuthKeyNotFound
from telethon.tl.functions.users import GetUsersRequest
from telethon.tl.types import InputUserSelf, User

from common.telegram.client import call, connect, disconnect

log = logging.getLogger(__name__)

RECONNECTS = 3
# All of 401 (https://core.telegram.org/api/errors#401-unauthorized), and of 406 the one that ends a session.
TERMINAL = (errors.UnauthorizedError, errors.AuthKeyDuplicatedError, AuthKeyNotFound)
CAUSE = re.compile(r" \(caused by .*\)$")
CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
UNREACHABLE = (OSError, TimeoutError, errors.ServerError, errors.TimedOutError)


class SessionUnavailable(Exception):
    """The session can't be used now: Telegram can't be reached. Trying again later may help."""


class SessionDead(Exception):
    """The session can't be used ever again: somebody has to sign in anew."""


class NoSession(SessionDead):
    """No session is given: whoever needs none has nothing to mend."""


async def who_am_i(client: TelegramClient) -> User:
    """Return the account of a connected client. Raises SessionDead, or what went wrong."""
    try:
        answer = await call(client, GetUsersRequest([InputUserSelf()]))
    except TERMINAL as error:
        raise SessionDead(reason(error)) from error
    if not answer or not isinstance(answer[0], User):
        raise SessionDead("the session belongs to no account")
    return answer[0]


async def ensure_healthy(client: TelegramClient, connected: Callable[[], None] = lambda: None) -> User:
    """Return the account of a client whose session works, reconnecting up to three times for it.

    `connected` is called after each connect.
    Raises SessionDead or SessionUnavailable with the reason, and FloodWaitError as it is: such a session is well.
    """
    problem: Exception | None = None
    for attempt in range(RECONNECTS + 1):
        try:
            if not client.is_connected():
                await connect(client)
                connected()
            return await who_am_i(client)
        except TERMINAL as error:
            await disconnect(client)
            raise SessionDead(reason(error)) from error
        except SessionDead:
            await disconnect(client)
            raise
        except (OSError, TimeoutError, errors.RPCError) as error:
            if isinstance(error, errors.FloodWaitError):
                raise
            problem = error
            log.warning("telegram: attempt %d of %d: %s", attempt + 1, RECONNECTS + 1, reason(error))
            await disconnect(client)
            if not isinstance(error, UNREACHABLE):  # such as API_ID_INVALID, which another connection does not change
                raise SessionUnavailable(reason(error)) from error
    raise SessionUnavailable(f"{RECONNECTS} reconnects failed: {reason(problem)}") from problem


def reason(error: BaseException | None) -> str:
    """Return an error in a few words, with Telegram's own name for it where it has one: `SESSION_REVOKED: …`."""
    if isinstance(error, AuthKeyNotFound):
        return "AUTH_KEY_NOT_FOUND: the server does not know the session"
    if isinstance(error, errors.RPCError):
        return f"{rpc_name(error)}: {CAUSE.sub('', str(error))}"
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def rpc_name(error: errors.RPCError) -> str:
    """Return Telegram's name of an error, such as CHANNEL_PRIVATE, without the number in it."""
    if type(error).__module__.endswith("rpcbaseerrors"):  # Telethon has no class for it and kept the name itself
        return str(error.message)
    return CAPITAL.sub("_", type(error).__name__.removesuffix("Error")).upper()
