"""How long X finds a text: https://docs.x.com/fundamentals/counting-characters.

The weights are those of https://github.com/twitter/twitter-text/blob/master/config/v3.json.
"""

import re
from unicodedata import normalize

from sandbox.x.addresses import addresses

MOST = 280
ADDRESS_WEIGHT, HEAVY, LIGHT = 23, 2, 1
LIGHT_RANGES = ((0, 4351), (8192, 8205), (8208, 8223), (8242, 8247))

_ONE = "[\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u23ff\u2460-\u24ff\u25a0-\u27bf\u2900-\u297f\u2b00-\u2bff"
_ONE += "\u3030\u303d\u3297\u3299\U0001f000-\U0001faff]"
_PERSON = f"(?:{_ONE}\ufe0f?[\U0001f3fb-\U0001f3ff]?)"
# Sequences that are seen as one: keycaps, flags of countries and of regions, and what is toned or joined (up to four).
EMOJI = re.compile(
    "[0-9#*]\ufe0f?\u20e3|[\U0001f1e6-\U0001f1ff]{2}|\U0001f3f4[\U000e0020-\U000e007e]+\U000e007f|[\u00a9\u00ae]\ufe0f|"
    f"{_PERSON}(?:\u200d{_PERSON}){{0,3}}"
)


def weight(text: str) -> int:
    """Return the weighted length of a text: an address is 23, an emoji 2, other characters 1 or (as in Chinese) 2."""
    text = normalize("NFC", text)
    total, done = 0, 0
    for address in addresses(text):
        total += _plain(text[done : address.start]) + ADDRESS_WEIGHT
        done = address.end
    return total + _plain(text[done:])


def _plain(text: str) -> int:
    if text.isascii():
        return len(text)
    rest, emoji = EMOJI.subn("", text)
    return HEAVY * emoji + sum(map(_of_one, rest))


def _of_one(character: str) -> int:
    point = ord(character)
    return LIGHT if any(low <= point <= high for low, high in LIGHT_RANGES) else HEAVY
