import json

import pytest
from hypothesis import given
from pydantic import ValidationError

from common.telegram.entities import Entity, EntityKind
from common.telegram.links import links
from common.telegram.text import RichText
from common.telegram.utf16 import Offsets, storable, utf16_length, utf16_prefix

from .texts import pieces, rich_texts, texts


@given(texts)
def test_lengths_count_utf16_units(text: str) -> None:
    assert utf16_length(text) == sum(2 if ord(character) > 0xFFFF else 1 for character in text)


@given(texts)
def test_a_prefix_never_ends_inside_a_surrogate_pair(text: str) -> None:
    for limit in range(utf16_length(text) + 1):
        head = utf16_prefix(text, limit)
        assert text.startswith(head)
        assert limit - 1 <= utf16_length(head) <= limit


@given(texts)
def test_offsets_translate_there_and_back(text: str) -> None:
    offsets = Offsets(text)
    for point in range(len(text) + 1):
        unit = offsets.units(point)
        assert unit == utf16_length(text[:point])
        assert offsets.point(unit) == point
        if point < len(text) and ord(text[point]) > 0xFFFF:
            assert offsets.point(unit + 1) == point


@given(rich_texts())
def test_json_round_trip(rich: RichText) -> None:
    assert RichText.from_json(json.loads(json.dumps(rich.to_json()))) == rich


def test_json_has_the_wire_strings_and_only_what_applies() -> None:
    rich = RichText(text="ab", entities=(Entity(kind=EntityKind.TEXT_LINK, offset=0, length=2, url="tg://x"),))
    assert rich.to_json() == {
        "text": "ab",
        "entities": [{"kind": "text_link", "offset": 0, "length": 2, "url": "tg://x"}],
    }
    assert RichText().to_json() == {"text": ""}


def test_an_entity_kind_of_a_newer_version_is_left_out() -> None:
    value = {"text": "ab", "entities": [{"kind": "hologram", "offset": 0, "length": 1}]}
    assert RichText.from_json(value) == RichText(text="ab")


def test_what_jsonb_cannot_hold_is_refused_or_repaired() -> None:
    with pytest.raises(ValidationError, match="NUL or a lone surrogate"):
        RichText(text="a\0")
    with pytest.raises(ValidationError, match="ends beyond the text"):
        RichText(text="a", entities=(Entity(kind=EntityKind.BOLD, offset=0, length=2),))
    repaired = RichText.repaired("a\0\ud83d", [Entity(kind=EntityKind.BOLD, offset=1, length=9)])
    assert repaired.text == "a\ufffd\ufffd" == storable("a\0\ud83d")
    assert pieces(repaired) == [("bold", "\ufffd\ufffd")]


@given(rich_texts())
def test_trimming_keeps_every_mark_on_its_text(rich: RichText) -> None:
    trimmed = rich.trimmed()
    assert trimmed.text == rich.text.strip()
    assert trimmed.trimmed() == trimmed
    expected = [(kind, text.strip()) for kind, text in pieces(rich) if text.strip()]
    assert [(kind, text.strip()) for kind, text in pieces(trimmed) if text.strip()] == expected


def test_links_in_order_without_the_punctuation_of_the_sentence() -> None:
    text = "😀 См. https://e.org/a(b)?c=1. (www.site.ru/x), слово, t.me/chan… и a@b.ru"
    start = utf16_length(text[: text.index("слово")])
    rich = RichText(
        text=text,
        entities=(
            Entity(kind=EntityKind.TEXT_LINK, offset=start, length=5, url="https://hidden.org/"),
            Entity(kind=EntityKind.TEXT_LINK, offset=start, length=5, url="https://e.org/a(b)?c=1"),
        ),
    )
    assert links(rich) == ["https://e.org/a(b)?c=1", "www.site.ru/x", "https://hidden.org/", "t.me/chan"]


def test_a_url_entity_is_a_link_even_without_a_scheme() -> None:
    rich = RichText(text="😀 ya.ru", entities=(Entity(kind=EntityKind.URL, offset=3, length=5),))
    assert links(rich) == ["ya.ru"]
