"""A rewrite is new, and the facts in it are old."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.model.rewriting import Rewriter, language_of, load_phrasebooks

FACTS = re.compile(r"https?://\S+|\d+|[@#]\w+|\[[^\]\n]*\]\([^)\s]*\)|«[^»]*»")


def facts(text: str) -> Counter[str]:
    return Counter(FACTS.findall(text))


def test_phrases_change_and_keep_their_capitals(rewriter: Rewriter) -> None:
    text = rewriter.rewrite("Однако мост почти готов, сообщили инженеры.")
    assert text.split(": ", 1)[1][0].isupper()
    assert "сообщили" not in text
    assert "почти" not in text


@pytest.mark.parametrize(
    "kept",
    [
        "`только почти`",
        "[однако](https://a.example/however)",
        "«сейчас сообщили»",
        "@soon_now",
        "https://x.example/now",
    ],
)
def test_what_is_quoted_linked_or_code_stays(rewriter: Rewriter, kept: str) -> None:
    assert kept in rewriter.rewrite(f"Мост открыт. {kept} и всё")


def test_a_rewrite_of_a_rewrite_does_not_pile_up_openings(rewriter: Rewriter) -> None:
    text = source = "Мост открыт с 14 июня."
    for _ in range(5):
        before, text = text, rewriter.rewrite(text)
        assert text != before
    assert len(text) < len(source) + 30


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Мост открыт", "ru"),
        ("The bridge", "en"),
        ("Міст відкрито", "uk"),
        ("橋が開通", "und"),
        ("123", "und"),
        ("Мост https://bridge.example.com/a/very/long/address", "ru"),
    ],
)
def test_languages(text: str, language: str) -> None:
    assert language_of(text) == language


@given(st.text(max_size=200), st.text(max_size=5))
def test_any_text_is_rewritten_alike_and_keeps_its_facts(text: str, seed: str) -> None:
    rewriter = Rewriter(load_phrasebooks())
    rewritten = rewriter.rewrite(text, seed)
    assert rewritten == rewriter.rewrite(text, seed)
    assert rewritten != text or not text
    assert facts(text.strip()) <= facts(rewritten)


def test_the_corpus_keeps_its_facts(rewriter: Rewriter, corpus: Path) -> None:
    paths = sorted((corpus / "posts_ru").glob("*.jsonl"))
    if not paths:
        pytest.skip(f"no corpus at {corpus} (POSTROOM_CORPUS names the directory)")
    for path in paths:
        for line in path.read_text("utf-8").splitlines()[::10]:
            text = json.loads(line)["text"].strip()
            rewritten = rewriter.rewrite(text)
            assert rewritten != text
            assert language_of(rewritten) == language_of(text)
            assert facts(rewritten) == facts(text)
