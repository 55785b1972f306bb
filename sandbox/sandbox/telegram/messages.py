"""Messages: sending, editing, deleting and reading them, in whosever box they lie."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from operator import attrgetter
from typing import Any

from sandbox.telegram.boxes import Boxes, EventKind
from sandbox.telegram.chats import Chat
from sandbox.telegram.people import User
from sandbox.telegram.store import Store
from sandbox.telegram.wire import read_object, read_objects

NO_ID = 2**31 - 1  # larger than any message id: they are 32-bit


@dataclass(slots=True, frozen=True)
class Content:
    """What a message says. TL objects are kept as the bytes that travel: each viewer gets them as they are."""

    text: str = ""
    entities: bytes | None = None
    entity_count: int = 0
    media: bytes | None = None
    markup: bytes | None = None
    forward: bytes | None = None
    reply_to: int | None = None
    grouped_id: int | None = None
    noforwards: bool = False

    @classmethod
    def of(cls, text: str, entities: Sequence[Any] | None = None, **rest: Any) -> "Content":
        """A text with TL entities."""
        packed = b"".join(map(bytes, entities)) if entities else None
        return cls(text, packed, len(entities or ()), **rest)


@dataclass(slots=True)
class Message:
    """One message as it lies in a box; `date` and `edit_date` are seconds of the epoch."""

    box: int
    id: int
    chat_id: int
    sender_id: int
    date: float
    edit_date: float | None
    text: str
    entities: bytes | None
    entity_count: int
    media: bytes | None
    markup: bytes | None
    forward: bytes | None
    reply_to: int | None
    grouped_id: int | None
    noforwards: int
    origin: int

    def tl_entities(self) -> list[Any]:
        """The entities as Telethon's objects."""
        return read_objects(self.entities or b"", self.entity_count)

    def tl_media(self) -> Any:
        """The media as Telethon's MessageMedia, or None."""
        return read_object(self.media) if self.media else None

    def tl_markup(self) -> Any:
        """The buttons as Telethon's ReplyMarkup, or None."""
        return read_object(self.markup) if self.markup else None

    def row(self) -> tuple[Any, ...]:
        """The columns of the table, in its order."""
        row: tuple[Any, ...] = COLUMNS(self)
        return row


COLUMNS = attrgetter(*(column.name for column in fields(Message)))


@dataclass(slots=True, frozen=True)
class Change:
    """Something that happened in a box: messages came, changed or went. `pts` is the box's after it."""

    box: int
    kind: EventKind
    chat_id: int
    pts: int
    ids: tuple[int, ...]
    message: Message | None = None


class Messages:
    """All messages."""

    def __init__(self, store: Store, boxes: Boxes, clock: Callable[[], float]) -> None:
        self._store = store
        self._boxes = boxes
        self._clock = clock
        self._origin = int(clock() * 1_000_000)

    def send(self, author: User, place: Chat | User, content: Content, date: float | None = None) -> list[Change]:
        """Put a message into the box of the channel, or of each person concerned; the author's comes first."""
        at = self._clock() if date is None else date
        self._origin += 1
        changes = []
        for box_id, chat_id in self._boxes_of(author, place):
            box = self._boxes.get(box_id)
            message = self._compose(box_id, self._boxes.next_id(box), chat_id, author.id, at, content)
            self._store.write("message_add", *message.row())
            pts = self._boxes.record(box, "new", (message.id,), self._clock())
            changes.append(Change(box_id, "new", chat_id, pts, (message.id,), message))
        return changes

    def load(self, chat: Chat, history: Iterable[tuple[int, float, Content]]) -> int:
        """Load a channel's history of (id, date, content), skipping ids that are there; returns how many were new."""
        box = self._boxes.get(chat.id)
        known = {row[1] for row in self._store.rows("messages_after", box.id, 0, NO_ID, -1)}
        fresh = {row[0]: row for row in history if row[0] not in known}
        messages = [self._compose(box.id, i, chat.id, chat.owner_id, at, what) for i, at, what in fresh.values()]
        self._store.write_many("message_add", (message.row() for message in messages))
        self._boxes.skip(box, len(messages), max(fresh, default=0))
        return len(messages)

    def edit(self, message: Message, content: Content) -> list[Change]:
        """Change a message and its copies in other boxes; the given one's change comes first."""
        at = self._clock()
        changes = []
        for copy in self._with_copies(message):
            new = replace(
                copy,
                edit_date=at,
                text=content.text,
                entities=content.entities,
                entity_count=content.entity_count,
                media=content.media or copy.media,
                markup=content.markup,
            )
            columns = (new.text, new.entities, new.entity_count, new.media, new.markup, at)
            self._store.write("message_edit", *columns, new.box, new.id)
            pts = self._boxes.record(self._boxes.get(new.box), "edit", (new.id,), at)
            changes.append(Change(new.box, "edit", new.chat_id, pts, (new.id,), new))
        return changes

    def delete(self, messages: Iterable[Message], *, for_everybody: bool) -> list[Change]:
        """Delete messages, and their copies in other boxes where so wished; one change per box."""
        doomed: dict[tuple[int, int], list[int]] = {}
        for message in messages:
            for copy in self._with_copies(message) if for_everybody else [message]:
                doomed.setdefault((copy.box, copy.chat_id), []).append(copy.id)
                self._store.write("message_delete", copy.box, copy.id)
        changes = []
        for (box_id, chat_id), ids in doomed.items():
            pts = self._boxes.record(self._boxes.get(box_id), "delete", tuple(ids), self._clock())
            changes.append(Change(box_id, "delete", chat_id, pts, tuple(ids)))
        return changes

    def get(self, box_id: int, message_id: int) -> Message | None:
        """The message with this id in a box."""
        row = self._store.row("message_get", box_id, message_id)
        return Message(*row) if row else None

    def copy_of(self, message: Message, user: User) -> Message:
        """The user's own copy of a message of a private chat or basic group."""
        return next(copy for copy in self._with_copies(message) if copy.box == user.id)

    def before(self, box_id: int, chat_id: int, below_id: int, above_id: int, limit: int) -> list[Message]:
        """Messages of a chat with above_id < id < below_id, newest first."""
        values = (below_id, above_id, limit)
        if box_id < 0:
            return [Message(*row) for row in self._store.rows("messages_before", box_id, *values)]
        return [Message(*row) for row in self._store.rows("chat_messages_before", box_id, chat_id, *values)]

    def after(self, box_id: int, chat_id: int, from_id: int, limit: int, below_id: int = NO_ID) -> list[Message]:
        """Messages of a chat with from_id <= id < below_id, oldest first."""
        values = (from_id, below_id, limit)
        if box_id < 0:
            return [Message(*row) for row in self._store.rows("messages_after", box_id, *values)]
        return [Message(*row) for row in self._store.rows("chat_messages_after", box_id, chat_id, *values)]

    def count(self, box_id: int, chat_id: int) -> int:
        """How many messages a chat has."""
        if box_id < 0:
            return self._boxes.get(box_id).messages
        row = self._store.row("chat_messages_count", box_id, chat_id)
        return int(row[0]) if row else 0

    def id_at(self, box_id: int, chat_id: int, date: float) -> int:
        """The id that a chat's messages older than `date` lie below."""
        one_chat = () if box_id < 0 else (chat_id,)
        row = self._store.row("chat_last_before" if one_chat else "last_before", box_id, *one_chat, date)
        return ((row and row[0]) or 0) + 1

    def correspondents(self, user: User) -> list[int]:
        """The people and basic groups that the user has messages of."""
        return [row[0] for row in self._store.rows("correspondents", user.id)]

    def last_written_at(self, chat: Chat, user: User, since: float) -> float | None:
        """When the user last wrote in a channel or megagroup after `since`."""
        row = self._store.row("last_of_sender", chat.id, user.id, since)
        return float(row[0]) if row else None

    def sent_with(self, author: User, random_id: int) -> Message | None:
        """The message that the author sent with this random_id; one that was deleted since counts, without its text."""
        row = self._store.row("random_id_get", author.id, random_id)
        if row is None:
            return None
        box_id, chat_id, message_id = row
        gone = self._compose(box_id, message_id, chat_id, author.id, self._clock(), Content())
        return self.get(box_id, message_id) or gone

    def remember_random_id(self, author: User, random_id: int, sent: Change) -> None:
        """Remember what a random_id was used for, for good."""
        self._store.write("random_id_add", author.id, random_id, sent.box, sent.chat_id, sent.ids[0])

    def arrival_of(self, message: Message) -> Change:
        """A message as if it had just come, at the present pts of its box."""
        return Change(message.box, "new", message.chat_id, self._boxes.get(message.box).pts, (message.id,), message)

    def _boxes_of(self, author: User, place: Chat | User) -> list[tuple[int, int]]:
        if isinstance(place, User):
            return [(author.id, place.id)] if place is author else [(author.id, place.id), (place.id, author.id)]
        if place.is_group:
            others = sorted(place.members - {author.id})
            return [(user_id, place.id) for user_id in (author.id, *others)]
        return [(place.id, place.id)]

    def _compose(self, box: int, number: int, chat_id: int, author_id: int, at: float, what: Content) -> Message:
        return Message(
            box,
            number,
            chat_id,
            author_id,
            at,
            None,
            what.text,
            what.entities,
            what.entity_count,
            what.media,
            what.markup,
            what.forward,
            what.reply_to,
            what.grouped_id,
            what.noforwards,
            self._origin,
        )

    def _with_copies(self, message: Message) -> list[Message]:
        if message.box < 0:
            return [message]
        copies = [Message(*row) for row in self._store.rows("message_copies", message.origin)]
        return [message, *(copy for copy in copies if copy.box != message.box)]
