"""The links of a text: those it shows and those behind words. Later checks ask that a rewrite kept them."""

import re

from common.telegram.entities import EntityKind
from common.telegram.text import RichText
from common.telegram.utf16 import Offsets

BARE_URL = re.compile(
    r"(?<![\w@/.])(?:(?:https?|ftp|tg|ton)://|(?:www\.|t\.me/)(?=\w))[^\s<>«»\"'`\u2010-\u206f\u3000-\u303f]++",
    re.IGNORECASE,
)
"""An address in running text. Telegram's own detection excludes general punctuation from addresses too, so that a
dash or an ellipsis directly after one stays outside."""

_CLOSERS = {")": "(", "]": "[", "}": "{"}


def bare_urls(text: str) -> list[tuple[int, int]]:
    """Start and end (code points) of the addresses in a plain text, without the punctuation of the sentence."""
    return [(match.start(), _end(match.group(), match.start())) for match in BARE_URL.finditer(text)]


def links(rich: RichText) -> list[str]:
    """Every address once, in order of appearance: `text_link` targets, `url` entities, and bare addresses."""
    offsets = Offsets(rich.text)
    found = [(offsets.units(start), rich.text[start:end]) for start, end in bare_urls(rich.text)]
    for entity in rich.entities:
        if entity.kind is EntityKind.TEXT_LINK and entity.url:
            found.append((entity.offset, entity.url))
        elif entity.kind is EntityKind.URL:
            found.append((entity.offset, rich.text[offsets.point(entity.offset) : offsets.point(entity.end)]))
    return list(dict.fromkeys(url for _, url in sorted(found, key=lambda item: item[0])))


def _end(url: str, start: int) -> int:
    """Sentence punctuation at the end isn't part of the address; a closing bracket is, where it was opened inside."""
    length = len(url)
    while length:
        last = url[length - 1]
        if last in ".,;:!?*_~|" or (
            last in _CLOSERS and url.count(last, 0, length) > url.count(_CLOSERS[last], 0, length)
        ):
            length -= 1
        else:
            break
    return start + length
