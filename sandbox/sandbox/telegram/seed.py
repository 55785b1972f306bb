"""Loads a channel's history from a corpus file: one JSON object a line.

A line has `message_id`, `sender_id` (the channel's marked id, -100…), `channel` (its title), `date` (ISO 8601) and
`text` in the markdown that Telethon's `md` mode writes.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sandbox.telegram.chats import Chat
from sandbox.telegram.messages import Content
from sandbox.telegram.people import User
from sandbox.telegram.wire import parse_markdown
from sandbox.telegram.world import World


class CorpusError(ValueError):
    """A corpus file can't be used; the message names the file and the line."""


@dataclass(frozen=True, slots=True)
class Post:
    """One line of a corpus file."""

    message_id: int
    chat_id: int
    channel: str
    date: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Seeded:
    """What became of a file: the channel, how many posts are new in it, and how many were left out without text."""

    chat: Chat
    loaded: int
    empty: int


def seed_channel(world: World, path: Path, owner: User, username: str | None = None) -> Seeded:
    """Load a corpus file as a channel with the original ids and dates. A second time adds only what is new.

    Posts longer than 4,096 UTF-16 units are kept: real channels have them, from owners with Telegram Premium, and the
    limit holds for sending. Raises CorpusError for a line that can't be read, and OSError.
    """
    posts = list(read_corpus(path))
    if not posts:
        raise CorpusError(f"{path}: there are no posts in it")
    chat = world.add_channel(posts[0].channel, username, owner, chat_id=posts[0].chat_id)
    contents = [(post, Content.of(*trimmed(*parse_markdown(post.text)))) for post in posts]
    history = [(post.message_id, post.date.timestamp(), content) for post, content in contents if content.text]
    loaded = world.mail.load(chat, history)
    world.store.commit()
    return Seeded(chat, loaded, len(contents) - len(history))


def read_corpus(path: Path) -> Iterator[Post]:
    """The posts of a file, which must all be of one channel."""
    chat_id = None
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                post = _parse(json.loads(line))
            except (ValueError, KeyError, TypeError) as error:
                raise CorpusError(f"{path}, line {number}: {type(error).__name__}: {error}") from error
            chat_id = chat_id or post.chat_id
            if post.chat_id != chat_id:
                raise CorpusError(f"{path}, line {number}: sender_id {post.chat_id} among posts of {chat_id}")
            yield post


def trimmed(text: str, entities: list[Any]) -> tuple[str, list[Any]]:
    """A text without white space around it, as Telegram keeps it, and the entities moved and cut to fit."""
    body = text.strip()
    start = len(text[: len(text) - len(text.lstrip())].encode("utf-16-le")) // 2
    length = len(body.encode("utf-16-le")) // 2
    kept = []
    for entity in entities:
        first = max(entity.offset - start, 0)
        last = min(entity.offset + entity.length - start, length)
        if first < last:
            entity.offset, entity.length = first, last - first
            kept.append(entity)
    return body, kept


def _parse(line: dict[str, Any]) -> Post:
    date = datetime.fromisoformat(line["date"])
    if date.tzinfo is None:
        raise ValueError(f"date {line['date']} has no time zone")
    if not isinstance(line["channel"], str) or not isinstance(line["text"], str):
        raise TypeError("channel and text must be strings")
    return Post(int(line["message_id"]), int(line["sender_id"]), line["channel"], date, line["text"])
