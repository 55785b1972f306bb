"""Texts of posts as HTML, what changed between two of them, and what networks get. Without a browser."""

import time
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.panel.diff import changes, compared
from api.panel.previews import preview, targets
from api.panel.prose import prose, safe_address
from common.telegram.entities import Entity, EntityKind
from common.telegram.markdown import from_markdown
from common.telegram.markdown_writer import to_markdown
from common.telegram.text import RichText
from common.telegram.utf16 import Offsets, utf16_length

KINDS = [kind for kind in EntityKind if kind is not EntityKind.CUSTOM_EMOJI]
ALLOWED = {"p", "br", "b", "i", "u", "s", "code", "pre", "blockquote", "a", "span", "ins", "del"}
INJECTIONS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</textarea><script>alert(1)</script>",
    "<!--",
    "]]>",
    "&lt;script&gt;",
    "{{ 7 * 7 }}",
]
texts = st.text(st.sampled_from("ab 😀é<>&\"'\n\n.,Жё*_"), max_size=60)


class Reader(HTMLParser):
    """Reads HTML strictly: which tags are open where, and what can be read."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.text: list[tuple[str, frozenset[str]]] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in ALLOWED, tag
        assert {name for name, _ in attrs} <= {"href", "rel", "target", "class"}, attrs
        self.links += [value or "" for name, value in attrs if name == "href"]
        if tag == "a":
            assert "a" not in self.open
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append((data, frozenset(self.open)))

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)


def read(html: object) -> Reader:
    reader = Reader()
    reader.feed(str(html))
    reader.close()
    assert reader.open == []
    return reader


def bare(text: str) -> str:
    return "".join(text.split())


@st.composite
def rich_texts(draw: st.DrawFn) -> RichText:
    text = draw(texts)
    length = utf16_length(text)
    marks = []
    if length:
        for kind, offset, size, url in draw(
            st.lists(
                st.tuples(
                    st.sampled_from(KINDS),
                    st.integers(0, length - 1),
                    st.integers(1, length),
                    st.sampled_from(
                        ["https://a.example/?q=<>", "javascript:alert(1)", "data:text/html,x", "a.example"]
                    ),
                ),
                max_size=6,
            )
        ):
            given_url = url if kind is EntityKind.TEXT_LINK else None
            marks.append(Entity(kind=kind, offset=offset, length=min(size, length - offset), url=given_url))
    return RichText.repaired(text, marks)


@given(rich_texts())
def test_whatever_is_marked_is_well_formed_and_says_the_same(rich: RichText) -> None:
    found = read(prose(rich.text, rich.entities))
    assert bare("".join(data for data, _ in found.text)) == bare(rich.text)
    assert all(link.split(":")[0] in ("http", "https", "mailto", "tg") for link in found.links)


@given(rich_texts())
def test_each_character_has_its_marks(rich: RichText) -> None:
    found = read(prose(rich.text, rich.entities))
    seen = [(char, tags) for data, tags in found.text for char in data if not char.isspace()]
    offsets = Offsets(rich.text)
    simple = {EntityKind.BOLD: "b", EntityKind.ITALIC: "i", EntityKind.UNDERLINE: "u", EntityKind.STRIKE: "s"}
    points = [at for at, char in enumerate(rich.text) if not char.isspace()]
    for at, (char, tags) in zip(points, seen, strict=True):
        assert rich.text[at] == char
        wanted = {
            simple[mark.kind]
            for mark in rich.entities
            if mark.kind in simple and offsets.point(mark.offset) <= at < offsets.point(mark.end)
        }
        assert tags & set(simple.values()) == wanted


@pytest.mark.parametrize("text", INJECTIONS)
def test_nothing_of_a_post_is_markup(text: str) -> None:
    found = read(prose(text, [Entity(kind=EntityKind.BOLD, offset=0, length=utf16_length(text))]))
    assert bare("".join(data for data, _ in found.text)) == bare(text)
    link = Entity(kind=EntityKind.TEXT_LINK, offset=0, length=1, url=f"https://a.example/{text}")
    for html in (prose(text, [link]), *compared(RichText(text="a"), RichText(text=text))):
        read(html)  # it has nothing but our tags and attributes


@pytest.mark.parametrize(
    ("address", "safe"),
    [
        ("https://a.example/x?y=1#z", True),
        ("HTTP://a.example", True),
        ("tg://resolve?domain=x", True),
        ("mailto:a@b.example", True),
        ("a.example/x", True),
        ("javascript:alert(1)", False),
        ("JaVaScRiPt:alert(1)", False),
        (" javascript:alert(1)", False),
        ("java\nscript:alert(1)", False),
        ("data:text/html,<script>", False),
        ("vbscript:x", False),
        ("file:///etc/passwd", False),
        ("//a.example", False),
        ("https://[", False),
        ("", False),
        (None, False),
    ],
)
def test_addresses_that_a_link_may_have(address: str | None, safe: bool) -> None:
    assert (safe_address(address) is not None) is safe


def test_paragraphs_quotes_and_code() -> None:
    text = "One\nline\n\nquoted\n\nx = 1\n  y\n\nend"
    marks = [
        Entity(kind=EntityKind.BLOCKQUOTE, offset=text.index("quoted"), length=6),
        Entity(kind=EntityKind.PRE, offset=text.index("x ="), length=9),
    ]
    html = prose(text, marks)
    assert html == ("<p>One<br>line</p><blockquote><p>quoted</p></blockquote><pre>x = 1\n  y</pre><p>end</p>")


def test_overlapping_marks_nest() -> None:
    marks = [
        Entity(kind=EntityKind.BOLD, offset=0, length=4),
        Entity(kind=EntityKind.ITALIC, offset=2, length=4),
    ]
    assert prose("abcdef", marks) == "<p><b>ab<i>cd</i></b><i>ef</i></p>"


@given(texts, texts)
def test_what_stayed_and_went_is_the_original_and_what_stayed_and_came_the_rewrite(before: str, after: str) -> None:
    runs = changes(before, after)
    assert "".join(before[slice(*run.before)] for run in runs) == (before if runs else "")
    assert "".join(after[slice(*run.after)] for run in runs) == (after if runs else "")
    for run in runs:
        if run.equal:
            assert bare(before[slice(*run.before)]) == bare(after[slice(*run.after)])
    old, new = (read(html) for html in compared(RichText(text=before), RichText(text=after)))
    stayed = bare("".join(data for data, tags in old.text if "del" not in tags))
    assert stayed == bare("".join(data for data, tags in new.text if "ins" not in tags))
    assert bare("".join(data for data, _ in old.text)) == bare(before)
    assert bare("".join(data for data, _ in new.text)) == bare(after)


def test_what_changed_is_marked_and_keeps_its_formatting() -> None:
    before, after = (
        from_markdown("**Ice on the lake** formed late"),
        from_markdown("**Frost on the lake** formed early"),
    )
    left, right = compared(before, after)
    assert left == "<p><b><del>Ice</del> on the lake</b> formed <del>late</del></p>"
    assert right == "<p><b><ins>Frost</ins> on the lake</b> formed <ins>early</ins></p>"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("слово и " * 512, "другое и " * 455),
        (" ".join(str(n % 977) for n in range(1000)), " ".join(str(n * 7 % 977) for n in range(1000))),
        ("a " * 2048, "b a " * 1024),
        ("." * 4096, ",." * 2048),
    ],
)
def test_long_texts_are_compared_at_once(before: str, after: str) -> None:
    started = time.perf_counter()
    compared(RichText(text=before[:4096]), RichText(text=after[:4096]))
    assert time.perf_counter() - started < 1.0


plain_words = st.text(st.sampled_from("abc дом 😀.,\n"), min_size=1, max_size=30).map(str.strip).filter(bool)


@given(st.lists(st.tuples(st.sampled_from(["", "**", "__", "~~", "`"]), plain_words), min_size=1, max_size=5))
def test_what_editors_type_comes_back_as_it_was(parts: list[tuple[str, str]]) -> None:
    written = from_markdown(" ".join(f"{mark}{words}{mark}" for mark, words in parts))
    again = from_markdown(to_markdown(written))
    assert again == written


def test_each_network_gets_what_its_publisher_sends() -> None:
    body = from_markdown("**Title** and [words](https://a.example/long)\n\n" + "Sentence of some words. " * 60)
    telegram, caption = preview("telegram", body, media=False), preview("telegram", body, media=True)
    assert (telegram.fit.limit, telegram.over, telegram.cut) == (4096, False, False)
    assert (caption.fit.limit, caption.over, caption.cut) == (1024, True, True)
    assert caption.left == 1024 - body.utf16_length
    shown = "".join(data for data, _ in read(caption.parts[0]).text)
    assert shown.endswith("…")
    instagram = preview("instagram", body, media=True)
    assert "(https://a.example/long)" in instagram.parts[0]
    assert "<b>" not in instagram.parts[0]
    x = preview("x", body, media=False)
    assert (len(x.parts) > 3, x.threaded, x.over) == (True, True, False)
    assert not preview("instagram", body, media=False).fit.fits  # it takes none without a picture
    found = targets(["x:city", "telegram:@city", "unknown:x", "instagram:city"], body, media=True)
    assert [(each.network, each.address) for each in found] == [
        ("telegram", "@city"),
        ("instagram", "city"),
        ("x", "city"),
    ]
