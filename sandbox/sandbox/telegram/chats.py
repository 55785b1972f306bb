"""Channels, megagroups and basic groups, and who may do what in them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from sandbox.telegram.errors import RpcError
from sandbox.telegram.people import User
from sandbox.telegram.store import Store

Kind = Literal["channel", "megagroup", "group"]
Role = Literal["member", "admin", "muted", "banned"]

CHANNEL_MARK = 1_000_000_000_000
FIRST_CHANNEL_ID = 2_000_000_001
FIRST_GROUP_ID = 4_000_000_001


@dataclass(slots=True)
class Chat:
    """A place with members. `id` is marked: -100… for channels and megagroups, - for basic groups."""

    id: int
    kind: Kind
    title: str
    username: str | None
    owner_id: int
    created: int
    slow_mode: int = 0
    noforwards: bool = False
    read_only: bool = False
    roles: dict[int, Role] = field(default_factory=dict)
    version: int = 0
    became: int | None = None

    @property
    def bare_id(self) -> int:
        """The id as the TL types carry it: positive and unmarked."""
        return -self.id if self.kind == "group" else -self.id - CHANNEL_MARK

    @property
    def is_group(self) -> bool:
        """Whether this is a basic group, whose messages lie in each member's own box."""
        return self.kind == "group"

    @property
    def members(self) -> set[int]:
        """The ids of those who are in, admins included."""
        return {user_id for user_id, role in self.roles.items() if role != "banned"}

    @property
    def admins(self) -> set[int]:
        """The ids of the admins, owner included."""
        return {user_id for user_id, role in self.roles.items() if role == "admin"}

    def has(self, user: User) -> bool:
        """Whether the user is in."""
        return self.roles.get(user.id, "banned") != "banned"

    def is_admin(self, user: User) -> bool:
        """Whether the user is an admin here."""
        return self.roles.get(user.id) == "admin"

    def check_seen_by(self, user: User) -> None:
        """Whether the user may look in: members, and everybody else where there is a public username.

        A bot sees only the chats that it was added to.
        """
        role = self.roles.get(user.id)
        if role == "banned" or (role is None and (self.username is None or user.is_bot)):
            raise RpcError.bad_request("CHAT_ID_INVALID" if self.is_group else "CHANNEL_PRIVATE")

    def check_written_by(self, user: User) -> None:
        """Whether the user may post (https://core.telegram.org/method/messages.sendMessage lists the refusals)."""
        self.check_seen_by(user)
        if self.became is not None:  # as seen in https://github.com/vysheng/tg/issues/971
            raise RpcError.bad_request("PEER_ID_INVALID")
        role = self.roles.get(user.id)
        if role == "admin":
            return
        if self.kind == "channel":
            raise RpcError.bad_request("CHAT_ADMIN_REQUIRED")
        if role == "muted":
            raise RpcError.bad_request("USER_BANNED_IN_CHANNEL")
        if role is None or self.read_only:
            raise RpcError.forbidden("CHAT_WRITE_FORBIDDEN")

    def check_governed_by(self, user: User) -> None:
        """Whether the user may change the chat and what others wrote."""
        self.check_seen_by(user)
        if not self.is_admin(user):
            raise RpcError.bad_request("CHAT_ADMIN_REQUIRED")


class Chats:
    """All chats."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._by_id = {
            row[0]: Chat(row[0], row[1], row[2], row[3], row[4], row[5], row[6], bool(row[7]), bool(row[8]))
            for row in store.rows("chats_all")
        }
        for chat_id, user_id, role in store.rows("standings_all"):
            self._by_id[chat_id].roles[user_id] = role
        for chat_id, became in store.rows("migrations_all"):
            self._by_id[chat_id].became = became

    def __iter__(self) -> Iterator[Chat]:
        return iter(self._by_id.values())

    def get(self, chat_id: int) -> Chat | None:
        """The chat with this marked id."""
        return self._by_id.get(chat_id)

    def with_username(self, username: str) -> Chat | None:
        """The chat with this public username, in any case, with or without an @."""
        wanted = username.lstrip("@").lower()
        return next((chat for chat in self if chat.username and chat.username.lower() == wanted), None)

    def add(self, kind: Kind, title: str, username: str | None, owner: User, now: float, chat_id: int | None) -> Chat:
        """A new chat with its owner in it; one of the same id, username or else title is returned as it is."""
        username = username.lstrip("@") if username else None
        known = self._known(kind, title, username, chat_id)
        return known or self.make(kind, title, owner, now, username, chat_id)

    def make(
        self,
        kind: Kind,
        title: str,
        owner: User,
        now: float,
        username: str | None = None,
        chat_id: int | None = None,
    ) -> Chat:
        """A new chat, whatever there is already."""
        chat = Chat(chat_id or self._free_id(kind), kind, title, username, owner.id, int(now))
        self._by_id[chat.id] = chat
        self._store.write("chat_add", chat.id, kind, title, username, owner.id, chat.created)
        self.set_role(chat, owner, "admin")
        return chat

    def migrate(self, group: Chat, now: float) -> Chat:
        """A basic group becomes a supergroup (https://core.telegram.org/api/channel#migration), which is returned."""
        if not group.is_group or group.became is not None:
            raise ValueError(f"{group.title} is no basic group any more")
        became = Chat(self._free_id("megagroup"), "megagroup", group.title, None, group.owner_id, int(now))
        self._by_id[became.id] = became
        self._store.write("chat_add", became.id, became.kind, became.title, None, became.owner_id, became.created)
        for user_id, role in group.roles.items():
            became.roles[user_id] = role
            self._store.write("standing_set", became.id, user_id, role)
        group.became = became.id
        group.version += 1
        self._store.write("migration_add", group.id, became.id)
        return became

    def change(self, chat: Chat) -> None:
        """Keep the changed settings of a chat."""
        chat.version += 1
        settings = (chat.title, chat.username, chat.slow_mode, chat.noforwards, chat.read_only)
        self._store.write("chat_change", *settings, chat.id)

    def set_role(self, chat: Chat, user: User, role: Role | None) -> None:
        """What the user is in the chat from now on; None for somebody who is not in."""
        chat.version += 1
        if role is None:
            chat.roles.pop(user.id, None)
            self._store.write("standing_end", chat.id, user.id)
        else:
            chat.roles[user.id] = role
            self._store.write("standing_set", chat.id, user.id, role)

    def _known(self, kind: Kind, title: str, username: str | None, chat_id: int | None) -> Chat | None:
        if chat_id is not None:
            return self.get(chat_id)
        if username:
            return self.with_username(username)
        return next((chat for chat in self if chat.title == title and chat.kind == kind), None)

    def _free_id(self, kind: Kind) -> int:
        taken = [chat.bare_id for chat in self if chat.is_group == (kind == "group")]
        if kind == "group":
            return -max([*taken, FIRST_GROUP_ID - 1]) - 1
        return -CHANNEL_MARK - max([*taken, FIRST_CHANNEL_ID - 1]) - 1
