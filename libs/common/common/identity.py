"""Content identity: when two posts are the same post, wherever and whenever they come from.

Two posts are the same where their text is the same to a reader (letter case, Unicode composition, width and
typographic variants, invisible characters, white space and the tracking parameters of links apart) and their media are
the same files. Signatures ("subscribe to …") belong to the text: cutting them off by guess would make different posts
equal, and a post that is dropped as a duplicate is not seen again.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterable

import regex

from common.telegram.links import bare_urls
from common.tracking import without_tracking

VERSION = 1
"""Part of what is hashed: raise it with any change of the rules, so that keys of different rules never meet."""

SHORTEST_TEXT = 12
"""Letters and digits that a text without media needs to have an identity: below that ("Доброе утро!", "+1", an emoji)
equal texts are no evidence of an equal post."""

# Unicode's Default_Ignorable_Code_Point (zero-width characters, joiners, emoji variation selectors, fillers, tags:
# https://www.unicode.org/reports/tr44/#Default_Ignorable_Code_Point), interlinear anchors, and controls but no spaces.
_INVISIBLE = regex.compile(r"[\p{Default_Ignorable_Code_Point}\uFFF9-\uFFFB\p{Cc}--\s]", regex.VERSION1)
_SPACES = re.compile(r"\s+")
_SIGNIFICANT = re.compile(r"[^\W_]")
_SITE = re.compile(r"(?:[a-z]+://)?[^/?#]*", re.IGNORECASE)


def content_key(text: str, media_hashes: Iterable[bytes] = ()) -> bytes | None:
    """The SHA-256 (32 bytes) of a post's content, or None where it has too little to be told apart by.

    `text` is the plain text, without the targets of links behind words; `media_hashes` are digests of the files, in
    any order. Every post with media has a key.
    """
    normal = normalised(text).encode("utf-8", "surrogatepass")
    media = sorted(media_hashes)
    if not media and sum(1 for _ in _SIGNIFICANT.finditer(normal.decode("utf-8", "replace"))) < SHORTEST_TEXT:
        return None
    # Each part is preceded by its length, so that no two contents give the same bytes.
    digest = hashlib.sha256(bytes([VERSION]))
    for part in (normal, *media):
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.digest()


def normalised(text: str) -> str:
    """The text as it is compared. Links keep the case of their path, which servers tell apart."""
    text = _INVISIBLE.sub("", unicodedata.normalize("NFKC", _INVISIBLE.sub("", text)))
    pieces = []
    position = 0
    for start, end in bare_urls(text):
        pieces += [_folded(text[position:start]), _link(text[start:end])]
        position = end
    pieces.append(_folded(text[position:]))
    return _SPACES.sub(" ", "".join(pieces)).strip()


def _folded(text: str) -> str:
    """Without letter case; folding can leave a decomposed sequence, hence the second normalisation."""
    return unicodedata.normalize("NFKC", text.casefold())


def _link(url: str) -> str:
    return _SITE.sub(lambda site: site.group().casefold(), without_tracking(url), count=1)
