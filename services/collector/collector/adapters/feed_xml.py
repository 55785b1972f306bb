"""RSS and Atom, by feedparser, which knows their many dialects: https://feedparser.readthedocs.io/."""

import codecs
import io
import re
from calendar import timegm
from datetime import UTC, datetime
from typing import Any

import feedparser

from collector.adapters.feed_items import FeedError, FeedItem, Format, ParsedFeed, external_id, one_line, plausible
from collector.adapters.feed_links import advertised
from collector.adapters.feed_media import Declared, absolute, images, pixels, seconds, unique_media
from common.telegram.html import from_html
from common.telegram.text import RichText

_feedparser: Any = feedparser  # it has no types
_HTML_PAGE = re.compile(rb"<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)
_PAGE_TITLE = re.compile(rb"<title[^>]*>([^<]{1,200})", re.IGNORECASE)
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]{1,40})", re.IGNORECASE)
_BYTE_ORDER_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_SNIFFED_BYTES = 4096
_UNIX_TIME = re.compile(r"\d{9,13}")
_DATES = ("published", "updated", "created")


def parse_xml_feed(content: bytes, url: str, content_type: str | None, now: datetime) -> ParsedFeed:
    """Raises `FeedError` for what isn't a feed; entries and dates that can't be read become problems.

    `content_type` is the header's value, of which the charset counts.
    """
    headers = {"content-location": url, "content-type": _media_type(content, content_type)}
    try:
        # Wrapped, because feedparser opens bytes that happen to be a path. HTML is made safe, and its links
        # absolute, by `from_html`.
        parsed = _feedparser.parse(
            io.BytesIO(content), response_headers=headers, sanitize_html=False, resolve_relative_uris=False
        )
    except Exception as error:  # feedparser promises never to raise, and does on some malformed input
        raise FeedError(f"a feed that can't be parsed ({type(error).__name__}: {str(error)[:120]})") from error
    if not parsed.version and not parsed.entries:
        raise FeedError(_not_a_feed(content, parsed), advertised=advertised(content, url))
    problems: list[str] = []
    # An encoding other than the declared one is common and read all the same.
    flaw = parsed.get("bozo_exception")
    if flaw is not None and not isinstance(flaw, _feedparser.ThingsNobodyCaresAboutButMe):
        problems.append(f"malformed XML, read as far as possible ({str(flaw)[:120]})")
    items = []
    for number, entry in enumerate(parsed.entries, start=1):
        item = _item(entry, url, now, problems, number)
        if item:
            items.append(item)
        else:
            problems.append(f"item {number}: nothing to read in it")
    form: Format = "atom" if (parsed.version or "").startswith("atom") else "rss"
    return ParsedFeed(_plain(parsed.feed, "title"), tuple(items), tuple(problems), form)


def _media_type(content: bytes, declared: str | None) -> str:
    """What to tell feedparser of the encoding. It goes by RFC 3023, where text/xml without a charset is ASCII; RFC 7303
    replaced that, and puts a byte order mark above the charset. Servers that declare Latin-1 for UTF-8 are common, and
    text that is valid UTF-8 is hardly ever anything else."""
    if content.startswith(_BYTE_ORDER_MARKS):
        return "application/xml"
    if not content.isascii() and b"\0" not in content and _is_utf8(content):
        return "application/xml; charset=utf-8"
    charset = _CHARSET.search(declared or "")
    return f"application/xml; charset={charset[1]}" if charset else "application/xml"


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _not_a_feed(content: bytes, parsed: Any) -> str:
    head = content[:_SNIFFED_BYTES]
    if _HTML_PAGE.search(head):
        title = _PAGE_TITLE.search(head)
        called = f" ({one_line(title[1].decode('utf-8', 'replace'))!r})" if title else ""
        return f"not a feed: an HTML page{called}"
    flaw = parsed.get("bozo_exception")
    if isinstance(flaw, _feedparser.CharacterEncodingUnknown):
        return "not a feed: text in an encoding that can't be told"
    return "not a feed: neither RSS, Atom nor JSON Feed"


def _item(entry: Any, base_url: str, now: datetime, problems: list[str], number: int) -> FeedItem | None:
    address = absolute(_own(entry, "link"), base_url)
    title = _plain(entry, "title")
    content, is_html = _content(entry)
    body = from_html(content, address or base_url) if is_html else RichText.repaired(content).trimmed()
    if not (address or title or body.text):
        return None
    declared = [
        *(
            Declared(_own(part, "href"), _own(part, "type"))
            for part in _own(entry, "links") or ()
            if _own(part, "rel") == "enclosure"
        ),
        *(
            Declared(
                _own(part, "url"),
                _own(part, "type") or _own(part, "medium"),
                pixels(_own(part, "width")),
                pixels(_own(part, "height")),
                seconds(_own(part, "duration")),
            )
            for part in _own(entry, "media_content") or ()
        ),
    ]
    # A thumbnail is a small copy of what is declared already.
    thumbnails = (
        [] if declared else [Declared(_own(part, "url"), "image") for part in _own(entry, "media_thumbnail") or ()]
    )
    pictures = images(content) if is_html else ()
    return FeedItem(
        external_id=external_id(_own(entry, "id"), address, title, body),
        url=address,
        title=title,
        body=body,
        published_at=_date(entry, now, problems, number),
        media=unique_media([*declared, *pictures, *thumbnails], address or base_url),
        authors=_authors(entry),
    )


def _content(entry: Any) -> tuple[str, bool]:
    """The full content, else the summary; and whether it is HTML."""
    parts = [*(_own(entry, "content") or ()), _own(entry, "summary_detail") or {}]
    for part in parts:
        value = _own(part, "value")
        if value and value.strip():
            return value, _own(part, "type") != "text/plain"
    return "", False


def _plain(entry: Any, name: str) -> str:
    detail = _own(entry, f"{name}_detail") or {}
    value = _own(detail, "value") or ""
    return one_line(value if _own(detail, "type") == "text/plain" and "&" not in value else from_html(value).text)


def _date(entry: Any, now: datetime, problems: list[str], number: int) -> datetime | None:
    """The first of the entry's dates that can be true; feedparser gives them in UTC."""
    declared = [name for name in _DATES if _own(entry, name)]
    for name in declared:
        moment = _own(entry, f"{name}_parsed")
        try:
            # feedparser reads a Unix time as a year and a day.
            known = moment and not _UNIX_TIME.fullmatch(_own(entry, name).strip())
            date = datetime.fromtimestamp(timegm(moment), UTC) if known else None
        except (ValueError, OverflowError, OSError):
            date = None
        if date and plausible(date, now):
            return date
        problems.append(f"item {number}: {_own(entry, name)[:60]!r} is no date that it can have")
    return None


def _authors(entry: Any) -> tuple[str, ...]:
    named = [_own(author, "name") for author in _own(entry, "authors") or ()]
    return tuple(dict.fromkeys(name for author in named if (name := one_line(author))))


def _own(part: Any, name: str) -> Any:
    """What `part` really has: feedparser's own lookup answers for one key with another, and warns."""
    return dict.get(part, name)
