"""Telegram's entities as HTML that nothing in a message can break out of, and as JSON."""

from collections import defaultdict
from typing import Any
from urllib.parse import urlsplit

from markupsafe import Markup, escape


def entity_json(entity: Any) -> dict[str, Any]:
    """Return an entity as `{type, offset, length, …}`; offsets are UTF-16 units, types as the Bot API names them."""
    described: dict[str, Any] = {"type": kind_of(entity), "offset": entity.offset, "length": entity.length}
    for name in ("url", "language", "user_id"):
        if isinstance(getattr(entity, name, None), str | int):
            described[name] = getattr(entity, name)
    return described


def kind_of(entity: Any) -> str:
    """Return `bold`, `text_url`, … for MessageEntityBold, MessageEntityTextUrl, …"""
    name = type(entity).__name__.removeprefix("MessageEntity")
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")


def render_html(text: str, entities: list[Any]) -> Markup:
    """Return the text with its entities as HTML. Everything of the text is escaped; overlaps are nested anew."""
    units = text.encode("utf-16-le", "surrogatepass")
    size = len(units) // 2
    starts: dict[int, list[Any]] = defaultdict(list)
    ends: dict[int, list[Any]] = defaultdict(list)
    for entity in sorted(entities, key=lambda each: -each.length):
        start, end = max(0, entity.offset), min(size, entity.offset + entity.length)
        if start < end:
            starts[start].append(entity)
            ends[end].append(entity)
    points = sorted({0, size, *starts, *ends})
    parts: list[str] = []
    opened: list[Any] = []
    for point, following in zip(points, [*points[1:], size], strict=True):
        _close(parts, opened, ends.get(point, []), units)
        for entity in starts.get(point, ()):
            opened.append(entity)
            parts.append(_tags(entity, units)[0])
        said = _part(units, point, following)
        if any(kind_of(entity) in ("blockquote", "pre") for entity in ends.get(point, ())):
            said = said.removeprefix("\n")  # a block ends its line by itself
        parts.append(escape(said))
    return Markup("".join(parts))  # noqa: S704  # every part is escaped text or a tag of ours


def _close(parts: list[str], opened: list[Any], ending: list[Any], units: bytes) -> None:
    """Close what ends here; what was opened later and goes on is closed too, and opened again."""
    going_on: list[Any] = []
    while any(entity in opened for entity in ending):
        entity = opened.pop()
        parts.append(_tags(entity, units)[1])
        if entity not in ending:
            going_on.append(entity)
    for entity in reversed(going_on):
        opened.append(entity)
        parts.append(_tags(entity, units)[0])


def _part(units: bytes, start: int, end: int) -> str:
    return units[2 * start : 2 * end].decode("utf-16-le", "replace")


def _tags(entity: Any, units: bytes) -> tuple[str, str]:
    simple = {
        "bold": "strong",
        "italic": "em",
        "underline": "u",
        "strike": "s",
        "code": "code",
        "pre": "pre",
        "blockquote": "blockquote",
    }
    kind = kind_of(entity)
    if kind in simple:
        return f"<{simple[kind]}>", f"</{simple[kind]}>"
    if kind == "spoiler":
        return '<span class="spoiler" tabindex="0">', "</span>"
    said = _part(units, entity.offset, entity.offset + entity.length)
    address = {
        "text_url": getattr(entity, "url", ""),
        "url": said if "://" in said else f"https://{said}",
        "email": f"mailto:{said}",
        "mention": f"https://t.me/{said.lstrip('@')}",
    }.get(kind, "")
    if _is_safe(address):
        return f'<a href="{escape(address)}" rel="noopener noreferrer nofollow" target="_blank">', "</a>"
    return f'<span class="{escape(kind)}">', "</span>"


def _is_safe(address: str) -> bool:
    try:
        return urlsplit(address).scheme.lower() in ("http", "https", "mailto", "tg")
    except ValueError:
        return False
