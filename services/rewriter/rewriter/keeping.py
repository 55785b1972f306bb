"""What a rewrite has to keep of its post, and how it is made to fit."""

import re
from collections.abc import Iterable, Sequence

from common.telegram.cutting import cut
from common.telegram.entities import EntityKind
from common.telegram.links import bare_urls, links
from common.telegram.text import RichText
from common.telegram.utf16 import Offsets, utf16_length
from common.tracking import without_tracking

_SCHEME = re.compile(r"^(?:https?://)?(?:www\.)?", re.IGNORECASE)
# One digit is too often rightly a word ("three"), and zeros alone are the end of a grouped number ("2 000 000").
_FIGURE = re.compile(r"(?!0+(?!\d))\d{2,}")
_GROUPED = re.compile(r"(?<=\d)[.,'’ \u00a0\u202f](?=\d)")


def kept_links(post: RichText) -> list[str]:
    """Return the addresses that a rewrite must keep: all but those behind nothing that can be seen."""
    offsets = Offsets(post.text)
    seen = [
        mark
        for mark in post.entities
        if mark.kind is not EntityKind.TEXT_LINK
        or post.text[offsets.point(mark.offset) : offsets.point(mark.end)].strip()
    ]
    return links(post if len(seen) == len(post.entities) else post.model_copy(update={"entities": tuple(seen)}))


def missing_links(wanted: Iterable[str], body: RichText) -> list[str]:
    """Return the addresses that `body` lacks; scheme, `www.`, tracking and a slash at the end make no difference."""
    there = {_comparable(url) for url in links(body)}
    return [url for url in wanted if _comparable(url) not in there]


def missing_figures(post: RichText, body: RichText) -> list[str]:
    """Return the numbers of two or more digits that `body` lacks, however it groups their digits."""
    written = f"{body.text}\n{_GROUPED.sub('', body.text)}"
    return [figure for figure in dict.fromkeys(_FIGURE.findall(_without_links(post.text))) if figure not in written]


def fitted(body: RichText, limit: int, wanted: Sequence[str] = ()) -> RichText:
    """Return `body` within `limit` UTF-16 units, with those `wanted` addresses that it lacks, or that the cut took,
    on lines of their own at its end: as many as fit into half of the limit.
    """
    ending = ""
    while True:
        fit = cut(body, limit - utf16_length(ending))
        longer = _ending(missing_links(wanted, fit), limit // 2)
        # A longer ending may cost further addresses; it grows until it holds all of them.
        if len(longer) <= len(ending):
            return RichText(text=fit.text + ending, entities=fit.entities) if ending else fit
        ending = longer


def _ending(addresses: Iterable[str], room: int) -> str:
    ending = ""
    for url in addresses:
        longer = f"{ending}\n{url}" if ending else f"\n\n{url}"
        if utf16_length(longer) <= room:
            ending = longer
    return ending


def _comparable(url: str) -> str:
    return _SCHEME.sub("", without_tracking(url)).rstrip("/")


def _without_links(text: str) -> str:
    pieces, position = [], 0
    for start, end in bare_urls(text):
        pieces.append(text[position:start])
        position = end
    return " ".join((*pieces, text[position:]))
