"""What each account is shown: users, chats and messages as TL objects.

Serialising is most of what an answer costs, so what doesn't change is serialised once for each viewer, and the parts of
a message that are kept as bytes travel as they are.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sandbox.telegram.boxes import EventKind
from sandbox.telegram.chats import Chat
from sandbox.telegram.messages import Change, Message
from sandbox.telegram.peers import Peers, output_peer
from sandbox.telegram.people import User
from sandbox.telegram.wire import tl
from sandbox.telegram.world import World

POSTING = tl.ChatAdminRights(
    change_info=True, post_messages=True, edit_messages=True, delete_messages=True, ban_users=True, invite_users=True
)
FOREVER = 2**31 - 1


class Serialised:
    """A TL object that is bytes already."""

    __slots__ = ("_content",)

    def __init__(self, content: bytes) -> None:
        self._content = content

    def __bytes__(self) -> bytes:
        return self._content

    def _bytes(self) -> bytes:
        return self._content


class SerialisedVector:
    """Several TL objects that are bytes already, one after the other: looks to Telethon like a list of them."""

    __slots__ = ("_content", "_count")

    def __init__(self, content: bytes, count: int) -> None:
        self._content = content
        self._count = count

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Serialised]:
        return iter((Serialised(self._content),))


class Views:
    """Shows the world to an account."""

    def __init__(self, world: World, peers: Peers) -> None:
        self._world = world
        self._peers = peers
        self._users: dict[tuple[int, int], Serialised] = {}
        self._chats: dict[tuple[int, int], tuple[int, Serialised]] = {}

    def user(self, viewer: User, user: User) -> Serialised:
        """A user; people's phone numbers only to themselves."""
        shown = self._users.get((viewer.id, user.id))
        if shown is None:
            shown = self._users[viewer.id, user.id] = Serialised(bytes(self._user(viewer, user)))
        return shown

    def chat(self, viewer: User, chat: Chat) -> Serialised:
        """A channel or group."""
        known = self._chats.get((viewer.id, chat.id))
        if known is not None and known[0] == chat.version:
            return known[1]
        shown = Serialised(bytes(self._group(viewer, chat) if chat.is_group else self._channel(viewer, chat)))
        self._chats[viewer.id, chat.id] = (chat.version, shown)
        return shown

    def message(self, viewer: User, message: Message) -> Any:
        """A message of the viewer's box or of a channel."""
        chat = self._world.chat_book.get(message.chat_id)
        post = chat is not None and chat.kind == "channel"
        entities = SerialisedVector(message.entities, message.entity_count) if message.entities else None
        return tl.Message(
            message.id,
            output_peer(message.chat_id),
            date=int(message.date),
            message=message.text,
            out=message.sender_id == viewer.id or None,
            post=post or None,
            from_id=None if post else tl.PeerUser(message.sender_id),
            noforwards=bool(message.noforwards) or None,  # a chat that forbids it says so itself
            entities=entities,
            media=Serialised(message.media) if message.media else None,
            reply_markup=Serialised(message.markup) if message.markup else None,
            fwd_from=Serialised(message.forward) if message.forward else None,
            reply_to=tl.MessageReplyHeader(reply_to_msg_id=message.reply_to) if message.reply_to else None,
            grouped_id=message.grouped_id,
            edit_date=int(message.edit_date) if message.edit_date else None,
            views=1 if post else None,  # `views` and `forwards` share a flag: one needs the other
            forwards=0 if post else None,
        )

    def change(self, viewer: User, change: Change, pts_count: int | None = None) -> Any:
        """The update that tells of a change."""
        count = len(change.ids) if pts_count is None else pts_count
        return self.event(viewer, change.kind, change.chat_id, change.pts, count, change.ids, change.message)

    def event(
        self,
        viewer: User,
        kind: EventKind,
        chat_id: int,
        pts: int,
        count: int,
        ids: Sequence[int],
        message: Message | None,
    ) -> Any:
        """The update for messages that came, changed or went; `pts` is the box's after `count` events."""
        channel = self._world.chat_book.get(chat_id)
        in_channel = channel is not None and not channel.is_group
        if message is None:
            if channel is not None and in_channel:
                return tl.UpdateDeleteChannelMessages(channel.bare_id, list(ids), pts, count)
            return tl.UpdateDeleteMessages(list(ids), pts, count)
        shown = self.message(viewer, message)
        if kind == "new":
            return (tl.UpdateNewChannelMessage if in_channel else tl.UpdateNewMessage)(shown, pts, count)
        return (tl.UpdateEditChannelMessage if in_channel else tl.UpdateEditMessage)(shown, pts, count)

    def updates(self, viewer: User, updates: list[Any], concerned: Iterable[int]) -> Any:
        """Updates with the users and chats they name. `seq` 0: they come in no order but that of their pts."""
        return tl.Updates(updates, **self.envelope(viewer, concerned), date=int(self._world.clock()), seq=0)

    def envelope(self, viewer: User, concerned: Iterable[int]) -> dict[str, list[Any]]:
        """The `users` and `chats` that go with an answer: everything its ids stand for, and the viewer."""
        users, chats = [], []
        for marked in dict.fromkeys((viewer.id, *concerned)):
            if marked > 0 and (user := self._world.people.get(marked)) is not None:
                users.append(self.user(viewer, user))
            elif (chat := self._world.chat_book.get(marked)) is not None:
                chats.append(self.chat(viewer, chat))
        return {"users": users, "chats": chats}

    def concerned(self, messages: Iterable[Message | None]) -> Iterator[int]:
        """The ids that messages name."""
        for message in messages:
            if message is not None:
                yield message.chat_id
                yield message.sender_id

    def _user(self, viewer: User, user: User) -> Any:
        return tl.User(
            user.id,
            is_self=viewer is user or None,
            access_hash=self._peers.access_hash(viewer.id, user.id),
            first_name=user.name,
            phone=user.phone if viewer is user else None,
            username=user.username,
            bot=user.is_bot or None,
            bot_info_version=1 if user.is_bot else None,
        )

    def _channel(self, viewer: User, chat: Chat) -> Any:
        megagroup = chat.kind == "megagroup"
        access_hash = self._peers.access_hash(viewer.id, chat.id)
        kind = {"megagroup": megagroup or None, "broadcast": not megagroup or None}
        if chat.roles.get(viewer.id) == "banned":
            return tl.ChannelForbidden(chat.bare_id, access_hash, chat.title, **kind)
        muted = chat.roles.get(viewer.id) == "muted"
        return tl.Channel(
            chat.bare_id,
            chat.title,
            tl.ChatPhotoEmpty(),
            chat.created,
            **kind,
            access_hash=access_hash,
            username=chat.username,
            creator=viewer.id == chat.owner_id or None,
            left=not chat.has(viewer) or None,
            noforwards=chat.noforwards or None,
            slowmode_enabled=chat.slow_mode > 0 or None,
            admin_rights=POSTING if chat.is_admin(viewer) else None,
            banned_rights=tl.ChatBannedRights(FOREVER, send_messages=True) if muted else None,
            default_banned_rights=tl.ChatBannedRights(FOREVER, send_messages=chat.read_only) if megagroup else None,
            participants_count=len(chat.members),
        )

    def _group(self, viewer: User, chat: Chat) -> Any:
        if chat.roles.get(viewer.id) == "banned":
            return tl.ChatForbidden(chat.bare_id, chat.title)
        became = self._world.chat_book.get(chat.became) if chat.became is not None else None
        if became is not None:
            migrated = tl.InputChannel(became.bare_id, self._peers.access_hash(viewer.id, became.id))
            return tl.Chat(
                chat.bare_id,
                chat.title,
                tl.ChatPhotoEmpty(),
                0,
                chat.created,
                chat.version,
                deactivated=True,
                migrated_to=migrated,
            )
        return tl.Chat(
            chat.bare_id,
            chat.title,
            tl.ChatPhotoEmpty(),
            len(chat.members),
            chat.created,
            chat.version,
            creator=viewer.id == chat.owner_id or None,
            left=not chat.has(viewer) or None,
            noforwards=chat.noforwards or None,
            admin_rights=POSTING if chat.is_admin(viewer) else None,
            default_banned_rights=tl.ChatBannedRights(FOREVER, send_messages=chat.read_only),
        )
