"""Telegram's markdown as people type it, and what Telegram itself finds in a text."""

import re
from itertools import groupby
from typing import Any

from telethon.extensions import markdown
from telethon.tl.types import (
    MessageEntityBlockquote,
    MessageEntityEmail,
    MessageEntityHashtag,
    MessageEntityMention,
    MessageEntitySpoiler,
    MessageEntityUrl,
)


def parse_markdown(source: str) -> tuple[str, list[Any]]:
    """Return the plain text and its entities, offsets in UTF-16 units.

    Telethon's own marks (`**`, `__`, `~~`, backquotes, `[text](url)`), `||spoilers||`, and lines that start with `> `
    as quotations; then addresses, mentions and hashtags, which Telegram's server finds by itself.
    """
    delimiters = markdown.DEFAULT_DELIMITERS | {"||": MessageEntitySpoiler}
    text = ""
    entities: list[Any] = []
    for quoted, lines in groupby(source.strip().splitlines(), key=lambda line: line.startswith("> ")):
        block = "\n".join(line.removeprefix("> ") if quoted else line for line in lines)
        text += "\n" if text else ""
        inner = block.strip("\n")
        # Telethon's parser strips what it is given, and the blank lines around a quotation are to stay.
        text += "\n" * (len(block) - len(block.lstrip("\n")))
        start = _units(text)
        parsed, found = markdown.parse(inner, delimiters)
        for entity in found:
            entity.offset += start
        entities += [MessageEntityBlockquote(start, _units(parsed)), *found] if quoted else found
        text += parsed + "\n" * (len(block) - len(block.rstrip("\n"))) * bool(inner)
    return text, sorted([*entities, *_detected(text, entities)], key=lambda each: (each.offset, -each.length))


def _detected(text: str, known: list[Any]) -> list[Any]:
    kinds = (
        (MessageEntityUrl, r"https?://[^\s<>\"«»]*[^\s<>\"«».,;:!?)\]]"),
        (MessageEntityEmail, r"[\w.+-]+@[\w-]+\.[\w.]*\w"),
        (MessageEntityMention, r"(?<![\w@/])@[A-Za-z]\w{3,31}"),
        (MessageEntityHashtag, r"(?<![\w#/&])#\w*[^\W\d]\w*"),
    )
    taken = [(each.offset, each.offset + each.length) for each in known if type(each).__name__ in _exclusive()]
    found = []
    for kind, pattern in kinds:
        for match in re.finditer(pattern, text):
            start = _units(text[: match.start()])
            end = start + _units(match.group())
            if all(end <= begun or start >= ended for begun, ended in taken):
                taken.append((start, end))
                found.append(kind(start, end - start))
    return found


def _exclusive() -> tuple[str, ...]:
    """Entities inside which Telegram looks for nothing else."""
    return ("MessageEntityTextUrl", "MessageEntityCode", "MessageEntityPre")


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2
