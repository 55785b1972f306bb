"""The media of a feed entry: what it declares, and the pictures in its text."""

import re
from collections.abc import Iterable, Iterator
from html import unescape
from urllib.parse import urljoin, urlsplit

from collector.adapters.feed_items import FeedMedia
from common.telegram.utf16 import storable

_IMAGE = re.compile(r"<img\b[^>]{0,4000}>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""\b(src|width|height)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+))""", re.IGNORECASE)
_SMALLEST_PIXELS = 16  # smaller ones count readers or draw a line


def absolute(url: str | None, base_url: str) -> str | None:
    """The address resolved against the feed's, where it is one for http(s)."""
    try:
        resolved = storable(urljoin(base_url, (url or "").strip()))
        return resolved if url and urlsplit(resolved).scheme in ("http", "https") else None
    except ValueError:
        return None


def unique_media(candidates: Iterable[tuple[str | None, str | None, int]], base_url: str) -> tuple[FeedMedia, ...]:
    """Address, type and width of each candidate to media: each file once, in the widest of the sizes offered (sizes of
    one picture differ in the query only)."""
    widest: dict[str, tuple[int, FeedMedia]] = {}
    for url, kind, width in candidates:
        found = absolute(url, base_url)
        if found is None:
            continue
        key = found.partition("?")[0]
        if key not in widest or width > widest[key][0]:
            widest[key] = (width, FeedMedia(url=found, type=kind or None))
    return tuple(medium for _, medium in widest.values())


def images(html: str) -> Iterator[tuple[str | None, str | None, int]]:
    """The pictures of an HTML fragment, without counters and ornaments."""
    for tag in _IMAGE.finditer(html):
        attributes = {name.lower(): unescape(a or b or c) for name, a, b, c in _ATTRIBUTE.findall(tag.group())}
        width, height = pixels(attributes.get("width")), pixels(attributes.get("height"))
        if all(size is None or size >= _SMALLEST_PIXELS for size in (width, height)):
            yield attributes.get("src"), "image", width or 0


def pixels(value: object) -> int | None:
    """A declared width or height; None where it is none."""
    digits = str(value).strip().removesuffix("px")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 6 else None
