"""Telegram as a place to publish: raw requests over MTProto, whose random ids make a send idempotent."""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from telethon import TelegramClient, errors
from telethon.tl import functions, types

from common.postgres import Database
from common.telegram.client import call_once
from common.telegram.cutting import cut
from common.telegram.health import SessionDead, SessionUnavailable, reason
from common.telegram.holding import HeldSession, NotHeld
from common.telegram.peers import OUTDATED, Peer, Peers, UnknownPeer, normal
from common.telegram.telethon_entities import to_telethon
from common.telegram.text import RichText
from publisher.adapters.telegram_answers import message_ids_of, same_text, translated
from publisher.adapters.telegram_photos import Fetch, Photos, PhotoUnavailable
from publisher.ports import Away, Lost, Message, Refused, Sent, Unanswered

Result = TypeVar("Result")

TEXT_UNITS = 4096  # UTF-16, https://core.telegram.org/bots/api#sendmessage
CAPTION_UNITS = 1024  # https://core.telegram.org/bots/api#sendphoto
ADDRESS = re.compile(r"@[a-z][a-z0-9_]{2,31}|-?[1-9]\d{0,18}")
CHECKED_SECONDS = 10.0  # for so long a session that was found well is taken to be well
RETRY_SECONDS = 2.0  # between checks of a session that can't be used
DEAD_SECONDS = 30.0  # between tries to sign in anew: Telegram limits them
LOOK_PAGE, LOOK_PAGES = 100, 20  # ids per request (https://core.telegram.org/method/channels.getMessages), requests


class Telegram:
    """One bot. Implements publisher.ports.Platform."""

    name = "telegram"

    def __init__(
        self, database: Database, held: HeldSession, *, fetch: Fetch, link_preview: bool, call_seconds: float
    ) -> None:
        self._database = database
        self._held = held
        self._photos = Photos(fetch)
        self._link_preview = link_preview
        self._call_seconds = call_seconds
        self._client: TelegramClient | None = None
        self._peers: Peers | None = None
        self._known: dict[str, Peer] = {}
        self._crowded: dict[str, bool] = {}
        self._checked = self._retry_at = float("-inf")
        self._died = False

    @property
    def problem(self) -> str | None:
        """Why nothing can be sent now."""
        return self._held.problem

    def canonical(self, address: str) -> str:
        """Return `@name` in lower case, or a marked id."""
        found = normal(address)
        if not ADDRESS.fullmatch(found):
            raise ValueError("the address must be @name or a numeric id such as -1001234567890")
        return found

    def fitted(self, body: RichText, *, caption: bool) -> RichText:
        """Return a text cut to what Telegram takes."""
        return cut(body.trimmed(), CAPTION_UNITS if caption else TEXT_UNITS)

    async def ready(self) -> None:
        """Return when the session was found well in the last ten seconds."""
        now = time.monotonic()
        if self._client is not None and self._client.is_connected() and now - self._checked < CHECKED_SECONDS:
            return
        if now < self._retry_at:
            raise Away(self._held.problem or "the Telegram session is being checked")
        try:
            client, me = await self._held.client()
        except (NotHeld, SessionUnavailable, SessionDead) as error:
            dead = isinstance(error, SessionDead)
            # The first time it may be the stored session that died: the token makes another one at once.
            self._retry_at = time.monotonic() + (DEAD_SECONDS if dead and self._died else RETRY_SECONDS)
            self._died = dead
            raise Away(str(error)) from None
        except errors.RPCError as error:
            raise translated(error) from None
        if client is not self._client:
            self._client, self._peers = client, Peers(self._database, client, me.id, bot=True)
        self._checked, self._died = time.monotonic(), False

    async def crowded(self, address: str) -> bool:
        """Tell whether a place is a basic group or a megagroup."""
        if address not in self._crowded:
            peer = await self._peer(address)
            self._crowded[address] = peer.kind == "chat"
            if peer.kind == "channel":
                answer = await self._call(functions.channels.GetChannelsRequest([peer.input_channel]))
                self._crowded[address] = bool(getattr(answer.chats[0], "megagroup", False))
        return self._crowded[address]

    async def send(self, message: Message) -> Sent:
        """Send a text, a photo or an album, once."""
        return await self._at(message.address, lambda peer: self._send(message, peer))

    async def find(self, message: Message, taken: frozenset[int]) -> Sent | None:
        """Look for a message among the ids after the last one that was known. A bot can't read a chat's history."""
        return await self._at(message.address, lambda peer: self._find(message, peer, taken))

    async def delete(self, address: str, message_ids: tuple[int, ...]) -> None:
        """Delete messages for everybody."""
        ids = list(message_ids)

        async def delete(peer: Peer) -> None:
            if peer.kind == "channel":
                await self._call(functions.channels.DeleteMessagesRequest(peer.input_channel, ids))
            else:
                await self._call(functions.messages.DeleteMessagesRequest(ids, revoke=True))

        await self._at(address, delete)

    async def _send(self, message: Message, peer: Peer) -> Sent:
        note, random_ids = None, message.random_ids
        request = self._text_request(message, peer)
        if message.media:
            try:
                request = await self._photos.request(message, peer, to_telethon(message.body), self._call)
            except PhotoUnavailable as error:
                if not message.body.text:
                    raise Refused(f"there is no text, and {error}") from None
                note, random_ids = f"sent without its media: {error}", random_ids[:1]
        try:
            answer = await self._call(request)
        except errors.RandomIdDuplicateError:
            found = await self._find(message, peer, frozenset())
            if found is None:
                raise Lost(
                    "Telegram says that it was sent before (RANDOM_ID_DUPLICATE); it is not found there"
                ) from None
            return found
        return Sent(ids := message_ids_of(answer, random_ids), _url(message.address, ids), note)

    def _text_request(self, message: Message, peer: Peer) -> Any:
        return functions.messages.SendMessageRequest(
            peer.input_peer,
            message.body.text,
            no_webpage=not self._link_preview,
            random_id=message.random_ids[0],
            entities=to_telethon(message.body) or None,
        )

    async def _find(self, message: Message, peer: Peer, taken: frozenset[int]) -> Sent | None:
        """Read on until a page is empty. Parts of an album have neighbouring ids, the first one has the text."""
        parts = len(message.random_ids)
        for page in range(LOOK_PAGES):
            start = message.after + 1 + page * LOOK_PAGE
            ids: list[Any] = [types.InputMessageID(number) for number in range(start, start + LOOK_PAGE)]
            if peer.kind == "channel":
                answer = await self._call(functions.channels.GetMessagesRequest(peer.input_channel, ids))
            else:
                answer = await self._call(functions.messages.GetMessagesRequest(ids))
            there = [found for found in answer.messages if isinstance(found, types.Message)]
            for found in there:
                if found.id not in taken and found.out and same_text(found, message.body):
                    numbers = tuple(range(found.id, found.id + parts))
                    return Sent(numbers, _url(message.address, numbers))
            if not there:
                return None
        return None

    async def _at(self, address: str, work: Callable[[Peer], Awaitable[Result]]) -> Result:
        """Do something at an address; where what is known of it is outdated, ask Telegram for it once more."""
        try:
            try:
                return await work(await self._peer(address))
            except OUTDATED:
                del self._known[address]
                if self._peers:
                    await self._peers.forget(address)
                return await work(await self._peer(address))
        except errors.RPCError as error:
            if isinstance(problem := translated(error), Away):
                self._checked = float("-inf")
            raise problem from error

    async def _peer(self, address: str) -> Peer:
        if address not in self._known:
            if self._peers is None:
                raise Away(self._held.problem or "not connected to Telegram yet")
            try:
                self._known[address] = await self._peers.resolve(address)
            except UnknownPeer as error:
                raise Refused(str(error)) from None
            except (ConnectionError, TimeoutError) as error:
                raise Away(reason(error)) from None
        return self._known[address]

    async def _call(self, request: Any) -> Any:
        client = self._client
        if client is None or not client.is_connected():
            raise Away(self._held.problem or "not connected to Telegram")
        try:
            return await call_once(client, request, self._call_seconds)
        except (OSError, asyncio.IncompleteReadError, TimeoutError) as error:
            self._checked = float("-inf")
            raise Unanswered(reason(error)) from None


def _url(address: str, message_ids: tuple[int, ...]) -> str | None:
    """Return the link of a message; a person's or a basic group's has none (https://core.telegram.org/api/links)."""
    if not message_ids:
        return None
    if address.startswith("@"):
        return f"https://t.me/{address[1:]}/{message_ids[0]}"
    return f"https://t.me/c/{address[4:]}/{message_ids[0]}" if address.startswith("-100") else None
