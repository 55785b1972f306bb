"""Rich text: a plain text and the marks on it, as posts are stored, sent and compared.

`cutting.cut` shortens it; `markdown.from_markdown`, `html.from_html` and `telethon_entities.from_telethon` make it.
"""

from collections.abc import Iterable
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, field_validator, model_validator

from common.telegram.entities import Entity, EntityKind
from common.telegram.utf16 import storable, utf16_length

_KNOWN_KINDS = frozenset(kind.value for kind in EntityKind)


class RichText(BaseModel):
    """A text and its entities, in order of offset, each within the text. Stored as JSON:
    `{"text": "…", "entities": [{"kind": "bold", "offset": 0, "length": 4}]}`.

    The constructor raises `pydantic.ValidationError` for entities outside the text and for text that jsonb can't hold
    (NUL, lone surrogates); `repaired` takes what comes from outside.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    text: str = ""
    entities: tuple[Entity, ...] = ()

    @classmethod
    def repaired(cls, text: str, entities: Iterable[Entity] = ()) -> Self:
        """The same, with unstorable characters replaced and entities sorted and clamped to the text."""
        text = storable(text)
        length = utf16_length(text)
        within = (entity.over(entity.offset, min(entity.end, length)) for entity in entities)
        return cls(text=text, entities=tuple(sorted((mark for mark in within if mark), key=_position)))

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """From what `to_json` gave. Entities of a kind that only newer versions know are left out."""
        return cls.model_validate(value)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; fields that don't apply are left out."""
        return self.model_dump(mode="json", exclude_defaults=True) | {"text": self.text}

    @property
    def utf16_length(self) -> int:
        """The length that Telegram counts."""
        return utf16_length(self.text)

    def trimmed(self) -> Self:
        """As Telegram stores it: without whitespace at either end, the entities moved along, empty ones gone."""
        body = self.text.lstrip()
        removed = utf16_length(self.text[: len(self.text) - len(body)])
        body = body.rstrip()
        if body == self.text:
            return self
        length = utf16_length(body)
        moved = (
            entity.over(max(0, entity.offset - removed), min(entity.end - removed, length)) for entity in self.entities
        )
        return type(self)(text=body, entities=tuple(mark for mark in moved if mark))

    @field_validator("text")
    @classmethod
    def _storable(cls, text: str) -> str:
        if text != storable(text):
            raise ValueError("the text holds NUL or a lone surrogate, which jsonb can't store")
        return text

    @field_validator("entities", mode="before")
    @classmethod
    def _of_known_kinds(cls, entities: Any) -> Any:
        if not isinstance(entities, (list, tuple)):
            return entities
        return [mark for mark in entities if not isinstance(mark, dict) or mark.get("kind") in _KNOWN_KINDS]

    @model_validator(mode="after")
    def _entities_within(self) -> Self:
        if self.entities and max(entity.end for entity in self.entities) > utf16_length(self.text):
            raise ValueError("an entity ends beyond the text")
        return self


def _position(entity: Entity) -> tuple[int, int]:
    """Outer entities come before those inside them, as Telegram orders them."""
    return entity.offset, -entity.length
