"""Peers: what an address stands for, asked of Telegram once per account and then remembered.

`contacts.resolveUsername` is tightly limited, and a string session remembers nothing
(https://core.telegram.org/api/peers#access-hash: a hash is valid for one account only).
"""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from telethon import TelegramClient, errors, utils
from telethon.tl import types
from telethon.tl.functions.channels import GetChannelsRequest
from telethon.tl.functions.contacts import ResolveUsernameRequest
from telethon.tl.functions.messages import GetDialogsRequest

from common.postgres import Database, Queries
from common.telegram.addresses import is_id, normal
from common.telegram.client import call

Result = TypeVar("Result")

# What says that a remembered id or hash is no longer right, as when a name was given to another channel.
OUTDATED = (errors.ChannelInvalidError, errors.PeerIdInvalidError, errors.ChatIdInvalidError, errors.UserIdInvalidError)
DIALOGS_PAGE = 100
WALK_SECONDS = 60.0  # until an id that is among none of the account's chats is looked for again


class UnknownPeer(Exception):
    """Nothing of that address can be seen by this account: wrong, or it is no member there."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A channel, group or user as one account may address it. `id` is bare: without the sign and the -100."""

    kind: str
    id: int
    access_hash: int
    title: str = ""

    @property
    def input_peer(self) -> Any:
        """What requests take as a peer."""
        if self.kind == "channel":
            return types.InputPeerChannel(self.id, self.access_hash)
        return types.InputPeerUser(self.id, self.access_hash) if self.kind == "user" else types.InputPeerChat(self.id)

    @property
    def input_channel(self) -> Any:
        """What the requests of `channels.*` take."""
        return types.InputChannel(self.id, self.access_hash)

    @property
    def marked_id(self) -> int:
        """The id as people and the Bot API write it: -100… for a channel."""
        return int(utils.get_peer_id(self.input_peer))


class Peers:
    """The peers that one account has resolved."""

    def __init__(self, database: Database, client: TelegramClient, account_id: int, *, bot: bool = False) -> None:
        self._database = database
        self._client = client
        self._account_id = account_id
        self._bot = bot
        self._walked = float("-inf")
        self._sql = Queries.load("common", "telegram.sql")

    async def resolve(self, address: str) -> Peer:
        """Return the peer of `@name`, a link to it, or a marked id (-100…).

        Raises UnknownPeer, and telethon.errors.FloodWaitError where too many names were asked for.
        """
        address = normal(address)
        row = await self._database.fetchrow(self._sql["peer"], self._account_id, address)
        if row is not None:
            return Peer(row["kind"], row["peer_id"], row["access_hash"], row["title"])
        peer = await (self._by_id(int(address)) if is_id(address) else self._by_name(address))
        await self.remember(address, peer)
        return peer

    async def remembered(self, addresses: Sequence[str]) -> dict[str, Peer]:
        """Return those of these addresses, in their normal form, that were resolved before."""
        rows = await self._database.fetch(self._sql["peers"], self._account_id, list(addresses))
        return {row["address"]: Peer(row["kind"], row["peer_id"], row["access_hash"], row["title"]) for row in rows}

    async def remember(self, address: str, peer: Peer) -> None:
        """Keep what an address stands for."""
        await self._database.execute(
            self._sql["put_peer"], self._account_id, address, peer.kind, peer.id, peer.access_hash, peer.title
        )

    async def forget(self, address: str) -> None:
        """Ask again the next time."""
        await self._database.execute(self._sql["forget_peer"], self._account_id, normal(address))

    async def using(self, address: str, work: Callable[[Peer], Awaitable[Result]]) -> Result:
        """Do `work` with the peer of an address; where Telegram says that it is outdated, once more with a new one."""
        try:
            return await work(await self.resolve(address))
        except OUTDATED:
            await self.forget(address)
            return await work(await self.resolve(address))

    async def _by_name(self, address: str) -> Peer:
        try:
            answer = await call(self._client, ResolveUsernameRequest(address.removeprefix("@")))
        except (errors.UsernameNotOccupiedError, errors.UsernameInvalidError):
            raise UnknownPeer(f"there is no {address} on Telegram") from None
        found = answer.chats or answer.users
        if not found:
            raise UnknownPeer(f"there is no {address} on Telegram")
        return _peer(found[0])

    async def _by_id(self, marked: int) -> Peer:
        """A user finds an id among its own chats; a bot may ask for the channels that it is in without their hash."""
        bare, kind = utils.resolve_id(marked)
        if self._bot and kind is types.PeerChannel:
            try:
                answer = await call(self._client, GetChannelsRequest([types.InputChannel(bare, 0)]))
            except (errors.ChannelInvalidError, errors.ChannelPrivateError):
                raise UnknownPeer(f"the bot is not a member of {marked}") from None
            return _peer(answer.chats[0])
        if kind is types.PeerChat:
            return Peer("chat", bare, 0)
        if time.monotonic() - self._walked > WALK_SECONDS:
            seen: dict[int, Any] = {}
            async for entity in self._own_chats():
                if not getattr(entity, "min", False):  # the hash of such a one opens nothing
                    seen[utils.get_peer_id(entity)] = entity
                if marked in seen:
                    break
            else:
                self._walked = time.monotonic()
            await self._remember_all(seen)
            if marked in seen:
                return _peer(seen[marked])
        raise UnknownPeer(f"the account is not a member of {marked}")

    async def _remember_all(self, seen: Mapping[int, Any]) -> None:
        """Keep what a walk through the account's chats came by: a list of three hundred ids is one walk then."""
        peers = [(str(marked), _peer(entity)) for marked, entity in seen.items()]
        rows = [(address, peer.kind, peer.id, peer.access_hash, peer.title) for address, peer in peers]
        columns = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(5)]
        await self._database.execute(self._sql["put_peers"], self._account_id, *columns)

    async def _own_chats(self) -> Any:
        date, number, peer = None, 0, types.InputPeerEmpty()
        while True:
            answer = await call(
                self._client,
                GetDialogsRequest(offset_date=date, offset_id=number, offset_peer=peer, limit=DIALOGS_PAGE, hash=0),
            )
            for entity in (*answer.chats, *answer.users):
                yield entity
            dated = [message for message in answer.messages if getattr(message, "date", None)]
            if len(answer.dialogs) < DIALOGS_PAGE or not dated:
                return
            last = dated[-1]
            entities = {utils.get_peer_id(entity): entity for entity in (*answer.chats, *answer.users)}
            date, number = last.date, last.id
            peer = utils.get_input_peer(entities[utils.get_peer_id(last.peer_id)])


def _peer(entity: Any) -> Peer:
    match entity:
        case types.Channel() | types.ChannelForbidden():
            return Peer("channel", entity.id, entity.access_hash or 0, entity.title)
        case types.Chat() | types.ChatForbidden():
            return Peer("chat", entity.id, 0, entity.title)
        case types.User():
            return Peer("user", entity.id, entity.access_hash or 0, utils.get_display_name(entity))
    raise UnknownPeer(f"Telegram answered with a {type(entity).__name__}")
