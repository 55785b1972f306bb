import pytest
from hypothesis import given

from common.telegram.entities import DETECTED, Entity, EntityKind
from common.telegram.text import RichText

from .texts import rich_texts

types = pytest.importorskip("telethon.tl.types", reason="Telethon is an optional extra of this package")
telethon_entities = pytest.importorskip("common.telegram.telethon_entities")


@given(rich_texts())
def test_what_telegram_does_not_detect_itself_makes_the_round_trip(rich: RichText) -> None:
    unsent = DETECTED | {EntityKind.TEXT_MENTION}
    entities = tuple(
        mark.model_copy(update={"custom_emoji_id": 7}) if mark.kind is EntityKind.CUSTOM_EMOJI else mark
        for mark in rich.entities
        if mark.kind not in unsent
    )
    sent = RichText(text=rich.text, entities=entities)
    assert telethon_entities.from_telethon(rich.text, telethon_entities.to_telethon(sent)) == sent


def test_details_are_kept() -> None:
    entities = [
        types.MessageEntityBlockquote(0, 3, collapsed=True),
        types.MessageEntityPre(0, 2, language="py"),
        types.MessageEntityCustomEmoji(0, 1, document_id=9),
        types.MessageEntityMentionName(0, 1, user_id=4),
        types.MessageEntityUrl(1, 1),
        types.MessageEntityUnknown(0, 1),
    ]
    rich = telethon_entities.from_telethon("abc", entities)
    assert set(rich.entities) == {
        Entity(kind=EntityKind.BLOCKQUOTE, offset=0, length=3, collapsed=True),
        Entity(kind=EntityKind.PRE, offset=0, length=2, language="py"),
        Entity(kind=EntityKind.CUSTOM_EMOJI, offset=0, length=1, custom_emoji_id=9),
        Entity(kind=EntityKind.TEXT_MENTION, offset=0, length=1, user_id=4),
        Entity(kind=EntityKind.URL, offset=1, length=1),
    }


def test_a_mention_needs_its_user() -> None:
    rich = RichText(text="abc", entities=(Entity(kind=EntityKind.TEXT_MENTION, offset=0, length=3, user_id=4),))
    assert telethon_entities.to_telethon(rich) == []
    (sent,) = telethon_entities.to_telethon(rich, {4: types.InputUser(user_id=4, access_hash=5)})
    assert sent.user_id.access_hash == 5
    assert telethon_entities.from_telethon("abc", [sent]) == rich
