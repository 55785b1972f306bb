import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.telegram.html import LONGEST_HTML, from_html

from .texts import pieces


@pytest.mark.parametrize(
    ("html", "text", "expected"),
    [
        ("<p>Hi <b>bold <i>both</b> it</i> &amp; &lt;x&gt;😀</p>", "Hi bold both it & <x>😀",
         [("bold", "bold both"), ("italic", "both it")]),
        ("<p>one</p>\n <p>two<br>three<br><br><br>four</p>", "one\n\ntwo\nthree\n\nfour", []),
        ("a\n  b\t c <b> d </b> e", "a b c d e", [("bold", "d")]),
        ("<h2>Head</h2>text", "Head\n\ntext", [("bold", "Head")]),
        ("<u>a</u><s>b</s><code>c</code><span class='tg-spoiler'>d</span>", "abcd",
         [("underline", "a"), ("strike", "b"), ("code", "c"), ("spoiler", "d")]),
        ("<ul><li><p>one</p></li><li>two<ol><li>n</li><li>m</li></ol></li><li></li></ul>tail",
         "• one\n• two\n  1. n\n  2. m\n\ntail", []),
        ("<blockquote><ul><li>a</li></ul></blockquote>b", "• a\n\nb", [("blockquote", "• a")]),
        ("<pre><code class='language-py'>def f():\n    <b>return</b> 1\n</code></pre>after",
         "def f():\n    return 1\n\nafter", [("pre", "def f():\n    return 1"), ("bold", "return")]),
        ("<table><tr><td>1</td><td>2</td></tr><tr><td>3</td></tr></table>", "1 2\n3", []),
        ("a<script>alert('<b>x</b>')</script><style>b{}</style><!-- c --><![if !mso]>b<![endif]>", "ab", []),
        ("<a href='javascript:alert(1)'>js</a> <a href='http://[x'>b</a> <a>c</a> <a href='/r'>d</a>", "js b c d", []),
        ("<b>open &nosuch; &#0; a < b <", "open &nosuch; \ufffd a < b <", [("bold", "open &nosuch; \ufffd a < b <")]),
        ("<b></b> <p></p>", "", []),
    ],
)  # fmt: skip
def test_fragments(html: str, text: str, expected: list[tuple[str, str]]) -> None:
    rich = from_html(html)
    assert rich.text == text
    assert pieces(rich) == expected


def test_links_are_resolved_against_the_base() -> None:
    rich = from_html("<a href='/a?b=1&amp;c=2'>x <a href='mailto:a@b.c'>y</a>", base_url="https://e.org/feed/")
    assert [(entity.url, text) for entity, (_, text) in zip(rich.entities, pieces(rich), strict=True)] == [
        ("https://e.org/a?b=1&c=2", "x"),
        ("mailto:a@b.c", "y"),
    ]


def test_the_language_of_a_block_is_kept() -> None:
    assert from_html("<pre><code class='x language-go'>f()</code></pre>").entities[0].language == "go"


FRAGMENTS = (
    *("<b>", "</b>", "<a href='http://e.org'>", "</a>", "<p>", "<li>", "<ul>", "</ul>", "<pre>", "</pre>", "<script>"),
    *("<!--", "<![CDATA[", "]]>", "<!DOCTYPE", "<", ">", '"', "'", "&#x", "&amp", " ", "\n", "😀"),
)


@given(st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=5), max_size=30).map("".join))
def test_broken_markup_never_raises_and_leaves_valid_text(html: str) -> None:
    rich = from_html(html)
    assert rich == rich.trimmed()
    assert all(text.strip() for _, text in pieces(rich))


@pytest.mark.parametrize("piece", ["<", "<!--", "<b ", "</", '<a href="', "<?", "<b>", "<li>", "&#x", "<svg><title>"])
@pytest.mark.parametrize("end", ["", ">", "'\"></a>"])
def test_markup_made_to_be_slow_is_not(piece: str, end: str) -> None:
    begun = time.process_time()
    from_html(piece * (LONGEST_HTML // len(piece) - 9) + end)
    assert time.process_time() - begun < 2
