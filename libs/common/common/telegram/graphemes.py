"""Where what a reader sees as one character begins: extended grapheme clusters, https://unicode.org/reports/tr29/."""

import string

import regex

_CLUSTER = regex.compile(r"\X")

# Between any two of these there is always a boundary, so that a search can begin there.
_PLAIN = (frozenset(string.printable) - {"\r"}) | frozenset(map(chr, range(0x400, 0x482)))


def grapheme_start(text: str, position: int) -> int:
    """`position` (code points) where it is a boundary, else the start of the cluster that it falls into."""
    if position <= 0 or position >= len(text):
        return max(0, min(position, len(text)))
    boundary = next((at for at in range(position, 0, -1) if text[at - 1] in _PLAIN and text[at] in _PLAIN), 0)
    if boundary == position:
        return position
    for cluster in _CLUSTER.finditer(text, boundary):
        if cluster.end() > position:
            return int(cluster.start())
    return position
