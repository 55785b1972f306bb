"""How long X finds a text, and how a longer one becomes a thread.

The weights are those of https://github.com/twitter/twitter-text/blob/master/config/v3.json.
"""

from collections.abc import Iterator
from unicodedata import normalize

import regex

from common.planning.x_addresses import addresses
from common.telegram.cutting import SENTENCE_END, WORD_END

MOST = 280
ADDRESS_WEIGHT, HEAVY, LIGHT = 23, 2, 1
LIGHT_RANGES = ((0, 4351), (8192, 8205), (8208, 8223), (8242, 8247))

_CLUSTER = regex.compile(r"\X")
# What is seen as one picture: flags, keycaps, and whatever is toned, joined or shown as an emoji.
_EMOJI = regex.compile(r"\p{Regional_Indicator}{2}|.\ufe0f?\u20e3|\p{Extended_Pictographic}.*", regex.DOTALL)
_EMPTY_SHARE = 0.6  # of a post may stay empty for the sake of the end of a sentence


def weight(text: str) -> int:
    """Return the weighted length of a text: an address is 23, an emoji 2, other characters 1 or (as in Chinese) 2."""
    return sum(heavy for _, heavy in _units(normalize("NFC", text)))


def thread(text: str) -> list[str]:
    """Return the posts of a text: itself where it fits, else parts that end with sentences where that is possible.

    No address is divided. There is one post at least, of a text that is empty too.
    """
    text = normalize("NFC", text).strip()
    units = list(_units(text))
    parts: list[str] = []
    start = done = 0
    while done < len(units):
        fits, room = done, MOST
        while fits < len(units) and units[fits][1] <= room:
            room -= units[fits][1]
            fits += 1
        end = units[fits - 1][0]
        if fits < len(units):
            ends = {position for position, _ in units[done:fits]}
            end = _best_end(text, start, end, ends)
        parts.append(text[start:end].strip())
        start = end + len(text[end:]) - len(text[end:].lstrip())
        done = next((number for number, unit in enumerate(units) if unit[0] > start), len(units))
    return parts or [""]


def _best_end(text: str, start: int, furthest: int, ends: set[int]) -> int:
    """Return where a post ends best: with a sentence, else with a word, else where there is no more room."""
    earliest = furthest - int((furthest - start) * _EMPTY_SHARE)
    for pattern in (SENTENCE_END, WORD_END):
        # What follows counts for where a sentence ends, so the search goes one beyond.
        found = [match.start() for match in pattern.finditer(text, earliest, min(len(text), furthest + 2))]
        if fitting := [position for position in found if position in ends]:
            return max(fitting)
    return furthest


def _units(text: str) -> Iterator[tuple[int, int]]:
    """Yield what must not be divided, as its end in the text and its weight."""
    done = 0
    for start, end in [*addresses(text), (len(text), len(text))]:
        for cluster in _CLUSTER.finditer(text, done, start):
            if (heavy := _weight_of(cluster[0])) <= MOST:
                yield cluster.end(), heavy
            else:  # a letter with hundreds of marks: no post has room for it, so it is divided
                yield from ((cluster.start() + n, _weight_of(mark)) for n, mark in enumerate(cluster[0], 1))
        if end > start:
            yield end, ADDRESS_WEIGHT
        done = end


def _weight_of(cluster: str) -> int:
    if len(cluster) > 1 and _EMOJI.fullmatch(cluster):
        return HEAVY
    return sum(LIGHT if any(low <= ord(each) <= high for low, high in LIGHT_RANGES) else HEAVY for each in cluster)
