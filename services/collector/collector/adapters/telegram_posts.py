"""Telegram messages as posts: an album is one post, service messages are none."""

from collections.abc import Iterable, Sequence
from typing import Any

from telethon.tl import types

from collector.adapters.telegram_media import media_of
from common.catalog import Source
from common.posts import NewPost
from common.telegram.peers import Peer
from common.telegram.telethon_entities import from_telethon
from common.telegram.text import RichText
from common.telegram.utf16 import utf16_length

PARAGRAPH = "\n\n"  # between the captions of an album that has several


def to_posts(source: Source, peer: Peer, messages: Iterable[Any]) -> tuple[tuple[NewPost, ...], tuple[str, ...]]:
    """Return the posts that messages make, in their order, and in words what may not be taken."""
    groups: dict[tuple[str, int], list[Any]] = {}
    refused: list[int] = []
    for message in messages:
        if not isinstance(message, types.Message):
            continue
        if message.noforwards:
            refused.append(message.id)
            continue
        key = ("album", message.grouped_id) if message.grouped_id else ("message", message.id)
        groups.setdefault(key, []).append(message)
    posts = (_post(source, peer, group) for group in groups.values())
    words = (f"messages that may not be saved: {', '.join(map(str, refused))}",) if refused else ()
    return tuple(post for post in posts if post.body.text or post.media), words


def _post(source: Source, peer: Peer, group: Sequence[Any]) -> NewPost:
    first = group[0]
    media = (media_of(source.address, message) for message in group)
    return NewPost(
        source_id=source.id,
        external_id=str(first.id),
        body=joined([from_telethon(message.message, message.entities) for message in group if message.message]),
        url=_url(source, peer, first.id),
        posted_at=first.date,
        media=tuple(found for found in media if found),
    )


def joined(texts: Sequence[RichText]) -> RichText:
    """Return texts as one, an empty line between them, their entities moved along."""
    if len(texts) == 1:
        return texts[0]
    entities, offset = [], 0
    for text in texts:
        entities += [mark.over(mark.offset + offset, mark.end + offset) for mark in text.entities]
        offset += text.utf16_length + utf16_length(PARAGRAPH)
    return RichText.repaired(PARAGRAPH.join(text.text for text in texts), (mark for mark in entities if mark))


def _url(source: Source, peer: Peer, message_id: int) -> str | None:
    """Return the address at which people see a message (https://core.telegram.org/api/links#message-links)."""
    if source.address.startswith("@"):
        return f"https://t.me/{source.address[1:]}/{message_id}"
    return f"https://t.me/c/{peer.id}/{message_id}" if peer.kind == "channel" else None
