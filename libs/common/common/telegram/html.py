"""HTML fragments, as feeds carry them, turned into rich text: what a reader sees, and nothing that runs.

The marks are those that Telegram has (https://core.telegram.org/bots/api#html-style); headings become bold lines,
lists lines with bullets, pictures nothing (whoever collects media reads them separately).
"""

import re
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit

from common.telegram.entities import EntityKind
from common.telegram.html_writer import Mark, RichTextWriter
from common.telegram.text import RichText
from common.telegram.utf16 import storable

LONGEST_HTML = 200_000
"""Characters that are read; a post is far shorter."""

_FORMATTING = {
    **dict.fromkeys(("b", "strong"), EntityKind.BOLD),
    **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6"), EntityKind.BOLD),
    **dict.fromkeys(("i", "em"), EntityKind.ITALIC),
    **dict.fromkeys(("u", "ins"), EntityKind.UNDERLINE),
    **dict.fromkeys(("s", "strike", "del"), EntityKind.STRIKE),
    **dict.fromkeys(("code", "kbd", "samp", "tt"), EntityKind.CODE),
    "pre": EntityKind.PRE,
    "blockquote": EntityKind.BLOCKQUOTE,
    "tg-spoiler": EntityKind.SPOILER,
}
_PARAGRAPHS = frozenset(
    [
        "p",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "pre",
        "blockquote",
        "ul",
        "ol",
        "dl",
        "table",
        "figure",
        "hr",
        "section",
        "article",
        "header",
        "footer",
        "aside",
    ]
)
_LINES = frozenset(["div", "li", "tr", "dt", "dd", "figcaption", "address", "main", "nav", "details", "summary"])
_UNSEEN = frozenset(
    [
        "script",
        "style",
        "head",
        "title",
        "template",
        "noscript",
        "iframe",
        "object",
        "svg",
        "math",
        "textarea",
        "select",
        "button",
        "canvas",
        "audio",
        "video",
    ]
)
_HIDDEN = re.compile(r"<!--|<[!?]")
_CELLS = frozenset({"td", "th"})
_SCHEMES = frozenset({"http", "https", "tg", "mailto", "tel"})
_DEEPEST_LIST = 8


def from_html(html: str, base_url: str | None = None) -> RichText:
    """The visible text with its marks; relative links are resolved against `base_url`, else left out.

    Reads at most `LONGEST_HTML` characters. Never raises: broken markup gives what can be read of it.
    """
    reader = _Reader(base_url)
    reader.feed(_closed(storable(html[:LONGEST_HTML])))
    reader.close()
    return reader.finished()


def _closed(html: str) -> str:
    """Without comments and declarations, and with no tag left open at the end: on those the standard library's parser
    starts over at each character, which takes minutes for a feed that is made for it (CVE-2025-6069)."""
    pieces = []
    position = 0
    while opening := _HIDDEN.search(html, position):
        pieces.append(html[position : opening.start()])
        closing = "-->" if opening.group() == "<!--" else ">"
        end = html.find(closing, opening.end())
        position = end + len(closing) if end >= 0 else len(html)
    pieces.append(html[position:])
    visible = "".join(pieces)
    complete = visible.rfind(">") + 1
    return visible[:complete] + visible[complete:].replace("<", "&lt;")


class _Reader(HTMLParser):
    def __init__(self, base_url: str | None) -> None:
        super().__init__(convert_charrefs=True)
        self._base_url = base_url
        self._writer = RichTextWriter()
        self._open: dict[str, list[Mark | None]] = {}
        self._unseen: list[str] = []
        self._numbers: list[int | None] = []

    def finished(self) -> RichText:
        """The text; whatever is still open ends here."""
        for marks in self._open.values():
            for mark in marks:
                if mark:
                    self._writer.end(mark)
        return self._writer.finished()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _UNSEEN:
            self._unseen.append(tag)
        if self._unseen:
            return
        self._set_apart(tag)
        if tag == "br":
            self._break_line()
        elif tag in _CELLS:
            self._writer.write(" ")
        elif tag in ("ul", "ol"):
            self._numbers.append(1 if tag == "ol" else None)
        elif tag == "li":
            self._begin_item()
        if tag == "a":
            self.handle_endtag("a")  # links don't nest; the next one ends an unclosed one
        mark = self._mark(tag, dict(attrs))
        if mark or tag in ("span", "a"):
            self._open.setdefault(tag, []).append(mark)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._unseen:
            if tag in self._unseen:
                del self._unseen[self._unseen.index(tag) :]
            return
        marks = self._open.get(tag)
        if marks and (mark := marks.pop()):
            self._writer.end(mark)
        if tag in ("ul", "ol", "li"):
            self._writer.end_bullet()
        if tag in ("ul", "ol") and self._numbers:
            self._numbers.pop()
        self._set_apart(tag)

    def handle_data(self, data: str) -> None:
        if self._unseen:
            return
        if self._open.get("pre"):
            self._writer.write_as_is(data)
        else:
            self._writer.write(data)

    def _set_apart(self, tag: str) -> None:
        if tag in _PARAGRAPHS:
            self._writer.line_breaks(1 if self._numbers else 2)
        elif tag in _LINES:
            self._writer.line_breaks(1)

    def _break_line(self) -> None:
        if self._open.get("pre"):
            self._writer.write_as_is("\n")
        else:
            self._writer.line_break()

    def _begin_item(self) -> None:
        number = self._numbers[-1] if self._numbers else None
        indent = "  " * min(len(self._numbers) - 1, _DEEPEST_LIST)
        if number is not None:
            self._numbers[-1] = number + 1
        self._writer.bullet(f"{indent}{number}. " if number is not None else f"{indent}• ")

    def _mark(self, tag: str, attributes: dict[str, str | None]) -> Mark | None:
        kind = _FORMATTING.get(tag)
        classes = (attributes.get("class") or "").split()
        if kind is EntityKind.CODE and self._open.get("pre"):
            self._note_language(classes)
            return None
        if kind is not None:
            return self._writer.begin(kind)
        if tag == "span" and "tg-spoiler" in classes:
            return self._writer.begin(EntityKind.SPOILER)
        if tag == "a" and (url := self._address(attributes.get("href"))):
            return self._writer.begin(EntityKind.TEXT_LINK, url=url)
        return None

    def _note_language(self, classes: list[str]) -> None:
        """`<pre><code class="language-…">` is how Telegram and HTML 5 say what a block is written in."""
        block = self._open["pre"][-1]
        for name in classes:
            if block and name.startswith("language-"):
                block.details["language"] = name.removeprefix("language-")

    def _address(self, href: str | None) -> str | None:
        try:
            url = urljoin(self._base_url or "", (href or "").strip())
            parts = urlsplit(url)
        except ValueError:  # e.g. an unclosed bracket of an IPv6 address
            return None
        usable: Any = parts.scheme in _SCHEMES and (parts.netloc or parts.path or parts.query)
        return url if usable else None
