"""The media of a feed entry: what it declares, and the pictures in its text."""

import re
from collections.abc import Iterable, Iterator
from html import unescape
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

from collector.adapters.feed_items import FeedMedia
from common.telegram.utf16 import storable

_IMAGE = re.compile(r"<img\b[^>]{0,4000}>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""\b(src|width|height)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+))""", re.IGNORECASE)
_SMALLEST_PIXELS = 16  # smaller ones count readers or draw a line
_LONGEST_SECONDS = 10**6


def absolute(url: str | None, base_url: str) -> str | None:
    """The address resolved against the feed's, where it is one for http(s)."""
    try:
        resolved = storable(urljoin(base_url, (url or "").strip()))
        return resolved if url and urlsplit(resolved).scheme in ("http", "https") else None
    except ValueError:
        return None


class Declared(NamedTuple):
    """A medium as a feed declares it; its address may be relative, or none."""

    url: str | None
    type: str | None
    width: int | None = None
    height: int | None = None
    seconds: float | None = None


def unique_media(candidates: Iterable[Declared], base_url: str) -> tuple[FeedMedia, ...]:
    """Candidates to media: each file once, in the widest of the sizes offered (sizes of one picture differ in the query
    only)."""
    widest: dict[str, FeedMedia] = {}
    for declared in candidates:
        found = absolute(declared.url, base_url)
        if found is None:
            continue
        key = found.partition("?")[0]
        if key not in widest or (declared.width or 0) > (widest[key].width or 0):
            size = declared.width or None, declared.height or None
            widest[key] = FeedMedia(found, declared.type or None, *size, declared.seconds or None)
    return tuple(widest.values())


def images(html: str) -> Iterator[Declared]:
    """The pictures of an HTML fragment, without counters and ornaments."""
    for tag in _IMAGE.finditer(html):
        attributes = {name.lower(): unescape(a or b or c) for name, a, b, c in _ATTRIBUTE.findall(tag.group())}
        width, height = pixels(attributes.get("width")), pixels(attributes.get("height"))
        if all(size is None or size >= _SMALLEST_PIXELS for size in (width, height)):
            yield Declared(attributes.get("src"), "image", width, height)


def pixels(value: object) -> int | None:
    """A declared width or height; None where it is none."""
    digits = str(value).strip().removesuffix("px")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 6 else None


def seconds(value: object) -> float | None:
    """A declared length in seconds; None where it is none."""
    try:
        number = float(str(value))
    except ValueError:
        return None
    return number if 0 < number < _LONGEST_SECONDS else None
