"""Rich text written piece by piece, with the white space of HTML: runs collapse, blocks are set apart, and marks begin
and end at visible characters (https://www.w3.org/TR/css-text-3/#white-space-phase-1)."""

import re
from dataclasses import dataclass
from typing import Any

from common.telegram.entities import Entity, EntityKind
from common.telegram.text import RichText
from common.telegram.utf16 import utf16_length

# The white space of HTML; a no-break space is a character like any other.
_SPACES = re.compile(r"[ \t\n\r\f]+")


@dataclass
class Mark:
    """A mark being written; its start is known when its first character is."""

    kind: EntityKind
    details: dict[str, Any]
    start: int | None = None


class RichTextWriter:
    """Collects text and marks. Breaks and spaces wait until something follows them, so none is left at the end."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._units = 0
        self._breaks = 0
        self._space = False
        self._held = ""
        self._bullet: str | None = None
        self._before_bullet: list[Mark] = []
        self._unstarted: list[Mark] = []
        self._entities: list[Entity] = []

    def begin(self, kind: EntityKind, **details: Any) -> Mark:
        """Begins a mark at the next visible character; `details` are the fields of its `Entity`."""
        mark = Mark(kind, details)
        self._unstarted.append(mark)
        return mark

    def end(self, mark: Mark) -> None:
        """Ends it after the last visible character; without any it leaves no trace."""
        if mark.start is not None and self._units > mark.start:
            length = self._units - mark.start
            self._entities.append(Entity(kind=mark.kind, offset=mark.start, length=length, **mark.details))

    def line_breaks(self, count: int) -> None:
        """At least `count` line breaks before what follows: 1 ends a line, 2 a paragraph; none after a bullet."""
        if self._bullet is not None and count:
            return
        self._breaks = max(self._breaks, count)
        self._space = False
        self._held = ""

    def line_break(self) -> None:
        """One more line break (`<br>`), but never more than one empty line."""
        self.line_breaks(min(self._breaks + 1, 2))

    def bullet(self, text: str) -> None:
        """Begins a line with `text`, as soon as the line has more to show."""
        self._bullet = None
        self.line_breaks(1)
        self._before_bullet += self._unstarted
        self._unstarted = []
        self._bullet = text

    def end_bullet(self) -> None:
        """Forgets a bullet whose line had nothing to show."""
        self._bullet = None

    def write(self, text: str) -> None:
        """Running text; its white space collapses."""
        text = _SPACES.sub(" ", text)
        body = text.strip(" ")
        self._space = self._space or text.startswith(" ")
        if body:
            self._write(body)
            self._space = text.endswith(" ")

    def write_as_is(self, text: str) -> None:
        """Preformatted text; empty lines at the ends of its block are left out."""
        text = text.replace("\r\n", "\n")
        if self._breaks or not self._pieces:
            text = text.lstrip("\n")
        body = text.rstrip()
        if body:
            self._write(body)
            self._held = ""
        self._held += text[len(body) :]

    def finished(self) -> RichText:
        """What was written."""
        return RichText.repaired("".join(self._pieces), self._entities).trimmed()

    def _write(self, body: str) -> None:
        if self._pieces:
            self._append("\n" * self._breaks or (self._held or (" " if self._space else "")))
        self._breaks = 0
        self._start(self._before_bullet)
        self._append(self._bullet or "")
        self._bullet = None
        self._start(self._unstarted)
        self._append(body)

    def _append(self, text: str) -> None:
        if text:
            self._pieces.append(text)
            self._units += utf16_length(text)

    def _start(self, marks: list[Mark]) -> None:
        for mark in marks:
            mark.start = self._units
        marks.clear()
