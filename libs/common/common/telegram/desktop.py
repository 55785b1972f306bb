"""Rich text in the exports of Telegram Desktop.

The format is not documented; it is written by `export_output_json.cpp` of
https://github.com/telegramdesktop/tdesktop/blob/dev/Telegram/SourceFiles/export/output/export_output_json.cpp.
"""

from typing import Any

from common.telegram.entities import Entity, EntityKind
from common.telegram.text import RichText
from common.telegram.utf16 import storable, utf16_length

# Types that have another name there than here; those of the same name are not listed.
RENAMED = {
    "strikethrough": EntityKind.STRIKE,
    "link": EntityKind.URL,
    "mention_name": EntityKind.TEXT_MENTION,
    "expandable_blockquote": EntityKind.BLOCKQUOTE,
}
SAME = {kind.value: kind for kind in EntityKind}


def rich_text(message: dict[str, Any]) -> RichText:
    """Return the text of an exported message. Raises ValueError or TypeError where it has another shape."""
    parts = message.get("text_entities") or message.get("text") or []
    if isinstance(parts, str):
        parts = [parts]
    pieces, marks, offset = [], [], 0
    for part in parts:
        attributes = {"type": "plain", "text": part} if isinstance(part, str) else part
        text = storable(attributes["text"])
        length = utf16_length(text)
        if mark := _mark(attributes, offset, length):
            marks.append(mark)
        pieces.append(text)
        offset += length
    return RichText.repaired("".join(pieces), marks)


def _mark(part: dict[str, Any], offset: int, length: int) -> Entity | None:
    kind = RENAMED.get(part["type"]) or SAME.get(part["type"])
    if kind is None or not length:
        return None
    document = str(part.get("document_id", ""))
    if kind is EntityKind.CUSTOM_EMOJI and not document.isdigit():  # exported with media: the path of a file
        return None
    return Entity(
        kind=kind,
        offset=offset,
        length=length,
        url=part.get("href") if kind is EntityKind.TEXT_LINK else None,
        language=part.get("language") or None,
        user_id=part.get("user_id") if kind is EntityKind.TEXT_MENTION else None,
        custom_emoji_id=int(document) if kind is EntityKind.CUSTOM_EMOJI else None,
        collapsed=part["type"] == "expandable_blockquote" or bool(part.get("collapsed")),
    )
