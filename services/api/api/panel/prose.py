"""The text of a post as safe HTML, made from its entities: what stands in it is escaped, and only marks become tags."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from urllib.parse import urlsplit

from markupsafe import Markup, escape

from common.telegram.entities import Entity, EntityKind
from common.telegram.utf16 import Offsets

SCHEMES = frozenset({"http", "https", "tg", "mailto"})
LONGEST_ADDRESS = 2048
TAGS = {
    EntityKind.BOLD: "b",
    EntityKind.ITALIC: "i",
    EntityKind.UNDERLINE: "u",
    EntityKind.STRIKE: "s",
    EntityKind.CODE: "code",
}
BLOCKS = {EntityKind.BLOCKQUOTE: "blockquote", EntityKind.PRE: "pre"}
LINK = Markup('<a href="{}" rel="noreferrer noopener nofollow" target="_blank">')
_BREAKS = re.compile(r"\n[^\S\n]*(?:\n[^\S\n]*)+|\n")


@dataclass(frozen=True, slots=True)
class Mark:
    """A tag over a part of a text, in code points."""

    start: int
    end: int
    opening: Markup
    closing: Markup


def tag(name: str, start: int, end: int, *, style: str = "") -> Mark:
    """Return a mark of a tag, which may have a class of style."""
    opening = Markup('<{} class="{}">').format(name, style) if style else Markup("<{}>").format(name)
    return Mark(start, end, opening, Markup("</{}>").format(name))


def prose(text: str, entities: Iterable[Entity] = (), extra: Sequence[Mark] = ()) -> Markup:
    """Return a text in paragraphs, with its marks; `extra` ones stand innermost.

    Marks that overlap are closed and opened again, so that tags always nest; none goes on beyond its paragraph.
    """
    offsets = Offsets(text)
    marks: list[Mark] = []
    blocks: list[Mark] = []
    for entity in sorted(entities, key=lambda each: (each.offset, -each.length)):
        start, end = offsets.point(entity.offset), offsets.point(min(entity.end, offsets.units(len(text))))
        if name := BLOCKS.get(entity.kind):
            blocks.append(tag(name, start, end))
        elif mark := _mark(entity, text, start, end):
            marks.append(mark)
    return Markup("").join(_region(text, 0, len(text), _apart(blocks), [*marks, *extra]))


def safe_address(address: str | None) -> str | None:
    """Return an address that a link may have, or None: only what a browser opens without running it."""
    if not address or len(address) > LONGEST_ADDRESS or any(ord(each) <= 32 for each in address):
        return None
    try:
        scheme = urlsplit(address).scheme.lower()
    except ValueError:
        return None
    if scheme in SCHEMES:
        return address
    return f"https://{address}" if not scheme and not address.startswith(("/", "#", "?", ".")) else None


def _mark(entity: Entity, text: str, start: int, end: int) -> Mark | None:
    if name := TAGS.get(entity.kind):
        return tag(name, start, end)
    match entity.kind:
        case EntityKind.SPOILER:
            return tag("span", start, end, style="spoiler")
        case EntityKind.TEXT_LINK:
            address = safe_address(entity.url)
        case EntityKind.URL:
            address = safe_address(text[start:end])
        case EntityKind.EMAIL:
            address = safe_address(f"mailto:{text[start:end]}")
        case EntityKind.TEXT_MENTION if entity.user_id:
            address = f"tg://user?id={entity.user_id}"
        case _:
            return None
    return Mark(start, end, LINK.format(address), Markup("</a>")) if address else None


def _apart(blocks: Sequence[Mark]) -> list[Mark]:
    """Return blocks of which none is inside another: of two that overlap the first counts."""
    apart: list[Mark] = []
    for block in blocks:
        if block.start < block.end and (not apart or block.start >= apart[-1].end):
            apart.append(block)
    return apart


def _region(text: str, start: int, end: int, blocks: Sequence[Mark], marks: Sequence[Mark]) -> Iterator[Markup]:
    for block in blocks:
        yield from _paragraphs(text, start, block.start, marks)
        yield block.opening
        if block.closing == "</pre>":
            yield from _marked(text, block.start, block.end, marks)
        else:
            yield from _paragraphs(text, block.start, block.end, marks)
        yield block.closing
        start = block.end
    yield from _paragraphs(text, start, end, marks)


def _paragraphs(text: str, start: int, end: int, marks: Sequence[Mark]) -> Iterator[Markup]:
    lines: list[tuple[int, int]] = []
    position = start
    for found in [*_BREAKS.finditer(text, start, end), None]:
        stop = found.start() if found else end
        if text[position:stop].strip():
            lines.append((position, stop))
        if lines and (found is None or found[0].count("\n") > 1):
            yield Markup("<p>")
            for number, line in enumerate(lines):
                if number:
                    yield Markup("<br>")
                yield from _marked(text, *line, marks)
            yield Markup("</p>")
            lines = []
        position = found.end() if found else end


def _marked(text: str, start: int, end: int, marks: Sequence[Mark]) -> Iterator[Markup]:
    """Yield a part of a text with those marks that reach into it, properly nested."""
    within = [mark for mark in marks if mark.start < end and mark.end > start]
    edges = sorted({start, end, *(edge for mark in within for edge in (mark.start, mark.end) if start < edge < end)})
    open_: list[Mark] = []
    for first, last in pairwise(edges):
        wanted = [mark for mark in within if mark.start <= first and mark.end >= last]
        wanted = _one_link(wanted)
        same = 0
        while same < min(len(open_), len(wanted)) and open_[same] is wanted[same]:
            same += 1
        yield from (mark.closing for mark in reversed(open_[same:]))
        yield from (mark.opening for mark in wanted[same:])
        open_ = wanted
        yield escape(text[first:last])
    yield from (mark.closing for mark in reversed(open_))


def _one_link(marks: list[Mark]) -> list[Mark]:
    """Return marks with one link at most: HTML has none inside another."""
    links = [mark for mark in marks if mark.closing == "</a>"]
    return marks if len(links) < 2 else [mark for mark in marks if mark not in links[1:]]
