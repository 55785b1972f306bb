"""Telethon's client as Postroom uses it: no hidden waits, no hidden retries, every call bounded.

Needs the `telegram` extra. Pacing, waits and reconnecting are ours, so Telethon's own are switched off here.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import Any

from telethon import TelegramClient, utils
from telethon.crypto import rsa
from telethon.sessions.abstract import Session
from telethon.tl.functions import InvokeWithoutUpdatesRequest

from common.telegram.settings import TelegramSettings

CALL_SECONDS = 60.0
CONNECT_SECONDS = 10
KEY_TRIES = 3  # each fails once in 256
PART_BYTES = 512 * 1024  # https://core.telegram.org/api/files#downloading-files


class NoMemory(dict[int, float]):
    """Takes the place of the flood waits that a client remembers, and remembers nothing."""

    def __setitem__(self, key: int, value: float) -> None:
        """Forget it."""


def create_client(session: Session, settings: TelegramSettings, *, receive_updates: bool = True) -> TelegramClient:
    """Return a client, not yet connected, for a session; it talks to TELEGRAM_SERVER where one is set.

    It neither sleeps out a flood wait nor repeats a request nor reconnects by itself: each of these raises.
    """
    if settings.sandboxed:
        trust(settings.telegram_server_public_key)
        session.set_dc(settings.telegram_dc, *settings.server_address)
    api_id, api_hash = settings.application
    client = TelegramClient(
        session,
        api_id,
        api_hash,
        timeout=CONNECT_SECONDS,
        request_retries=0,
        connection_retries=0,
        auto_reconnect=False,
        flood_sleep_threshold=0,
        raise_last_call_error=True,
        receive_updates=receive_updates,
        device_model="Postroom",
    )
    # One FLOOD_WAIT would make every later request of its kind fail locally, for every chat (seen with 1.45.0), while
    # the server's wait is often for one chat only. What to wait for is decided by our pacing.
    client._flood_waited_requests = NoMemory()
    return client


def trust(public_key_pem: str) -> None:
    """Accept a server that proves itself with this key.

    Telethon keeps the keys of servers in a module, with no way to give a client its own. A key more is harmless there:
    a client only meets the server that its session names.
    """
    rsa.add_key(public_key_pem, old=False)


async def connect(client: TelegramClient) -> None:
    """Connect once. Raises OSError or TimeoutError where the server is away, and what Telegram says of the session."""
    try:
        async with asyncio.timeout(CALL_SECONDS):
            await _with_a_key(client)
    except BaseException:
        await disconnect(client)  # or a half-connected client would believe that it is connected
        raise
    # How the connection ended is told by the next call; an exception that nobody asked for would be logged as lost.
    client.disconnected.add_done_callback(lambda ended: ended.cancelled() or ended.exception())


async def _with_a_key(client: TelegramClient) -> None:
    """Connect, and agree on a key where the session has none.

    Telethon drops the leading zeros of the key that both sides compute, so one exchange in 256 ends in disagreement
    (seen with 1.45.0, network/authenticator.py). Nothing depends on a key yet: another is made.
    """
    for left in reversed(range(KEY_TRIES)):
        try:
            await _answered(client.connect())
        except ConnectionError as error:
            if not left or "auth_key generation failed" not in str(error):
                raise
        else:
            return


async def disconnect(client: TelegramClient, within: float = 2.0) -> None:
    """Disconnect, in `within` seconds at most; whatever goes wrong then, the connection is gone."""
    with contextlib.suppress(Exception):
        async with asyncio.timeout(within):
            await client.disconnect()


async def call(client: TelegramClient, request: Any, timeout: float = CALL_SECONDS) -> Any:
    """Make one request and return its answer, within `timeout` seconds: Telethon itself would wait for ever.

    Raises telethon.errors.RPCError for a refusal, ConnectionError where the connection went away before the answer (the
    request may have been carried out), and TimeoutError.
    """
    try:
        async with asyncio.timeout(timeout):
            return await _answered(client(request))
    except TimeoutError:
        raise TimeoutError(f"no answer to {type(request).__name__} within {timeout:g} s") from None


async def call_once(client: TelegramClient, request: Any, timeout: float = CALL_SECONDS) -> Any:
    """Make one request like `call`, but past Telethon's own handling of it.

    That sleeps for two seconds after each 5xx, RANDOM_ID_DUPLICATE among them, also where it won't ask again, and it
    remembers the entities of every answer (seen with 1.45.0, client/users.py). Not for requests that may move to
    another data centre. Raises what `call` raises.
    """
    await request.resolve(client, utils)
    asked = InvokeWithoutUpdatesRequest(request) if client._no_updates else request
    try:
        async with asyncio.timeout(timeout):
            return await _answered(client._sender.send(asked))
    except TimeoutError:
        raise TimeoutError(f"no answer to {type(request).__name__} within {timeout:g} s") from None


async def file_parts(client: TelegramClient, location: Any, *, dc_id: int, offset: int = 0) -> AsyncGenerator[bytes]:
    """Yield what a file has from `offset` on (a multiple of PART_BYTES), from the data centre that it lies in.

    Each part within CALL_SECONDS. Raises what `call` raises. Close it (`contextlib.aclosing`) where not all is read.
    """
    parts = client.iter_download(location, offset=offset, request_size=PART_BYTES, dc_id=dc_id)
    try:
        while True:
            try:
                async with asyncio.timeout(CALL_SECONDS):
                    part = await _answered(anext(parts))
            except StopAsyncIteration:
                return
            except TimeoutError:
                raise TimeoutError(f"no part of the file within {CALL_SECONDS:g} s") from None
            yield bytes(part)
    finally:
        with contextlib.suppress(AttributeError):  # it knows no connection yet
            await parts.close()


async def _answered(answer: Any) -> Any:
    """Await Telethon. When a connection ends it cancels who waits, which must not look as if our task was cancelled."""
    task = asyncio.current_task()
    try:
        return await answer
    except asyncio.CancelledError:
        if task is not None and task.cancelling():
            raise
        raise ConnectionError("the connection ended before the answer") from None
    except asyncio.IncompleteReadError:  # an EOFError, which nobody takes for a connection that ended
        raise ConnectionError("the connection ended in the middle of an answer") from None
