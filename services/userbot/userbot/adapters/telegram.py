"""Telegram as a user account sends there: raw requests, whose random ids make a send idempotent."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from telethon import errors
from telethon.tl import functions, types

from common.sends import Away, Doubtful, Refused, SentBefore, Trouble, Unanswered, Wait
from common.telegram.account import TelegramAccount
from common.telegram.answers import message_ids_of
from common.telegram.outgoing import MediaUnavailable, OpenMedia, Outgoing, forward_request
from common.telegram.peers import Peer
from userbot.adapters.history import look_for
from userbot.adapters.refusals import forgotten, meant
from userbot.ports import ChatRefused, ContentMissing, ContentRefused, Moved, Place, SpamBlocked
from userbot.task import Forward, Material

Result = TypeVar("Result")

# What a basic group answers that became a supergroup, and one that was never there.
GONE = (errors.ChatIdInvalidError, errors.PeerIdInvalidError, errors.ChatInvalidError)


class Telegram:
    """One user account. Implements userbot.ports.Platform."""

    def __init__(self, account: TelegramAccount, open_media: OpenMedia, *, link_preview: bool) -> None:
        self._account = account
        self._outgoing = Outgoing(open_media, account.ask, reuse=True)
        self._link_preview = link_preview

    @property
    def problem(self) -> str | None:
        """Why nothing can be sent now."""
        return self._account.problem

    async def ready(self) -> None:
        """Return when the session was found well in the last ten seconds."""
        await self._account.ready()

    async def recall(self, addresses: Sequence[str]) -> None:
        """Read what is known of all these addresses at once."""
        await self._account.recall(addresses)

    def knows(self, address: str) -> bool:
        """Tell whether an address was resolved before."""
        return self._account.knows(address)

    async def place(self, address: str) -> Place:
        """Return what an address stands for."""
        try:
            peer = await self._peer(address)
        except Refused as error:
            raise ChatRefused(str(error), "missing") from None
        return Place(peer.marked_id, peer.title)

    async def send(self, address: str, material: Material, random_ids: Sequence[int]) -> tuple[int, ...]:
        """Send a text, a medium, an album or a forward, once."""

        async def send(peer: Peer) -> tuple[int, ...]:
            request = await self._request(peer, material, random_ids)
            try:
                return message_ids_of(await self._account.ask(request), random_ids)
            except errors.RandomIdDuplicateError:
                raise SentBefore("Telegram says that it was sent before (RANDOM_ID_DUPLICATE)") from None
            except errors.RPCError as error:
                if forgotten(error):
                    self._outgoing.forget()
                    raise
                problem = meant(self._account, error)
                if isinstance(problem, Trouble):
                    raise Doubtful(str(problem)) from error
                if material.forward and isinstance(problem, ChatRefused):  # or is it where it is forwarded from?
                    await self._see(material.forward)
                raise

        return await self._at(address, send)

    async def find(
        self, address: str, material: Material, since: datetime, taken: frozenset[int]
    ) -> tuple[int, ...] | None:
        """Look in the history for what may have been sent."""
        return await self._at(address, lambda peer: look_for(self._account.ask, peer, material, since, taken))

    async def _request(self, peer: Peer, material: Material, random_ids: Sequence[int]) -> Any:
        if material.forward:
            source = await self._source(material.forward)
            return forward_request(source, material.forward.message_ids, peer, random_ids)
        try:
            return await self._outgoing.request(
                peer, material.body, material.media, random_ids, link_preview=self._link_preview
            )
        except Unanswered as error:  # of an upload, by which nothing is sent
            raise Away(str(error)) from None
        except (MediaUnavailable, OSError) as error:  # a file of it lies on the disk meanwhile
            raise ContentMissing(str(error) or type(error).__name__) from None

    async def _peer(self, address: str) -> Peer:
        try:
            return await self._account.peer(address)
        except Wait as wait:
            if wait.scope == "account":
                raise SpamBlocked(str(wait)) from None
            raise

    async def _source(self, forward: Forward) -> Peer:
        try:
            return await self._peer(forward.chat)
        except Refused as error:
            raise ContentRefused(f"it can't be forwarded: {error}") from None

    async def _see(self, forward: Forward) -> None:
        """Look at what is to be forwarded. Raises ContentRefused where the account no longer may."""
        source = await self._source(forward)
        if source.kind != "channel":
            return
        ids: list[Any] = [types.InputMessageID(number) for number in forward.message_ids]
        try:
            await self._account.ask(functions.channels.GetMessagesRequest(source.input_channel, ids))
        except Unanswered as error:
            raise Away(str(error)) from None
        except errors.RPCError as error:
            problem = meant(self._account, error)
            if isinstance(problem, Refused):
                raise ContentRefused(f"it can't be forwarded: {problem}") from None
            raise problem from error

    async def _at(self, address: str, work: Callable[[Peer], Awaitable[Result]]) -> Result:
        """Do something at an address. What is known of it may be outdated; then Telegram is asked once more."""
        try:
            peer = await self._peer(address)
            try:
                return await work(peer)
            except GONE as error:
                if peer.kind == "chat":
                    await self._follow(address, peer, error)
                raise
            except errors.ChannelInvalidError:
                await self._account.forget(address)
                return await work(await self._peer(address))
        except errors.RPCError as error:
            raise meant(self._account, error) from error

    async def _follow(self, address: str, peer: Peer, error: errors.RPCError) -> None:
        """Raise Moved where a basic group became a supergroup (https://core.telegram.org/api/channel#migration)."""
        try:
            answer = await self._account.ask(functions.messages.GetChatsRequest([peer.id]))
        except Unanswered as unanswered:
            raise Away(str(unanswered)) from None
        except errors.RPCError as refused:
            problem = meant(self._account, refused)
            if isinstance(problem, Refused):
                return
            raise problem from refused
        group: Any = next(iter(answer.chats), None)
        became = getattr(group, "migrated_to", None)
        if not isinstance(became, types.InputChannel):
            return
        now = Peer("channel", became.channel_id, became.access_hash, group.title)
        await self._account.learn(address, now)
        raise Moved(Place(now.marked_id, now.title)) from error
