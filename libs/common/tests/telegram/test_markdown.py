import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.telegram.entities import EntityKind
from common.telegram.markdown import from_markdown

from .texts import pieces

CORPUS = Path(os.environ.get("POSTROOM_CORPUS", Path(__file__).parents[5] / "shared" / "data"))


def corpus_lines() -> list[str]:
    return [line for path in sorted(CORPUS.glob("posts_ru/*.jsonl")) for line in path.read_text().split("\n") if line]


@pytest.mark.parametrize(
    ("markdown", "text", "expected"),
    [
        ("**Ж** __к__ ~~з~~ `c**d` ```p\n1```", "Ж к з c**d p\n1",
         [("bold", "Ж"), ("italic", "к"), ("strike", "з"), ("code", "c**d"), ("pre", "p\n1")]),
        ("[об**суд**им](https://y.org/a)", "обсудим", [("text_link", "обсудим"), ("bold", "суд")]),
        ("**[x](https://y.org)**", "x", [("text_link", "x"), ("bold", "x")]),
        ("**a __b** c__", "a b c", [("bold", "a b"), ("italic", "b c")]),
        ("[[1]](https://y.org/) [2] [3](see)", "[1] [2] [3](see)", [("text_link", "[1]")]),
        ("[w](https://e.org/TENEX_(os))", "w", [("text_link", "w")]),
        ("[имя](tg://user?id=5)", "имя", [("text_mention", "имя")]),
        ("https://e.org/a__b__c __https://e.org__", "https://e.org/a__b__c https://e.org",
         [("italic", "https://e.org")]),
        ("**🔥**** **[D](https://x.org)", "🔥 D", [("bold", "🔥"), ("bold", " "), ("text_link", "D")]),
        ("б**** и *****", "б**** и *", [("bold", "*")]),
        ("2 ** 3, `, ~~, [x", "2 ** 3, `, ~~, [x", []),
        ("  **a**\n", "a", [("bold", "a")]),
        ("[](https://x.org)****", "****", []),
        ("", "", []),
    ],
)  # fmt: skip
def test_marks(markdown: str, text: str, expected: list[tuple[str, str]]) -> None:
    rich = from_markdown(markdown)
    assert rich.text == text
    assert pieces(rich) == expected


def test_addresses_and_users_are_kept() -> None:
    rich = from_markdown("[w](https://e.org/TENEX_(os)) [имя](tg://user?id=5)")
    link, mention = rich.entities
    assert link.url == "https://e.org/TENEX_(os)"
    assert mention.user_id == 5


@given(st.text(st.sampled_from("ab *_~`[]()😀\n/:.") | st.characters(), max_size=60))
def test_it_never_raises_and_loses_no_word(markdown: str) -> None:
    rich = from_markdown(markdown)
    if "](" not in markdown:
        letters = [character for character in markdown if character.isalpha()]
        assert [character for character in rich.text if character.isalpha()] == letters


@pytest.mark.skipif(not CORPUS.is_dir(), reason=f"no corpus at {CORPUS} (POSTROOM_CORPUS)")
def test_real_posts_lose_their_marks_and_keep_their_words() -> None:
    """8,382 posts: no bold or italic mark is left where Telethon's own parser finds one, and wherever both give the
    same text they agree on the links."""
    markdown = pytest.importorskip("telethon.extensions.markdown")
    posts = [json.loads(line)["text"] for line in corpus_lines()]
    same = 0
    for post in posts:
        rich = from_markdown(post)
        text, entities = markdown.parse(post)
        assert rich.text.count("**") <= text.count("**"), post
        if rich.text == text:
            same += 1
            theirs = [
                entity.url for entity in entities if hasattr(entity, "url") and entity.url[:4] in ("http", "tg:/")
            ]
            ours = [mark.url for mark in rich.entities if mark.kind is EntityKind.TEXT_LINK]
            assert set(theirs) - set(ours) == {url for url in theirs if url.startswith("tg://user")}
    assert same > 0.98 * len(posts)
