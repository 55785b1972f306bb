"""The Telegram of the sandbox, free of transport: who there is, where they talk, and what was said.

`World` is what the rest of the sandbox and the tests use. Its methods are plain calls; when one returns, what it did
outlives the process, and connected clients are told in the same turn of the event loop.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

from sandbox.telegram.boxes import Boxes
from sandbox.telegram.buttons import Buttons
from sandbox.telegram.chats import Chat, Chats, Kind
from sandbox.telegram.files import Files
from sandbox.telegram.keys import Keys
from sandbox.telegram.limits import RateLimits, check_text
from sandbox.telegram.messages import NO_ID, Change, Content, Message, Messages
from sandbox.telegram.passwords import make_verifier
from sandbox.telegram.people import People, User
from sandbox.telegram.store import Store

Limits = Literal["off", "real"]
Duplicates = Literal["repeat", "error"]

# Called with what changed and where it came from: the connection that learns of it from its answer, or None.
Listener = Callable[[Sequence[Change], object], None]


class World:
    """Everything there is.

    `limits`: whether bots are held to Telegram's rates. `duplicates`: whether a repeated `random_id` gets the original
    message again or 500 RANDOM_ID_DUPLICATE. Both may be changed at any time. `clock` gives seconds of the epoch.
    """

    def __init__(
        self,
        store: Store,
        *,
        limits: Limits = "off",
        duplicates: Duplicates = "repeat",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.store = store
        self.limits: Limits = limits
        self.duplicates: Duplicates = duplicates
        self.clock = clock
        self.people = People(store)
        self.chat_book = Chats(store)
        self.keys = Keys(store)
        self.boxes = Boxes(store)
        self.mail = Messages(store, self.boxes, clock)
        self.files = Files(store, clock)
        self.rates = RateLimits(clock)
        self.buttons = Buttons(self.people, self.mail)
        self._listeners: list[Listener] = []

    def add_user(
        self, name: str, phone: str | None = None, username: str | None = None, password: str | None = None
    ) -> User:
        """A person. Who has the phone, the username or else the name already is returned as they are.

        `password` sets the two-factor password; sign-in codes are always 12345.
        """
        self._check_free(username, self.chat_book.with_username)
        user = self.people.add(name, phone, username, bot=False)
        if password is not None and user.password is None:
            self.people.set_password(user, make_verifier(password))
        self.store.commit()
        return user

    def add_bot(self, name: str, username: str) -> User:
        """A bot; its `.token` is what BotFather would have given. One of this username is returned as it is."""
        self._check_free(username, self.chat_book.with_username)
        bot = self.people.add(name, None, username, bot=True)
        self.store.commit()
        return bot

    def users(self) -> list[User]:
        """All people and bots."""
        return list(self.people)

    def find_user(self, reference: int | str) -> User | None:
        """The user with this id, username or phone number."""
        if isinstance(reference, int):
            return self.people.get(reference)
        return self.people.with_username(reference) or self.people.with_phone(reference)

    def string_session(self, user: User, host: str, port: int, label: str = "sandbox") -> str:
        """A Telethon StringSession that is signed in as the user. The same label gives the same session.

        Never use one session from two places at once: it dies, as on Telegram.
        """
        key = self.keys.labelled(user, label)
        self.store.commit()
        return key.string_session(host, port)

    def revoke_sessions(self, user: User) -> int:
        """End all sessions of the user, who now gets 401 SESSION_REVOKED; returns how many there were."""
        keys = [key for key in self.keys.of(user) if not key.dead]
        for key in keys:
            self.keys.kill(key, "SESSION_REVOKED")
        self.store.commit()
        return len(keys)

    def add_channel(
        self,
        title: str,
        username: str | None,
        owner: User,
        kind: Kind = "channel",
        *,
        chat_id: int | None = None,
        members: Iterable[User] = (),
        admins: Iterable[User] = (),
    ) -> Chat:
        """A channel, megagroup or basic group. One of this id, username or else title is returned, with the people
        added to it.

        `chat_id` is marked (-100…). Without a username it is private.
        """
        self._check_free(username, self.people.with_username)
        chat = self.chat_book.add(kind, title, username, owner, self.clock(), chat_id)
        for user in members:
            if user.id not in chat.roles:
                self.chat_book.set_role(chat, user, "member")
        for user in admins:
            self.chat_book.set_role(chat, user, "admin")
        self.store.commit()
        return chat

    def migrate(self, group: Chat) -> Chat:
        """Make a basic group a supergroup, with the same people; nobody can write in the old one any more."""
        became = self.chat_book.migrate(group, self.clock())
        self.store.commit()
        return became

    def chats(self) -> list[Chat]:
        """All channels and groups."""
        return list(self.chat_book)

    def find_chat(self, reference: int | str) -> Chat | None:
        """The chat with this marked id or username."""
        if isinstance(reference, int):
            return self.chat_book.get(reference)
        return self.chat_book.with_username(reference)

    def add_member(self, chat: Chat, user: User) -> None:
        """Let a user in (also one who was banned or muted)."""
        self._set_role(chat, user, "member")

    def add_admin(self, chat: Chat, user: User) -> None:
        """Make a user an admin, who may post in a channel."""
        self._set_role(chat, user, "admin")

    def remove_member(self, chat: Chat, user: User) -> None:
        """Let a user go, as if they left."""
        self._set_role(chat, user, None)

    def ban(self, chat: Chat, user: User) -> None:
        """Throw a user out for good: everything about the chat is now 400 CHANNEL_PRIVATE for them."""
        self._set_role(chat, user, "banned")

    def mute(self, chat: Chat, user: User) -> None:
        """Forbid a member of a group to write: 400 USER_BANNED_IN_CHANNEL."""
        self._set_role(chat, user, "muted")

    def set_noforwards(self, chat: Chat, forbidden: bool = True) -> None:
        """Whether the chat forbids to save and forward its content."""
        chat.noforwards = forbidden
        self._change(chat)

    def set_slow_mode(self, chat: Chat, seconds: int) -> None:
        """How long a member who isn't an admin waits between messages; 0 for no slow mode."""
        chat.slow_mode = seconds
        self._change(chat)

    def set_read_only(self, chat: Chat, read_only: bool = True) -> None:
        """Whether only admins may write in a group: 403 CHAT_WRITE_FORBIDDEN for the others."""
        chat.read_only = read_only
        self._change(chat)

    def post(
        self,
        chat: Chat | User,
        text: str = "",
        entities: Sequence[Any] | None = None,
        media: Any = None,
        date: float | None = None,
        author: User | None = None,
        grouped_id: int | None = None,
        reply_to: int | None = None,
        noforwards: bool = False,
    ) -> Message:
        """What a person (`author`; the owner by default) writes in a chat or to another user, with Telethon's entities
        and a media that `photo()` or `document()` made. `date` is in seconds of the epoch.

        Raises RpcError for what Telegram refuses in any text; rights and rates are not asked about.
        """
        if author is None:
            owner = self.people.get(chat.owner_id) if isinstance(chat, Chat) else None
            if owner is None:
                raise ValueError("A private message needs an author")
            author = owner
        check_text(text, entities, caption=media is not None)
        content = Content.of(
            text,
            entities,
            media=bytes(media) if media is not None else None,
            grouped_id=grouped_id,
            reply_to=reply_to,
            noforwards=noforwards,
        )
        changes = self.mail.send(author, chat, content, date)
        self.publish(changes)
        self.store.commit()
        message = changes[0].message
        assert message is not None
        return message

    def edit(self, message: Message, text: str, entities: Sequence[Any] | None = None) -> Message:
        """Change a message's text, as its author would."""
        check_text(text, entities, caption=message.media is not None)
        changes = self.mail.edit(message, Content.of(text, entities, markup=message.markup))
        self.publish(changes)
        self.store.commit()
        edited = changes[0].message
        assert edited is not None
        return edited

    def delete(self, messages: Iterable[Message]) -> None:
        """Take messages away from everybody."""
        self.publish(self.mail.delete(messages, for_everybody=True))
        self.store.commit()

    def messages(self, chat_id: int, after_id: int = 0, limit: int = 100, *, of: User | None = None) -> list[Message]:
        """Messages of a chat with id > after_id, oldest first.

        A private chat's or basic group's messages have other ids for each person: `of` says whose view is meant (a
        group's owner by default; a private chat needs it).
        """
        return self.mail.after(self._box_of(chat_id, of), chat_id, after_id + 1, limit)

    def recent_messages(self, chat_id: int, limit: int = 100, *, of: User | None = None) -> list[Message]:
        """The newest messages of a chat, newest first."""
        return self.mail.before(self._box_of(chat_id, of), chat_id, NO_ID, 0, limit)

    def message(self, chat_id: int, message_id: int, *, of: User | None = None) -> Message | None:
        """One message."""
        return self.mail.get(self._box_of(chat_id, of), message_id)

    def message_count(self, chat_id: int, *, of: User | None = None) -> int:
        """How many messages a chat has now."""
        return self.mail.count(self._box_of(chat_id, of), chat_id)

    def photo(self, content: bytes) -> Any:
        """A photo to post, from the bytes of a JPEG, PNG or WebP."""
        return self.files.add_photo(content)

    def document(self, content: bytes, name: str, mime_type: str = "application/octet-stream") -> Any:
        """A file to post."""
        return self.files.add_document(content, mime_type, name)

    def download(self, message: Message) -> bytes | None:
        """The bytes of a message's photo or document."""
        return self.files.content_of(message.tl_media())

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call back with every change of messages; returns what ends it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def publish(self, changes: Sequence[Change], origin: object = None) -> None:
        """Tell the listeners what changed."""
        for listener in tuple(self._listeners):
            listener(changes, origin)

    def _set_role(self, chat: Chat, user: User, role: Any) -> None:
        self.chat_book.set_role(chat, user, role)
        self.store.commit()

    def _change(self, chat: Chat) -> None:
        self.chat_book.change(chat)
        self.store.commit()

    def _box_of(self, chat_id: int, of: User | None) -> int:
        chat = self.chat_book.get(chat_id)
        if chat is not None and not chat.is_group:
            return chat.id
        if of is not None:
            return of.id
        if chat is None:
            raise ValueError(f"Whose view of the private chat {chat_id} is meant?")
        return chat.owner_id

    def _check_free(self, username: str | None, holder: Callable[[str], object]) -> None:
        if username and holder(username):
            raise ValueError(f"@{username.lstrip('@')} is taken by something of another kind")
