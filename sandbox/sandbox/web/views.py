"""Chats and messages as JSON, and as what a page shows."""

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from markupsafe import Markup

from sandbox.telegram.chats import CHANNEL_MARK, Chat
from sandbox.telegram.messages import NO_ID, Message
from sandbox.telegram.wire import read_object
from sandbox.telegram.world import World
from sandbox.web.entities import entity_json, render_html


@dataclass(frozen=True, slots=True)
class Attached:
    """A file of a message: `kind` is photo, video or document; width and height are in pixels, 0 if unknown."""

    message_id: int
    kind: str
    name: str
    size: str
    width: int = 0
    height: int = 0


@dataclass(frozen=True, slots=True)
class Bubble:
    """One message as a page shows it, or an album as one."""

    id: int
    at: datetime
    edited: bool
    author: str
    html: Markup
    seen: tuple[Attached, ...]
    documents: tuple[Attached, ...]
    forwarded_from: str

    @property
    def kind(self) -> str:
        """What stands in a list for a message without text."""
        if self.seen:
            return self.seen[0].kind.capitalize() if len(self.seen) == 1 else f"{len(self.seen)} photos"
        return self.documents[0].name if self.documents else ""


def chat_json(world: World, chat: Chat) -> dict[str, Any]:
    """Return a chat with its counts and the people who are in it."""
    newest = world.recent_messages(chat.id, 1)
    return {
        "id": chat.id,
        "kind": chat.kind,
        "title": chat.title,
        "username": chat.username,
        "noforwards": chat.noforwards,
        "slow_mode_seconds": chat.slow_mode,
        "read_only": chat.read_only,
        "members": sorted(chat.members),
        "admins": sorted(chat.admins),
        "message_count": world.message_count(chat.id),
        "last_message_id": newest[0].id if newest else None,
        "last_message_at": _time(newest[0].date).isoformat() if newest else None,
    }


def message_json(message: Message) -> dict[str, Any]:
    """Return a message: text, entities (offsets in UTF-16 units), media, and what it belongs to."""
    return {
        "id": message.id,
        "chat_id": message.chat_id,
        "sender_id": message.sender_id,
        "date": _time(message.date).isoformat(),
        "edit_date": _time(message.edit_date).isoformat() if message.edit_date else None,
        "text": message.text,
        "entities": [entity_json(entity) for entity in message.tl_entities()],
        "media": media_json(message),
        "grouped_id": message.grouped_id,
        "reply_to": message.reply_to,
        "forwarded": message.forward is not None,
        "noforwards": bool(message.noforwards),
    }


def media_json(message: Message) -> dict[str, Any] | None:
    """Return what is attached, with the path where its bytes can be read; None where nothing is."""
    media = message.tl_media()
    path = f"/api/chats/{message.chat_id}/messages/{message.id}/media"
    photo, document = getattr(media, "photo", None), getattr(media, "document", None)
    if photo is not None:
        size = photo.sizes[-1]
        return {"type": "photo", "width": size.w, "height": size.h, "bytes": size.size, "path": path}
    if document is not None:
        names = [each.file_name for each in document.attributes if hasattr(each, "file_name")]
        name = names[0] if names else None
        described = {"type": "document", "name": name, "mime_type": document.mime_type}
        sizes = [{"width": each.w, "height": each.h} for each in document.attributes if hasattr(each, "w")]
        return described | (sizes[0] if sizes else {}) | {"bytes": document.size, "path": path}
    return {"type": type(media).__name__.removeprefix("MessageMedia").lower()} if media is not None else None


def messages_before(world: World, chat: Chat, below_id: int | None, limit: int) -> list[Message]:
    """Return the newest messages of a chat with smaller ids than `below_id`, the oldest of them first."""
    box_id = chat.owner_id if chat.is_group else chat.id
    return world.mail.before(box_id, chat.id, below_id or NO_ID, 0, limit)[::-1]


def bubbles(world: World, messages: list[Message]) -> list[Bubble]:
    """Return messages as a page shows them: those of an album that stand together become one."""
    albums = groupby(messages, key=lambda message: message.grouped_id or f"single {message.id}")
    return [_bubble(world, list(album)) for _, album in albums]


def _bubble(world: World, album: list[Message]) -> Bubble:
    first = album[0]
    said = next((message for message in album if message.text), first)
    attached = [each for message in album if (each := _attached(message))]
    author = world.find_user(first.sender_id)
    return Bubble(
        id=album[-1].id,
        at=_time(first.date),
        edited=any(message.edit_date for message in album),
        author=author.name if author else str(first.sender_id),
        html=render_html(said.text, said.tl_entities()),
        seen=tuple(each for each in attached if each.kind != "document"),
        documents=tuple(each for each in attached if each.kind == "document"),
        forwarded_from=_origin(world, first) if first.forward else "",
    )


def _attached(message: Message) -> Attached | None:
    media = media_json(message)
    if media is None:
        return None
    if "path" not in media:  # a poll, a place: there is no file
        return Attached(message.id, "document", media["type"], "")
    kind = "video" if media.get("mime_type") == "video/mp4" else media["type"]
    name = media.get("name") or media["type"]
    return Attached(message.id, kind, name, _size(media["bytes"]), media.get("width", 0), media.get("height", 0))


def _origin(world: World, message: Message) -> str:
    """Return the name of the channel or person that a message was forwarded from."""
    header = read_object(message.forward or b"")
    peer = header.from_id
    channel = getattr(peer, "channel_id", None)
    if channel is not None:
        chat = world.find_chat(-CHANNEL_MARK - channel)
        return chat.title if chat else "a channel"
    user = world.find_user(getattr(peer, "user_id", 0))
    return user.name if user else "somebody"


def _size(size: int) -> str:
    return f"{size / 2**20:.1f} MB" if size >= 2**20 else f"{max(1, round(size / 2**10))} KB"


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
