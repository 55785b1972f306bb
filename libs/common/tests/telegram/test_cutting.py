import time

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from common.telegram.cutting import cut
from common.telegram.entities import Entity, EntityKind
from common.telegram.text import RichText
from common.telegram.utf16 import utf16_length

from .texts import pieces, rich_texts

PROSE = "Первое предложение о чём-то важном. Второе, г. Москва, предложение! Третье слово."


def marked(text: str, kind: EntityKind, part: str) -> RichText:
    offset = utf16_length(text[: text.index(part)])
    return RichText(text=text, entities=(Entity(kind=kind, offset=offset, length=utf16_length(part)),))


@given(rich_texts(), st.integers(1, 60))
def test_a_cut_text_fits_and_breaks_nothing(rich: RichText, limit: int) -> None:
    result = cut(rich, limit)
    if utf16_length(rich.text) <= limit:
        assert result is rich
        return
    assert utf16_length(result.text) <= limit
    assert cut(result, limit) is result
    assert result.text.endswith("…")
    assert result.text == result.text.rstrip()
    body = result.text if rich.text.startswith(result.text) else result.text.removesuffix("…").removesuffix(" ")
    assert rich.text.startswith(body)
    # White space before the cut is left out, so the boundary is where the kept text or that space ends.
    space = len(rich.text[len(body) :]) - len(rich.text[len(body) :].lstrip())
    boundaries = {0, *(cluster.end() for cluster in regex.finditer(r"\X", rich.text))}
    assert not boundaries.isdisjoint(range(len(body), len(body) + space + 1))
    originals = {(entity.kind, entity.offset): entity for entity in rich.entities}
    for entity, (_, text) in zip(result.entities, pieces(result), strict=True):
        assert (entity.kind, entity.offset) in originals
        whole = [
            text for other, (_, text) in zip(rich.entities, pieces(rich), strict=True) if other.kind == entity.kind
        ]
        assert any(other.startswith(text) for other in whole)
        if not entity.splittable:
            assert any(other.rstrip() == text.rstrip() for other in whole)
        assert entity.end <= utf16_length(body)


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        (1, "…"),
        (5, "Перв…"),
        (20, "Первое предложение…"),
        (36, "Первое предложение о чём-то важном.…"),
        (45, "Первое предложение о чём-то важном. …"),
        (52, "Первое предложение о чём-то важном. …"),
        (55, "Первое предложение о чём-то важном. Второе, г. Москва…"),
        (75, "Первое предложение о чём-то важном. Второе, г. Москва, предложение! …"),
        (82, PROSE),
    ],
)
def test_it_ends_at_a_sentence_or_else_at_a_word(limit: int, expected: str) -> None:
    assert cut(RichText(text=PROSE), limit).text == expected


def test_formatting_is_shortened() -> None:
    result = cut(marked("Слово и ещё много слов подряд", EntityKind.BOLD, "и ещё много слов"), 16)
    assert result.text == "Слово и ещё…"
    assert pieces(result) == [("bold", "и ещё")]


@pytest.mark.parametrize("kind", [kind for kind in EntityKind if not Entity(kind=kind, offset=0, length=1).splittable])
def test_what_would_break_is_left_out_whole(kind: EntityKind) -> None:
    result = cut(marked("Начало текста вот эта часть и конец", kind, "вот эта часть"), 24)
    assert (result.text, result.entities) == ("Начало текста…", ())


def test_an_address_or_hashtag_without_a_mark_is_whole_too() -> None:
    assert cut(RichText(text="Читай https://example.org/a-very-long-address"), 30).text == "Читай…"
    assert cut(RichText(text="Тема #оченьдлинныйхэштегбезпробелов"), 20).text == "Тема…"


def test_a_passage_longer_than_the_limit_is_cut_as_plain_text() -> None:
    code = "print(1)\n" * 20
    assert cut(marked(code, EntityKind.PRE, code), 40).text == "print(1)\nprint(1)\nprint(1)\nprint(1)…"
    address = "https://example.org/" + "a" * 100
    assert cut(marked(address, EntityKind.URL, address), 40).text == "…"


def test_a_family_is_one_character() -> None:
    family = "👩‍👩‍👧‍👦"
    assert cut(RichText(text=family * 3), 2 * utf16_length(family)).text == family + "…"


def test_a_limit_without_room_is_an_error() -> None:
    with pytest.raises(ValueError, match="no room"):
        cut(RichText(text="ab"), 0)


@pytest.mark.parametrize(
    "text", [PROSE * 130, "a" * 10_000, "👩‍👩‍👧‍👦" * 1_000, "مرحبا " * 2_000, "é" * 5_000, "#" * 10_000, "a. " * 3_500]
)
def test_long_texts_take_no_time_to_speak_of(text: str) -> None:
    marks = [Entity(kind=EntityKind.CUSTOM_EMOJI, offset=at, length=1) for at in range(0, len(text), 5)]
    rich = RichText(text=text, entities=tuple(marks))
    begun = time.process_time()
    assert utf16_length(cut(rich, 4096).text) <= 4096
    assert time.process_time() - begun < 0.5
