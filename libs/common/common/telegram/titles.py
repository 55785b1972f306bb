"""The title of a post stands above its text."""

from common.telegram.entities import Entity, EntityKind
from common.telegram.text import RichText


def titled(title: str, body: RichText) -> RichText:
    """Return a text under its title in bold, unless it begins with the title anyway."""
    if not title or body.text.startswith(title):
        return body
    heading = RichText.repaired(title)
    bold = Entity(kind=EntityKind.BOLD, offset=0, length=heading.utf16_length)
    shift = heading.utf16_length + 2
    moved = [mark.over(mark.offset + shift, mark.end + shift) for mark in body.entities]
    return RichText.repaired(f"{heading.text}\n\n{body.text}", [bold, *(mark for mark in moved if mark)]).trimmed()
