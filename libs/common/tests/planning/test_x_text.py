"""Weights and threads of X."""

import time
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.planning.limits import check
from common.planning.plain import plain
from common.planning.x_text import thread, weight
from common.telegram.markdown import from_markdown
from common.telegram.text import RichText


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello", 5),
        ("Привет, «мир» — 5…", 19),
        ("你好", 4),
        ("👨‍👩‍👧‍👦", 2),
        ("🇩🇪🇫🇷", 4),
        ("1️⃣ ©", 4),
        ("e\u0301", 1),  # one character in NFC
        ("https://example.com/a/very/long/path?that=counts&as=one", 23),
        ("ya.ru", 23),
        ("see (https://example.com/a).", 5 + 23 + 2),
        ("a.nosuchdomain and me@example.com", 33),
    ],
)
def test_a_text_has_the_weight_that_x_gives_it(text: str, expected: int) -> None:
    assert weight(text) == expected


def test_a_text_that_fits_is_one_post() -> None:
    assert thread("a" * 280) == ["a" * 280]
    assert thread("  Hello \n") == ["Hello"]
    assert thread("") == [""]


def test_a_thread_is_divided_at_sentences_then_words_then_anywhere() -> None:
    sentences = [f"Some{' word' * 20} and the end{number}." for number in range(6)]
    assert thread(" ".join(sentences)) == [" ".join(sentences[at : at + 2]) for at in (0, 2, 4)]
    words = "lengthy" * 5
    assert all(part.endswith("lengthy") for part in thread(" ".join([words] * 20)))
    assert list(map(weight, thread("x" * 600))) == [280, 280, 40]
    assert list(map(weight, thread("字" * 300))) == [280, 280, 40]


def test_a_letter_with_hundreds_of_marks_is_divided() -> None:
    letter = "e" + "\u0328" * 300
    parts = thread(f"hello {letter} x")
    assert max(map(weight, parts)) == 280
    assert "".join("".join(parts).split()) == normalised(f"hello{letter}x")


def test_a_long_word_is_searched_for_addresses_no_longer_than_a_name_may_be() -> None:
    """Each letter is where an address could begin: to the end of the word from each of them takes minutes."""
    began = time.process_time()
    assert len(thread("ы" * 40_000)) == 143
    assert time.process_time() - began < 15


def test_no_address_is_divided() -> None:
    address = "https://example.com/" + "path/" * 30
    parts = thread(" ".join(f"word{number} {address}{number}" for number in range(30)))
    assert sum(part.count(address) for part in parts) == 30
    assert all(weight(part) <= 280 for part in parts)


@given(st.text(st.sampled_from(list("ab. ,\n字👍é!?")) | st.characters(blacklist_categories=["Cs"]), max_size=900))
def test_nothing_is_lost_or_too_long(text: str) -> None:
    parts = thread(text)
    assert all(weight(part) <= 280 for part in parts)
    assert "".join("".join(parts).split()) == "".join(normalised(text).split())


def normalised(text: str) -> str:
    return normalize("NFC", text)


def test_the_address_behind_words_follows_them() -> None:
    rich = from_markdown(
        "Read **[the news](https://example.com/n)**, or [https://example.com/x](https://example.com/x)."
    )
    assert plain(rich) == RichText(text="Read the news (https://example.com/n), or https://example.com/x.")


def test_a_preview_says_how_many_posts_there_will_be() -> None:
    text = " ".join(f"Sentence number {number} is here." for number in range(40))
    fit = check("x", RichText(text=text))
    assert (fit.count, fit.fits) == (weight(text), True)
    assert fit.note == f"it becomes a thread of {len(thread(text))} posts"
