"""Posts from a file: Telegram Desktop's export (`result.json`), or JSONL, one post a line.

A line of JSONL has `message_id`, `sender_id` (the channel's id), `date` (ISO 8601 with a time zone) and `text` in
Telethon's markdown; other fields are ignored. Of an export the texts are taken, with their marks; its pictures are
files beside it that nobody could fetch later, so messages without a text are left out.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from common.posts import NewPost
from common.telegram.desktop import rich_text
from common.telegram.markdown import from_markdown


class ImportFailed(ValueError):
    """The file can't be imported; the message names the file and the place in it."""


def read_posts(file: Path, source_id: UUID) -> Iterator[NewPost]:
    """Yield the posts of a file, in its order, as posts of a source. Raises ImportFailed where one can't be read."""
    try:
        yield from _lines(file, source_id) if _is_jsonl(file) else _export(file, source_id)
    except UnicodeDecodeError as error:
        raise ImportFailed(f"{file}: it is not UTF-8 ({error.reason} at byte {error.start})") from error
    except OSError as error:
        raise ImportFailed(f"{file}: {error.strerror}") from error


def _is_jsonl(file: Path) -> bool:
    """Whether the first line is a post: an export begins with `{` and a line break, whatever the file is called."""
    if file.suffix in (".jsonl", ".ndjson"):
        return True
    with file.open(encoding="utf-8-sig") as lines:
        try:
            return "message_id" in json.loads(lines.readline())
        except (ValueError, TypeError):
            return False


def _lines(file: Path, source_id: UUID) -> Iterator[NewPost]:
    with file.open(encoding="utf-8-sig") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                post = _from_line(json.loads(line), source_id)
            except (ValueError, KeyError, TypeError) as error:
                raise ImportFailed(f"{file}, line {number}: {_problem(error)}") from error
            if post.body.text:
                yield post


def _from_line(line: dict[str, Any], source_id: UUID) -> NewPost:
    posted_at = datetime.fromisoformat(line["date"])
    if posted_at.tzinfo is None:
        raise ValueError(f"the date {line['date']} has no time zone")
    if not isinstance(line["text"], str):
        raise TypeError("text is not a string")
    external_id = f"{int(line['sender_id'])}/{int(line['message_id'])}"
    return NewPost(source_id, external_id, from_markdown(line["text"]).trimmed(), posted_at=posted_at)


def _export(file: Path, source_id: UUID) -> Iterator[NewPost]:
    try:
        export = json.loads(file.read_text(encoding="utf-8-sig"))
    except json.JSONDecodeError as error:
        raise ImportFailed(f"{file}, line {error.lineno}: {error.msg}") from error
    for chat in _chats(file, export):
        for position, message in enumerate(chat["messages"], 1):
            try:
                post = _from_message(chat, message, source_id)
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                where = message.get("id", position) if isinstance(message, dict) else position
                raise ImportFailed(f"{file}, message {where}: {_problem(error)}") from error
            if post is not None and post.body.text:
                yield post


def _chats(file: Path, export: Any) -> list[dict[str, Any]]:
    """Return the chats of an export: of one chat, or of a whole account."""
    chats: Any = None
    if isinstance(export, dict):
        everything = export.get("chats")
        chats = everything.get("list") if isinstance(everything, dict) else [export]
    if not isinstance(chats, list) or not all(_is_chat(chat) for chat in chats):
        raise ImportFailed(f"{file}: neither an export of Telegram Desktop (result.json) nor JSONL")
    return chats


def _is_chat(chat: Any) -> bool:
    return isinstance(chat, dict) and isinstance(chat.get("messages"), list) and "id" in chat


def _from_message(chat: dict[str, Any], message: dict[str, Any], source_id: UUID) -> NewPost | None:
    if message["type"] != "message":  # somebody joined, a picture of the chat was changed
        return None
    return NewPost(
        source_id,
        f"{int(chat['id'])}/{int(message['id'])}",
        rich_text(message).trimmed(),
        posted_at=datetime.fromtimestamp(int(message["date_unixtime"]), UTC),
    )


def _problem(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"it is not JSON: {error.msg} at column {error.colno}"
    if isinstance(error, KeyError):
        return f"{error.args[0]} is missing"
    return str(error)
