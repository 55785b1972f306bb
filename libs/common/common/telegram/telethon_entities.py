"""Entities between Telethon's TL classes and ours. Needs the `telegram` extra; `entities` and `text` do not."""

from collections.abc import Iterable, Mapping
from typing import Any

from telethon.tl import types

from common.telegram.entities import DETECTED, Entity, EntityKind
from common.telegram.text import RichText

_PLAIN: dict[EntityKind, Any] = {
    EntityKind.BOLD: types.MessageEntityBold,
    EntityKind.ITALIC: types.MessageEntityItalic,
    EntityKind.UNDERLINE: types.MessageEntityUnderline,
    EntityKind.STRIKE: types.MessageEntityStrike,
    EntityKind.SPOILER: types.MessageEntitySpoiler,
    EntityKind.CODE: types.MessageEntityCode,
    EntityKind.URL: types.MessageEntityUrl,
    EntityKind.EMAIL: types.MessageEntityEmail,
    EntityKind.PHONE: types.MessageEntityPhone,
    EntityKind.MENTION: types.MessageEntityMention,
    EntityKind.HASHTAG: types.MessageEntityHashtag,
    EntityKind.CASHTAG: types.MessageEntityCashtag,
    EntityKind.BOT_COMMAND: types.MessageEntityBotCommand,
    EntityKind.BANK_CARD: types.MessageEntityBankCard,
}
_KINDS = {tl_class: kind for kind, tl_class in _PLAIN.items()}


def from_telethon(text: str, entities: Iterable[Any] | None) -> RichText:
    """The text of a message with those of its entities that we know; others are left out."""
    known = (_from_tl(entity) for entity in entities or () if entity.length > 0 and entity.offset >= 0)
    return RichText.repaired(text, (entity for entity in known if entity))


def to_telethon(rich: RichText, users: Mapping[int, Any] | None = None) -> list[Any]:
    """The entities to send with `rich.text`, without those that Telegram detects by itself.

    `users` are the `InputUser`s of mentioned users by id: a mention without one is sent as plain text, because a
    request needs the access hash (https://core.telegram.org/constructor/inputMessageEntityMentionName).
    """
    made = (_to_tl(entity, users or {}) for entity in rich.entities if entity.kind not in DETECTED)
    return [entity for entity in made if entity is not None]


def _from_tl(entity: Any) -> Entity | None:
    offset, length = entity.offset, entity.length
    if kind := _KINDS.get(type(entity)):
        return Entity(kind=kind, offset=offset, length=length)
    match entity:
        case types.MessageEntityTextUrl():
            return Entity(kind=EntityKind.TEXT_LINK, offset=offset, length=length, url=entity.url)
        case types.MessageEntityPre():
            return Entity(kind=EntityKind.PRE, offset=offset, length=length, language=entity.language or None)
        case types.MessageEntityBlockquote():
            collapsed = bool(entity.collapsed)
            return Entity(kind=EntityKind.BLOCKQUOTE, offset=offset, length=length, collapsed=collapsed)
        case types.MessageEntityCustomEmoji():
            document = entity.document_id
            return Entity(kind=EntityKind.CUSTOM_EMOJI, offset=offset, length=length, custom_emoji_id=document)
        case types.MessageEntityMentionName():
            return Entity(kind=EntityKind.TEXT_MENTION, offset=offset, length=length, user_id=entity.user_id)
        case types.InputMessageEntityMentionName(user_id=types.InputUser(user_id=user_id)):
            return Entity(kind=EntityKind.TEXT_MENTION, offset=offset, length=length, user_id=user_id)
    return None


def _to_tl(entity: Entity, users: Mapping[int, Any]) -> Any:
    place = (entity.offset, entity.length)
    match entity.kind:
        case EntityKind.TEXT_LINK:
            return types.MessageEntityTextUrl(*place, url=entity.url or "")
        case EntityKind.PRE:
            return types.MessageEntityPre(*place, language=entity.language or "")
        case EntityKind.BLOCKQUOTE:
            return types.MessageEntityBlockquote(*place, collapsed=entity.collapsed or None)
        case EntityKind.CUSTOM_EMOJI:
            return types.MessageEntityCustomEmoji(*place, document_id=entity.custom_emoji_id or 0)
        case EntityKind.TEXT_MENTION:
            user = users.get(entity.user_id or 0)
            return types.InputMessageEntityMentionName(*place, user_id=user) if user else None
    return _PLAIN[entity.kind](*place)
