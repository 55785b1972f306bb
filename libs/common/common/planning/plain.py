"""A text for platforms without formatting: links that stand behind words are written out after them."""

from common.telegram.entities import EntityKind
from common.telegram.text import RichText
from common.telegram.utf16 import Offsets


def plain(rich: RichText) -> RichText:
    """Return a text without marks that says as much; the address of a link that is not to be seen follows it."""
    offsets = Offsets(rich.text)
    said, done = [], 0
    for entity in sorted(rich.entities, key=lambda entity: entity.end):
        if entity.kind is not EntityKind.TEXT_LINK or not entity.url or _bare(entity.url) in rich.text:
            continue
        end = offsets.point(entity.end)
        if end < done:  # two links on the same words
            continue
        shown = rich.text[done:end].rstrip()
        said += [shown, f" ({entity.url})", rich.text[done + len(shown) : end]]
        done = end
    return RichText(text="".join([*said, rich.text[done:]])).trimmed()


def _bare(url: str) -> str:
    return url.partition("://")[2].rstrip("/") or url
