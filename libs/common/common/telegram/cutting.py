"""Cutting a text to a limit, by one rule for every platform.

The limit counts UTF-16 code units after entity parsing (Telegram: 4096 for a text, 1024 for a caption,
https://core.telegram.org/bots/api#sendmessage). The cut never falls inside a grapheme cluster, an address or an
entity that would break; it prefers the end of a sentence, then of a word.
"""

import string
from bisect import bisect_left

import regex

from common.telegram.entities import Entity, EntityKind
from common.telegram.graphemes import grapheme_start
from common.telegram.links import bare_urls
from common.telegram.text import RichText
from common.telegram.utf16 import Offsets, utf16_length, utf16_prefix

ELLIPSIS = "…"

# How much of the room may stay empty for the sake of a better end.
_SENTENCE_SHARE = 0.3
_WORD_SHARE = 0.5

# The end of a paragraph, or a full stop that is not an initial's, an abbreviation's or a list number's.
SENTENCE_END = regex.compile(
    r"(?<=\S)(?=[^\S\n]*\n)"
    r"|(?<=[\w\p{Pe}\p{Pf}%\"]{2}[.!?…]{1,3}[\p{Pe}\p{Pf}\"]?)(?<!(?:^|\n)\s{0,9}\d{1,3}\.)(?=\s[^\p{Ll}])"
    r"|(?<=[。！？])"
)
WORD_END = regex.compile(r"(?<=\S)(?=\s)")
_DANGLING = ",;:-–—([{«„" + string.whitespace + "\u00a0"
_TAG = regex.compile(r"(?<!\w)[@#$]\w+")

# What is worth reading without its mark, when nothing before it fits.
_READABLE_UNMARKED = frozenset({EntityKind.CODE, EntityKind.PRE, EntityKind.TEXT_LINK, EntityKind.TEXT_MENTION})


def cut(rich: RichText, limit: int) -> RichText:
    """`rich` itself where it fits into `limit` UTF-16 units, else its start, ended by an ellipsis that counts.

    Formatting is shortened; links, code, mentions, hashtags, addresses and custom emoji stay whole or go. Where a text
    begins with a code block or a linked passage longer than the limit, that passage is cut as plain text, so that
    something is left to read. Raises `ValueError` for a limit below 1.
    """
    if limit < 1:
        raise ValueError(f"a limit of {limit} leaves no room for a text")
    if len(rich.text) * 2 <= limit or utf16_length(rich.text) <= limit:
        return rich
    room = len(utf16_prefix(rich.text, limit - len(ELLIPSIS)))
    entities = rich.entities
    end = _end(rich.text, entities, room)
    if end == 0:
        entities = tuple(mark for mark in entities if mark.offset > 0 or mark.kind not in _READABLE_UNMARKED)
        end = _end(rich.text, entities, room)
    return _ended(rich.text[:end], entities, limit)


def _end(text: str, entities: tuple[Entity, ...], room: int) -> int:
    """Where to cut, in code points, at most `room`."""
    allowed = _AllowedEnds(text, entities, room)
    furthest = allowed.at_or_before(room)
    # A sentence's end leaves room for the space before the ellipsis.
    for ends, share, reserve in ((SENTENCE_END, _SENTENCE_SHARE, 1), (WORD_END, _WORD_SHARE, 0)):
        found = [
            match.start()
            for match in ends.finditer(text, int(room * (1 - share)), min(len(text), furthest + 2))
            if match.start() <= furthest - reserve
        ]
        for position in reversed(found):
            if allowed.at_or_before(position) == position:
                return _without_dangling(text, position, allowed)
    return _without_dangling(text, furthest, allowed)


def _without_dangling(text: str, position: int, allowed: "_AllowedEnds") -> int:
    """Drops whitespace, and punctuation that leads on, from the end of what is kept."""
    tidy = len(text[:position].rstrip(_DANGLING))
    return tidy if allowed.at_or_before(tidy) == tidy else len(text[:position].rstrip())


def _ended(body: str, entities: tuple[Entity, ...], limit: int) -> RichText:
    """`body` with its ellipsis and what is left of the entities."""
    length = utf16_length(body)
    marks = tuple(
        mark for entity in entities if (mark := entity.over(min(entity.offset, length), min(entity.end, length)))
    )
    if body.endswith(ELLIPSIS):
        return RichText(text=body, entities=marks)
    gap = " " if body.endswith((".", "!", "?")) and length + 2 <= limit else ""
    return RichText(text=body + gap + ELLIPSIS, entities=marks)


class _AllowedEnds:
    """The positions (code points) of a text where a cut breaks nothing."""

    def __init__(self, text: str, entities: tuple[Entity, ...], room: int) -> None:
        self._text = text
        offsets = Offsets(text)
        spans = [
            (offsets.point(entity.offset), offsets.point(entity.end)) for entity in entities if not entity.splittable
        ]
        spans += _token_spans(text, room)
        self._starts: list[int] = []
        self._ends: list[int] = []
        for start, end in sorted(spans):
            if self._ends and start < self._ends[-1]:
                self._ends[-1] = max(end, self._ends[-1])
            else:
                self._starts.append(start)
                self._ends.append(end)

    def at_or_before(self, position: int) -> int:
        """The last such position up to `position`."""
        while True:
            index = bisect_left(self._starts, position) - 1
            outside = self._starts[index] if index >= 0 and position < self._ends[index] else position
            boundary = grapheme_start(self._text, outside)
            if boundary == position:
                return position
            position = boundary


def _token_spans(text: str, room: int) -> list[tuple[int, int]]:
    """Addresses, mentions and hashtags, marked or not, in the run without spaces around `room`: the only run that a
    cut at a word's end could break."""
    start = max(text.rfind(" ", 0, room), text.rfind("\n", 0, room)) + 1
    end = min((at for at in (text.find(" ", room), text.find("\n", room)) if at >= 0), default=len(text))
    token = text[start:end]
    found = bare_urls(token) + [match.span() for match in _TAG.finditer(token)]
    return [(start + first, start + last) for first, last in found]
