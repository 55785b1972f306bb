"""A deterministic rewrite: other phrases and another opening; links, numbers, names, quotes and language stay."""

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Phrasebook:
    """The openings of one language, and for each of its phrases the others that can stand in its place."""

    openings: tuple[str, ...]
    others: Mapping[str, tuple[str, ...]]
    pattern: re.Pattern[str]


class Rewriter:
    """Rewrites posts with the phrase sets of `phrases.toml`."""

    def __init__(self, phrasebooks: Mapping[str, Phrasebook]) -> None:
        self._phrasebooks = phrasebooks

    def rewrite(self, text: str, seed: str = "") -> str:
        """Return the text in other words; the same text and seed always give the same words.

        The result differs from the text in its opening at least. An empty text stays empty.
        """
        text = text.strip()
        if not text:
            return ""
        book = self._phrasebooks[language_of(text)]
        digest = sha256(f"{seed}\n{text}".encode()).digest()
        body, old = _without_opening(text, book)
        choices = [opening for opening in book.openings if opening != old]
        return f"{choices[digest[0] % len(choices)]} {book.pattern.sub(_replacing(book, digest), body)}"


def load_phrasebooks(path: Path | None = None) -> dict[str, Phrasebook]:
    """Read the phrase sets of every language from a TOML file, by default the one beside this module."""
    with (path or Path(__file__).with_name("phrases.toml")).open("rb") as file:
        languages = tomllib.load(file)
    return {language: _phrasebook(entry["openings"], entry["phrases"]) for language, entry in languages.items()}


def language_of(text: str) -> str:
    """Return `ru`, `uk` or `en` by the letters of the text, or `und` where most of them are of neither alphabet."""
    words = _links().sub("", text)
    cyrillic = len(re.findall(r"[\u0400-\u04ff]", words))
    latin = len(re.findall(r"[A-Za-z]", words))
    if 2 * (cyrillic + latin) <= sum(map(str.isalpha, words)):
        return "und"
    if cyrillic >= latin:
        return "uk" if re.search("[іїєґІЇЄҐ]", words) else "ru"
    return "en"


def _links() -> re.Pattern[str]:
    return re.compile(r"https?://\S+|\S+@\S+|[@#]\w+")  # `re` keeps compiled patterns


def _phrasebook(openings: list[str], sets: list[list[str]]) -> Phrasebook:
    others = {phrase: tuple(each for each in group if each != phrase) for group in sets for phrase in group}
    longest_first = sorted(others, key=len, reverse=True)
    words = "|".join(map(re.escape, longest_first)) or "(?!)"
    # What comes first in the pattern is passed over as it is: code, links with their titles, addresses, mentions and
    # tags, and quotations, which are facts.
    kept = r"```.*?```|`[^`\n]*`|\[[^\]\n]*\]\([^)\s]*\)|«[^»]*»|“[^”]*”|\"[^\"\n]*\"|[^\s«“\"]*[@#/\\_][^\s«“\"]*"
    return Phrasebook(
        tuple(openings), others, re.compile(rf"(?P<kept>{kept})|(?<![\w-])(?:{words})(?![\w-])", re.S | re.I)
    )


def _without_opening(text: str, book: Phrasebook) -> tuple[str, str | None]:
    """Return the text without an opening that an earlier rewrite gave it, and that opening."""
    for opening in book.openings:
        if text.startswith(f"{opening} "):
            return text[len(opening) + 1 :], opening
    return text, None


def _replacing(book: Phrasebook, digest: bytes) -> Callable[[re.Match[str]], str]:
    def replace(match: re.Match[str]) -> str:
        found = match.group()
        others = book.others.get(found.lower(), ())
        if match["kept"] is not None or not others:
            return found
        other = others[digest[match.start() % len(digest)] % len(others)]
        if found.isupper():
            return other.upper()
        return other[0].upper() + other[1:] if found[0].isupper() else other

    return replace
