"""Rich text as Telethon's markdown, the form in which a model reads and writes posts.

Nothing can be escaped in it, so a text that holds its delimiters is read back with other marks than it had. What it has
no delimiters for (underline, spoilers, quotations, custom emoji) stays as plain text. The text itself and the addresses
behind words come back from `markdown.from_markdown`.
"""

import re
from collections.abc import Iterator
from urllib.parse import quote

from common.telegram.entities import Entity, EntityKind
from common.telegram.text import RichText
from common.telegram.utf16 import Offsets

_DELIMITERS = {
    EntityKind.BOLD: "**",
    EntityKind.ITALIC: "__",
    EntityKind.STRIKE: "~~",
    EntityKind.CODE: "`",
    EntityKind.PRE: "```",
}
_CODE = (EntityKind.CODE, EntityKind.PRE)
_READABLE = re.compile(r"(?:[^()\s]|\([^()\s]*\))+")  # no spaces, and brackets in pairs: what `from_markdown` takes


def to_markdown(rich: RichText) -> str:
    """Write `rich` with the delimiters of its marks."""
    if not rich.entities:
        return rich.text
    offsets = Offsets(rich.text)
    starts: dict[int, list[str]] = {}
    ends: dict[int, list[str]] = {}
    for entity in _written(rich):
        opening, closing = _delimiters(entity)
        starts.setdefault(offsets.point(entity.offset), []).append(opening)
        ends.setdefault(offsets.point(entity.end), []).insert(0, closing)
    pieces: list[str] = []
    position = 0
    for point in sorted({*starts, *ends}):
        pieces.append(rich.text[position:point])
        pieces += ends.get(point, ())
        pieces += starts.get(point, ())
        position = point
    return "".join((*pieces, rich.text[position:]))


def _written(rich: RichText) -> Iterator[Entity]:
    """Yield the marks that can be written, outer ones first: no delimiter is read inside code, or twice."""
    code_end = 0
    open_until: dict[EntityKind, int] = {}
    code = [entity for entity in rich.entities if entity.kind in _CODE]
    for entity in sorted(rich.entities, key=lambda mark: (mark.offset, -mark.length, mark.kind in _CODE)):
        if entity.kind not in _DELIMITERS and not _address(entity):
            continue
        if entity.offset < max(code_end, open_until.get(entity.kind, 0)) or _cuts(entity, code):
            continue
        open_until[entity.kind] = entity.end
        if entity.kind in _CODE:
            code_end = entity.end
        yield entity


def _cuts(entity: Entity, code: list[Entity]) -> bool:
    """Whether a mark begins or ends within code, where its delimiter would be read as text."""
    return any(each.offset < edge < each.end for each in code for edge in (entity.offset, entity.end))


def _delimiters(entity: Entity) -> tuple[str, str]:
    if delimiter := _DELIMITERS.get(entity.kind):
        return delimiter, delimiter
    return "[", f"]({_address(entity)})"


def _address(entity: Entity) -> str | None:
    """Return what stands behind the words, quoted where markdown would not read it to its end."""
    if entity.kind is EntityKind.TEXT_MENTION and entity.user_id:
        return f"tg://user?id={entity.user_id}"
    if entity.kind is not EntityKind.TEXT_LINK or not entity.url:
        return None
    return entity.url if _READABLE.fullmatch(entity.url) else quote(entity.url, safe=":/?#[]@!$&'*+,;=%~")
