"""Entities: the marks on a text, independent of any platform's client library.

Kinds follow the Bot API's `MessageEntity` (https://core.telegram.org/bots/api#messageentity) with shorter names;
offsets and lengths are UTF-16 code units, as everywhere in Telegram (https://core.telegram.org/api/entities).
"""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class EntityKind(StrEnum):
    """The wire strings, stored in jsonb and sent in events: never rename one."""

    BOLD = "bold"
    ITALIC = "italic"
    UNDERLINE = "underline"
    STRIKE = "strike"
    SPOILER = "spoiler"
    BLOCKQUOTE = "blockquote"
    CODE = "code"
    PRE = "pre"
    TEXT_LINK = "text_link"
    TEXT_MENTION = "text_mention"
    CUSTOM_EMOJI = "custom_emoji"
    URL = "url"
    EMAIL = "email"
    PHONE = "phone"
    MENTION = "mention"
    HASHTAG = "hashtag"
    CASHTAG = "cashtag"
    BOT_COMMAND = "bot_command"
    BANK_CARD = "bank_card"


FORMATTING = frozenset(
    {
        EntityKind.BOLD,
        EntityKind.ITALIC,
        EntityKind.UNDERLINE,
        EntityKind.STRIKE,
        EntityKind.SPOILER,
        EntityKind.BLOCKQUOTE,
    }
)
"""Kinds that stay right when they are shortened; any other kind is kept whole or not at all."""

DETECTED = frozenset(
    {
        EntityKind.URL,
        EntityKind.EMAIL,
        EntityKind.PHONE,
        EntityKind.MENTION,
        EntityKind.HASHTAG,
        EntityKind.CASHTAG,
        EntityKind.BOT_COMMAND,
        EntityKind.BANK_CARD,
    }
)
"""Kinds that Telegram finds in the text by itself and ignores when a client sends them."""


class Entity(BaseModel):
    """One mark: `length` UTF-16 units from `offset`. What a kind needs besides is in the field named for it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    kind: EntityKind
    offset: int = Field(ge=0)
    length: int = Field(gt=0)
    url: str | None = None
    """The address of a `text_link`."""
    language: str | None = None
    """The language of a `pre` block."""
    user_id: int | None = None
    """The user of a `text_mention`."""
    custom_emoji_id: int | None = None
    """The document id of a `custom_emoji`; its text is the emoji to show where custom ones can't be."""
    collapsed: bool = False
    """Whether a `blockquote` is shown folded."""

    @property
    def end(self) -> int:
        """The unit after the last one."""
        return self.offset + self.length

    @property
    def splittable(self) -> bool:
        """Whether shortening leaves it right."""
        return self.kind in FORMATTING

    def over(self, start: int, end: int) -> "Entity | None":
        """This mark moved to `start`..`end` (UTF-16 units), or None where nothing is left of it."""
        if (start, end) == (self.offset, self.end):
            return self
        return self.model_copy(update={"offset": start, "length": end - start}) if end > start else None
