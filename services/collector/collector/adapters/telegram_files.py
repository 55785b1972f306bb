"""Media of Telegram messages. Each message is read anew: a reference to a file is valid for a short time only
(https://core.telegram.org/api/file-references)."""

import asyncio
import tempfile
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from functools import partial
from typing import Any, BinaryIO, TypeAlias, cast

from telethon import TelegramClient, errors
from telethon.tl import types
from telethon.tl.functions import channels, messages
from telethon.tl.types import User

from collector.adapters.telegram import CLOSED, WAITS
from collector.adapters.telegram_media import largest, media_of
from collector.ports import STAND_BY_SECONDS, Fetch, Medium, MediumUnavailable, NotNow, RateLimited
from common.media.store import IN_MEMORY_BYTES
from common.postgres import Database
from common.telegram.client import PART_BYTES, call, file_parts
from common.telegram.health import TERMINAL, SessionDead, reason
from common.telegram.holding import HeldSession, NotHeld
from common.telegram.peers import Peer, Peers, UnknownPeer

SESSION_DEAD_SECONDS = 120.0  # until it is tried again whether somebody signed in
# Accounts without Premium are slowed down in the middle of a file: https://core.telegram.org/api/errors#420-flood
SHORT_WAIT_SECONDS = 30

Messages: TypeAlias = Mapping[int, Any]


class NoTelegramFiles:
    """Stands where Telegram is not set up."""

    async def prepare(self, media: Sequence[Medium], *, allow_private: bool) -> Fetch:  # noqa: ARG002
        """Raise MediumUnavailable."""
        raise MediumUnavailable("Telegram is not set up: TELETHON_SESSION is not set")


class TelegramFiles:
    """Fetches photos and files with the session that we hold, up to `most_bytes`."""

    def __init__(self, session: HeldSession, database: Database, *, most_bytes: int) -> None:
        self._session = session
        self._database = database
        self._most_bytes = most_bytes
        self._until = 0.0  # by the monotonic clock: asking earlier makes a wait longer

    async def prepare(self, media: Sequence[Medium], *, allow_private: bool) -> Fetch:  # noqa: ARG002
        """Read the messages anew, and return what fetches their media."""
        return partial(self._fetch, await self._messages(media))

    @asynccontextmanager
    async def _fetch(self, found: Messages, medium: Medium) -> AsyncIterator[tuple[BinaryIO, str]]:
        with tempfile.SpooledTemporaryFile(IN_MEMORY_BYTES) as file:
            content = cast(BinaryIO, file)
            try:
                mime_type = await self._read(found, medium, content)
            except (errors.FileReferenceExpiredError, errors.FilerefUpgradeNeededError):
                mime_type = await self._read(await self._messages([medium]), medium, content)
            content.seek(0)
            yield content, mime_type

    async def _messages(self, media: Sequence[Medium]) -> Messages:
        """Return the messages that media are in, by their ids."""
        ids: list[Any] = [types.InputMessageID(medium.reference["message_id"]) for medium in media]

        async def ask(client: TelegramClient, peer: Peer) -> Messages:
            if peer.kind == "channel":
                answer = await call(client, channels.GetMessagesRequest(peer.input_channel, ids))
            else:
                answer = await call(client, messages.GetMessagesRequest(ids))
            if any(chat.id == peer.id and getattr(chat, "noforwards", False) for chat in answer.chats):
                raise MediumUnavailable("the channel forbids saving its content")
            return {message.id: message for message in answer.messages}

        async with self._using_session() as (client, me):
            return await Peers(self._database, client, me.id).using(media[0].reference["chat"], partial(ask, client))

    async def _read(self, found: Messages, medium: Medium, into: BinaryIO) -> str:
        """Read a medium into a file and return its MIME type."""
        media, mime_type = _found(found, medium)
        location, dc_id, size = _where(media)
        if size > self._most_bytes:
            raise MediumUnavailable(f"its {size:,} bytes are more than {self._most_bytes:,}")
        into.seek(0)
        into.truncate()
        async with self._using_session() as (client, _):
            while True:
                try:
                    await self._copy(partial(file_parts, client, location, dc_id=dc_id), into, size)
                    break
                except errors.FloodPremiumWaitError as wait:
                    if wait.seconds > SHORT_WAIT_SECONDS:
                        raise
                    await asyncio.sleep(wait.seconds)
        if into.tell() < size:
            raise ConnectionError(f"the file ended after {into.tell():,} of {size:,} bytes")
        return mime_type

    async def _copy(self, parts: Callable[..., AsyncGenerator[bytes]], into: BinaryIO, size: int) -> None:
        """Go on from where the file ends now; all but its last part are whole."""
        async with aclosing(parts(offset=into.tell())) as reading:
            async for part in reading:
                into.write(part)
                if into.tell() > self._most_bytes:
                    raise MediumUnavailable(f"it has more than {self._most_bytes:,} bytes")
                if len(part) < PART_BYTES or into.tell() == size:
                    return

    @asynccontextmanager
    async def _using_session(self) -> AsyncIterator[tuple[TelegramClient, User]]:
        """Give the session, and say what its errors mean. Raises MediumUnavailable, NotNow, and what may pass."""
        waiting = self._until - time.monotonic()
        if waiting > 0:
            raise RateLimited(waiting, f"Telegram asked to wait, {waiting:.0f} s are left")
        try:
            yield await self._session.client()
        except WAITS as wait:
            self._until = time.monotonic() + wait.seconds
            raise RateLimited(wait.seconds, f"Telegram asks to wait {wait.seconds} s") from wait
        except NotHeld as elsewhere:
            raise NotNow(STAND_BY_SECONDS, str(elsewhere)) from elsewhere
        except (SessionDead, *TERMINAL) as error:
            raise await self._death(error) from error
        except UnknownPeer as error:
            raise MediumUnavailable(str(error)) from error
        except (errors.FileReferenceExpiredError, errors.FilerefUpgradeNeededError):
            raise
        except (*CLOSED, errors.BadRequestError, errors.ForbiddenError) as error:
            raise MediumUnavailable(reason(error)) from error

    async def _death(self, error: Exception) -> Exception:
        """Return what a dead session means; `client` finds out what became of it, and tells people."""
        if not isinstance(error, SessionDead):
            try:
                await self._session.client()
            except SessionDead as dead:
                error = dead
            except NotHeld as elsewhere:
                return NotNow(STAND_BY_SECONDS, str(elsewhere))
            else:
                return error
        return NotNow(SESSION_DEAD_SECONDS, f"the Telegram session is dead: {error}")


def _found(messages: Messages, medium: Medium) -> tuple[Any, str]:
    """Return the media of a medium's message, with the MIME type.

    Raises MediumUnavailable where the message has none of that kind any more.
    """
    number = medium.reference["message_id"]
    message = messages.get(number)
    if not isinstance(message, types.Message):
        raise MediumUnavailable(f"message {number} was deleted")
    if message.noforwards:
        raise MediumUnavailable(f"message {number} may not be saved")
    media = media_of(medium.reference["chat"], message)
    if media is None or media.kind != medium.kind:
        raise MediumUnavailable(f"message {number} has no {medium.kind} any more")
    return message.media, media.mime_type


def _where(media: Any) -> tuple[Any, int, int]:
    """Return where a photo or file lies: its location, its data centre, its size in bytes."""
    if isinstance(media, types.MessageMediaPhoto):
        photo: Any = media.photo
        size = largest(photo)
        location: Any = types.InputPhotoFileLocation(photo.id, photo.access_hash, photo.file_reference, size.type)
        return location, photo.dc_id, size.bytes
    document = media.document
    location = types.InputDocumentFileLocation(document.id, document.access_hash, document.file_reference, "")
    return location, document.dc_id, document.size
