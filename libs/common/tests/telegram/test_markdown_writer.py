"""Writing rich text as markdown, and reading it back."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.telegram.entities import Entity, EntityKind
from common.telegram.links import links
from common.telegram.markdown import from_markdown
from common.telegram.markdown_writer import to_markdown
from common.telegram.text import RichText

CORPUS = Path(os.environ.get("POSTROOM_CORPUS", Path(__file__).parents[5] / "shared" / "data"))


@pytest.mark.parametrize(
    "markdown",
    [
        "plain",
        "**bold** and __italic__, ~~gone~~, `code`, ```pre```",
        "[words](https://example.com/a_b?c=d) behind",
        "[Tenex](https://en.wikipedia.org/wiki/TENEX_(operating_system))",
        "[**bold** words](https://example.com/) 🦊 **😀 after**",
        "**one****two**",
        "[a user](tg://user?id=42)",
        "`**not bold**`",
    ],
)
def test_is_the_inverse_of_reading(markdown: str) -> None:
    assert to_markdown(from_markdown(markdown)) == markdown


def test_marks_without_delimiters_are_plain_text() -> None:
    rich = RichText(text="secret", entities=(Entity(kind=EntityKind.SPOILER, offset=0, length=6),))
    assert to_markdown(rich) == "secret"


def test_code_hides_no_delimiters() -> None:
    entities = (
        Entity(kind=EntityKind.BOLD, offset=0, length=4),
        Entity(kind=EntityKind.CODE, offset=2, length=6),
        Entity(kind=EntityKind.ITALIC, offset=3, length=2),
    )
    assert to_markdown(RichText(text="a `b` cd", entities=entities)) == "a ``b` cd`"


def test_an_address_with_brackets_comes_back() -> None:
    mark = Entity(kind=EntityKind.TEXT_LINK, offset=0, length=1, url="https://example.com/a(b c")
    assert links(from_markdown(to_markdown(RichText(text="x", entities=(mark,))))) == ["https://example.com/a%28b%20c"]


@given(
    st.text(alphabet="ab 🦊\n", min_size=1, max_size=30),
    st.lists(
        st.tuples(
            st.sampled_from([EntityKind.BOLD, EntityKind.ITALIC, EntityKind.STRIKE, EntityKind.CODE, EntityKind.PRE]),
            st.integers(0, 40),
            st.integers(1, 40),
        ),
        max_size=5,
    ),
)
def test_the_text_always_comes_back(text: str, marks: list[tuple[EntityKind, int, int]]) -> None:
    offsets = {0}
    for index in range(len(text)):
        offsets.add(RichText(text=text[: index + 1]).utf16_length)
    entities = [
        Entity(kind=kind, offset=offset, length=length)
        for kind, offset, length in marks
        if offset in offsets and offset + length in offsets
    ]
    rich = RichText.repaired(text, entities)
    assert from_markdown(to_markdown(rich)).text == rich.text.strip()


@pytest.mark.skipif(not CORPUS.is_dir(), reason=f"no corpus at {CORPUS} (POSTROOM_CORPUS)")
def test_real_posts_keep_text_and_links() -> None:
    with sorted((CORPUS / "posts_ru").glob("*.jsonl"))[0].open(encoding="utf-8") as lines:
        posts = [from_markdown(json.loads(line)["text"]) for line in lines]
    lost = [post for post in posts if links(from_markdown(to_markdown(post))) != links(post)]
    changed = [post for post in posts if from_markdown(to_markdown(post)).text != post.text]
    assert (len(lost), len(changed)) == (0, 0)
