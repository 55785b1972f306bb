"""UTF-16 code units, in which Telegram counts lengths and offsets, beside Python's code points."""

import re
from bisect import bisect_left

_ASTRAL = re.compile("[\U00010000-\U0010ffff]")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def utf16_length(text: str) -> int:
    """The length in UTF-16 code units; a lone surrogate counts as one."""
    if text.isascii():
        return len(text)
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def utf16_prefix(text: str, limit: int) -> str:
    """The longest start of a `storable` text within `limit` UTF-16 units; it never ends inside a surrogate pair."""
    head = text[:limit]
    if head.isascii():
        return head
    return head.encode("utf-16-le", "surrogatepass")[: 2 * limit].decode("utf-16-le", "ignore")


def storable(text: str) -> str:
    """Replaces what jsonb can't hold (NUL, lone surrogates) by U+FFFD, one unit for one, so that offsets stay."""
    return _UNSTORABLE.sub("\ufffd", text)


class Offsets:
    """Translates positions of one text between code points and UTF-16 units, each in O(log n)."""

    def __init__(self, text: str) -> None:
        self._points = [] if text.isascii() else [match.start() for match in _ASTRAL.finditer(text)]
        self._units = [point + index for index, point in enumerate(self._points)]

    def units(self, point: int) -> int:
        """The unit where the code point at index `point` starts."""
        return point + bisect_left(self._points, point)

    def point(self, unit: int) -> int:
        """The index of the code point that holds `unit`; a unit inside a surrogate pair gives the pair's start."""
        before = bisect_left(self._units, unit)
        if before and self._units[before - 1] + 1 == unit:
            return self._points[before - 1]
        return unit - before
