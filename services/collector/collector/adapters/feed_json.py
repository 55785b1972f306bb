"""JSON Feed 1 and 1.1: https://www.jsonfeed.org/version/1.1/."""

import json
from datetime import UTC, datetime
from typing import Any

from collector.adapters.feed_items import FeedError, FeedItem, ParsedFeed, external_id, one_line, plausible
from collector.adapters.feed_media import Declared, absolute, images, seconds, unique_media
from common.telegram.html import from_html
from common.telegram.text import RichText

_VERSION = "jsonfeed.org/version/1"


def parse_json_feed(content: bytes, url: str, now: datetime) -> ParsedFeed:
    """Raises `FeedError` for what isn't a JSON Feed; entries that can't be read become problems."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise FeedError(f"not a feed: JSON that can't be read ({error or type(error).__name__})") from error
    if not isinstance(document, dict) or _VERSION not in str(document.get("version")):
        raise FeedError("not a feed: JSON without the version of a JSON Feed")
    entries = document.get("items")
    if not isinstance(entries, list):
        raise FeedError("a JSON Feed without a list of items")
    items: list[FeedItem] = []
    problems: list[str] = []
    for number, entry in enumerate(entries, start=1):
        item = _item(entry, url, now, problems, number) if isinstance(entry, dict) else None
        if item:
            items.append(item)
        else:
            problems.append(f"item {number}: nothing to read in it")
    return ParsedFeed(one_line(_text(document.get("title"))), tuple(items), tuple(problems), "json")


def _item(entry: dict[str, Any], base_url: str, now: datetime, problems: list[str], number: int) -> FeedItem | None:
    html = _text(entry.get("content_html"))
    plain = _text(entry.get("content_text")) or _text(entry.get("summary"))
    address = absolute(_text(entry.get("url")) or _text(entry.get("external_url")), base_url)
    title = one_line(_text(entry.get("title")))
    body = from_html(html, address or base_url) if html else RichText.repaired(plain).trimmed()
    if not (address or title or body.text):
        return None
    declared = entry.get("id")
    identity = str(declared) if isinstance(declared, (str, int, float)) else None
    candidates = [Declared(_text(entry.get(name)), "image") for name in ("image", "banner_image")]
    candidates += [
        Declared(
            _text(attachment.get("url")),
            _text(attachment.get("mime_type")),
            seconds=seconds(attachment.get("duration_in_seconds")),
        )
        for attachment in _dicts(entry.get("attachments"))
    ]
    authors = (*_dicts(entry.get("authors")), *_dicts([entry.get("author")]))
    return FeedItem(
        external_id=external_id(identity, address, title, body),
        url=address,
        title=title,
        body=body,
        published_at=_date(entry.get("date_published") or entry.get("date_modified"), now, problems, number),
        media=unique_media([*candidates, *images(html)], address or base_url),
        authors=tuple(name for author in authors if (name := one_line(_text(author.get("name"))))),
    )


def _date(value: Any, now: datetime, problems: list[str], number: int) -> datetime | None:
    if value is None:
        return None
    try:
        date = datetime.fromisoformat(_text(value))
        date = date.astimezone(UTC) if date.tzinfo else date.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        date = None
    if date is None or not plausible(date, now):
        problems.append(f"item {number}: {str(value)[:60]!r} is no date that it can have")
        return None
    return date


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [member for member in value if isinstance(member, dict)] if isinstance(value, list) else []
