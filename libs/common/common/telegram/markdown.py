"""Telethon's markdown, as its `md` mode writes it: `**bold**`, `__italic__`, `~~strike~~`, `` `code` ``,
```` ```pre``` ````, `[text](address)`. Nothing can be escaped in it, so a mark without its partner is plain text.

Unlike Telethon's own parser, marks may nest and overlap, marks inside a link are read, and addresses keep their
underscores. (https://docs.telethon.dev/en/stable/modules/extensions.html)
"""

import re
from dataclasses import dataclass, field

from common.telegram.entities import Entity, EntityKind
from common.telegram.text import RichText
from common.telegram.utf16 import storable, utf16_length

_PAIRED = {"**": EntityKind.BOLD, "__": EntityKind.ITALIC, "~~": EntityKind.STRIKE}
_CODE = {"```": EntityKind.PRE, "`": EntityKind.CODE}
_TOKEN = re.compile(
    r"(?P<code>```|`)|(?P<pair>\*\*|__|~~)|(?P<open>\[)"
    # A pair of brackets inside an address belongs to it: …/TENEX_(operating_system).
    r"|(?P<close>\]\((?P<url>(?:https?|tg|ton|mailto|tel|ftp):(?:[^()\s]|\([^()\s]*\))+)\))"
    r"|(?P<bracket>\])"
    # An address in the text: its underscores are no marks, except at its end.
    r"|(?P<bare>https?://(?:(?!__(?![A-Za-z0-9/&?=_-]))[^\s*`~()\[\]])+)",
    re.IGNORECASE,
)
_BOLD_ASTERISK = re.compile(r"(?<!\*)\*{5}(?!\*)")
_USER = re.compile(r"tg://user\?id=(\d{1,19})$")


@dataclass
class _Reading:
    """What was read so far: the plain text in pieces, and the marks over their indices."""

    pieces: list[str] = field(default_factory=list)
    marks: list[tuple[int, int, EntityKind, str | None]] = field(default_factory=list)
    open_pairs: dict[str, int] = field(default_factory=dict)
    open_brackets: list[int] = field(default_factory=list)

    def pair(self, delimiter: str) -> None:
        """Opens a mark, or closes the open one; an empty pair stays in the text as it is."""
        opened = self.open_pairs.pop(delimiter, None)
        if opened is not None and any(self.pieces[opened + 1 :]):
            self.pieces[opened] = ""
            self.marks.append((opened, len(self.pieces), _PAIRED[delimiter], None))
            return
        if opened is None:
            self.open_pairs[delimiter] = len(self.pieces)
        self.pieces.append(delimiter)

    def close_bracket(self) -> None:
        """Ends a bracket that is no link."""
        if self.open_brackets:
            self.open_brackets.pop()
        self.pieces.append("]")

    def close_link(self, token: str, url: str) -> None:
        """Ends the link that the last open bracket began; without one the token is plain text."""
        if not self.open_brackets:
            self.pieces.append(token)
            return
        opened = self.open_brackets.pop()
        self.pieces[opened] = ""
        self.marks.append((opened, len(self.pieces), EntityKind.TEXT_LINK, url))


def from_markdown(markdown: str) -> RichText:
    """The text without its marks, and their entities; trimmed as Telegram does. Never raises."""
    markdown = storable(markdown)
    reading = _Reading()
    position = 0
    while token := _TOKEN.search(markdown, position):
        reading.pieces.append(markdown[position : token.start()])
        position = token.end()
        if delimiter := token["code"]:
            closing = markdown.find(delimiter, position + 1)
            if closing < 0:
                reading.pieces.append(delimiter)
                continue
            reading.marks.append((len(reading.pieces), len(reading.pieces) + 1, _CODE[delimiter], None))
            reading.pieces.append(markdown[position:closing])
            position = closing + len(delimiter)
        elif token["pair"]:
            reading.pair(token["pair"])
            if _BOLD_ASTERISK.match(markdown, token.start()) and "**" in reading.open_pairs:
                reading.pieces.append("*")
                position += 1
        elif token["open"]:
            reading.open_brackets.append(len(reading.pieces))
            reading.pieces.append("[")
        elif token["close"]:
            reading.close_link(token["close"], token["url"])
        elif token["bracket"]:
            reading.close_bracket()
        else:
            reading.pieces.append(token["bare"])
    reading.pieces.append(markdown[position:])
    return _assembled(reading)


def _assembled(reading: _Reading) -> RichText:
    starts = [0]
    for piece in reading.pieces:
        starts.append(starts[-1] + utf16_length(piece))
    entities = [
        _entity(kind, starts[first], starts[last] - starts[first], url)
        for first, last, kind, url in reading.marks
        if starts[last] > starts[first]
    ]
    return RichText.repaired("".join(reading.pieces), entities).trimmed()


def _entity(kind: EntityKind, offset: int, length: int, url: str | None) -> Entity:
    user = _USER.match(url) if url else None
    if user:
        return Entity(kind=EntityKind.TEXT_MENTION, offset=offset, length=length, user_id=int(user[1]))
    return Entity(kind=kind, offset=offset, length=length, url=url)
