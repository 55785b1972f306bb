"""Chats and messages as JSON, and as what a page shows."""

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from markupsafe import Markup

from sandbox.telegram.chats import Chat
from sandbox.telegram.messages import NO_ID, Message
from sandbox.telegram.world import World
from sandbox.web.entities import entity_json, render_html


@dataclass(frozen=True, slots=True)
class Bubble:
    """One message as a page shows it, or an album as one."""

    id: int
    at: datetime
    edited: bool
    author: str
    html: Markup
    photos: tuple[int, ...]
    documents: tuple[str, ...]
    forwarded: bool


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
        return described | {"bytes": document.size, "path": path}
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
    attached = {message.id: media_json(message) or {} for message in album}
    author = world.find_user(first.sender_id)
    return Bubble(
        id=album[-1].id,
        at=_time(first.date),
        edited=any(message.edit_date for message in album),
        author=author.name if author else str(first.sender_id),
        html=render_html(said.text, said.tl_entities()),
        photos=tuple(number for number, media in attached.items() if media.get("type") == "photo"),
        documents=tuple(
            str(media.get("name") or media["type"])
            for media in attached.values()
            if media.get("type", "photo") != "photo"
        ),
        forwarded=first.forward is not None,
    )


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
