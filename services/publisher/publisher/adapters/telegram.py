"""Telegram as a place to publish: raw requests over MTProto, whose random ids make a send idempotent."""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from telethon import errors
from telethon.tl import functions, types

from common.media.items import MediaItem
from common.planning.fitting import for_telegram
from common.postgres import Database
from common.sends import Doubtful, Reduced, Refused, SentBefore, Trouble, Unanswered
from common.telegram.account import TelegramAccount
from common.telegram.addresses import normal
from common.telegram.answers import message_ids_of, translated
from common.telegram.health import reason
from common.telegram.holding import HeldSession
from common.telegram.outgoing import UNSUITABLE, MediaUnavailable, OpenMedia, Outgoing
from common.telegram.peers import Peer
from common.telegram.text import RichText
from publisher.adapters.telegram_search import Ask, look_for, newest
from publisher.ports import Message, Sent

ADDRESS = re.compile(r"@[a-z][a-z0-9_]{2,31}|-?[1-9]\d{0,18}")


class Telegram:
    """One bot. Implements publisher.ports.Platform."""

    name = "telegram"
    has_images_made = False

    def __init__(
        self,
        database: Database,
        held: HeldSession,
        *,
        open_media: OpenMedia,
        link_preview: bool,
        call_seconds: Callable[[], float],
    ) -> None:
        self._held = held
        self._account = TelegramAccount(database, held, call_seconds=call_seconds, bot=True)
        self._outgoing = Outgoing(open_media, self._account.ask)
        self._link_preview = link_preview
        self._crowded: dict[str, bool] = {}

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
        return for_telegram(body, caption=caption)

    async def ready(self) -> None:
        """Return when the session was found well in the last ten seconds."""
        await self._account.ready()

    async def crowded(self, address: str) -> bool:
        """Tell whether a place is a basic group or a megagroup."""

        async def look(peer: Peer) -> bool:
            if peer.kind != "channel":
                return peer.kind == "chat"
            answer = await self._account.ask(functions.channels.GetChannelsRequest([peer.input_channel]))
            return bool(getattr(answer.chats[0], "megagroup", False))

        if address not in self._crowded:
            self._crowded[address] = await self._account.at(address, look)
        return self._crowded[address]

    async def send(self, message: Message) -> Sent:
        """Send a text, a medium or an album, once."""
        return await self._account.at(message.address, lambda peer: self._send(message, peer))

    async def find(self, message: Message, taken: frozenset[int]) -> Sent | None:
        """Look for a message among the ids after the last one that was known."""
        ids = await self._account.at(message.address, lambda peer: look_for(self._asking(peer), message, peer, taken))
        if ids is None:
            return None
        without = len(ids) < len(message.random_ids)
        return Sent(ids, _url(message.address, ids), "sent without all of its media" if without else None)

    async def newest(self, address: str) -> int:
        """Return the newest id at an address."""
        return await self._account.at(address, lambda peer: newest(self._asking(peer)))

    async def delete(self, address: str, message_ids: tuple[int, ...]) -> None:
        """Delete messages for everybody."""
        ids = list(message_ids)

        async def delete(peer: Peer) -> None:
            if peer.kind == "channel":
                await self._account.ask(functions.channels.DeleteMessagesRequest(peer.input_channel, ids))
            else:
                await self._account.ask(functions.messages.DeleteMessagesRequest(ids, revoke=True))

        await self._account.at(address, delete)

    async def _send(self, message: Message, peer: Peer) -> Sent:
        """Send it, without the media that can't be had or that Telegram does not take."""
        parts, problems = list(zip(message.media, message.random_ids, strict=False)), []
        while True:
            media = [item for item, _ in parts]
            random_ids = [number for _, number in parts] or message.random_ids[:1]
            try:
                ids = await self._deliver(peer, message.body, media, random_ids)
                break
            except MediaUnavailable as error:
                problems.append(str(error))
                parts = [] if error.position is None else parts[: error.position] + parts[error.position + 1 :]
            if not parts and not message.body.text:
                raise Refused(f"there is no text, and {'; '.join(problems)}")
            if message.doubtful:
                raise Reduced("; ".join(problems))
        lost = "its media" if not parts else f"{len(problems)} of its {len(message.media)} media"
        note = f"sent without {lost}: {'; '.join(problems)}" if problems else None
        return Sent(ids, _url(message.address, ids), note)

    async def _deliver(
        self, peer: Peer, body: RichText, media: Sequence[MediaItem], random_ids: Sequence[int]
    ) -> tuple[int, ...]:
        try:
            request = await self._outgoing.request(peer, body, media, random_ids, link_preview=self._link_preview)
        except Unanswered as error:  # of an upload, by which nothing is sent
            raise Trouble(str(error)) from None
        try:
            answer = await self._account.ask(request)
        except errors.RandomIdDuplicateError:
            raise SentBefore("Telegram says that it was sent before (RANDOM_ID_DUPLICATE)") from None
        except errors.RPCError as error:
            if media and isinstance(error, UNSUITABLE):
                raise MediaUnavailable(reason(error), 0 if len(media) == 1 else None) from None
            if isinstance(problem := translated(error), Trouble):
                raise Doubtful(str(problem)) from error
            raise
        return message_ids_of(answer, random_ids)

    def _asking(self, peer: Peer) -> Ask:
        async def ask(numbers: Iterable[int]) -> list[Any]:
            """Return what there is under these ids; what is not there is a MessageEmpty."""
            ids: list[Any] = [types.InputMessageID(number) for number in numbers]
            if peer.kind == "channel":
                answer = await self._account.ask(functions.channels.GetMessagesRequest(peer.input_channel, ids))
            else:
                answer = await self._account.ask(functions.messages.GetMessagesRequest(ids))
            return [found for found in answer.messages if not isinstance(found, types.MessageEmpty)]

        return ask


def _url(address: str, message_ids: tuple[int, ...]) -> str | None:
    """Return the link of a message; a person's or a basic group's has none (https://core.telegram.org/api/links)."""
    if not message_ids:
        return None
    if address.startswith("@"):
        return f"https://t.me/{address[1:]}/{message_ids[0]}"
    return f"https://t.me/c/{address[4:]}/{message_ids[0]}" if address.startswith("-100") else None
