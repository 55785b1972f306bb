"""A feed as RSS 2.0, Atom (RFC 4287) and JSON Feed 1.1."""

import json
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from sandbox.feeds.shelf import Feed, FeedItem, Format


def render(feed: Feed, wanted: Format, address: str) -> tuple[bytes, str]:
    """Return the document and its media type. `address` is where the feed itself is read."""
    if wanted == "atom":
        return _document(_atom(feed, address)), "application/atom+xml; charset=utf-8"
    if wanted == "json":
        return json.dumps(_json_feed(feed, address), ensure_ascii=False).encode(), "application/feed+json"
    return _document(_rss(feed, address)), "application/rss+xml; charset=utf-8"


def _document(root: Element) -> bytes:
    indent(root)
    document: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return document


def _text(parent: Element, tag: str, text: str, **attributes: str) -> None:
    if text:
        SubElement(parent, tag, attributes).text = text


def _published(item: FeedItem) -> datetime:
    assert item.published is not None, "a shelf dates what it takes in"
    return item.published.astimezone(UTC)


def _rss(feed: Feed, address: str) -> Element:
    root = Element("rss", {"version": "2.0", "xmlns:atom": "http://www.w3.org/2005/Atom"})
    channel = SubElement(root, "channel")
    _text(channel, "title", feed.about.title or feed.about.name)
    _text(channel, "link", str(feed.about.url))
    _text(channel, "description", feed.about.description or feed.about.title or feed.about.name)
    _text(channel, "language", feed.about.language)
    _text(channel, "lastBuildDate", format_datetime(feed.changed, usegmt=True))
    SubElement(channel, "atom:link", {"href": address, "rel": "self", "type": "application/rss+xml"})
    for item in feed.items:
        entry = SubElement(channel, "item")
        _text(entry, "title", item.title)
        _text(entry, "link", str(item.url or ""))
        _text(entry, "description", item.content)
        _text(entry, "guid", item.id, isPermaLink="false")
        _text(entry, "pubDate", format_datetime(_published(item), usegmt=True))
        for category in item.categories:
            _text(entry, "category", category)
    return root


def _atom(feed: Feed, address: str) -> Element:
    root = Element("feed", {"xmlns": "http://www.w3.org/2005/Atom", "xml:lang": feed.about.language})
    _text(root, "id", address)
    _text(root, "title", feed.about.title or feed.about.name)
    _text(root, "subtitle", feed.about.description)
    _text(root, "updated", feed.changed.isoformat())
    SubElement(root, "link", {"rel": "self", "href": address})
    SubElement(root, "link", {"rel": "alternate", "href": str(feed.about.url)})
    for item in feed.items:
        entry = SubElement(root, "entry")
        _text(entry, "id", item.id)
        _text(entry, "title", item.title)
        _text(entry, "published", _published(item).isoformat())
        _text(entry, "updated", _published(item).isoformat())
        _text(SubElement(entry, "author"), "name", item.author or feed.about.title or feed.about.name)
        if item.url:
            SubElement(entry, "link", {"rel": "alternate", "href": str(item.url)})
        for category in item.categories:
            SubElement(entry, "category", {"term": category})
        _text(entry, "content", item.content, type="html")
    return root


def _json_feed(feed: Feed, address: str) -> dict[str, Any]:
    return {
        "version": "https://jsonfeed.org/version/1.1",
        "title": feed.about.title or feed.about.name,
        "home_page_url": str(feed.about.url),
        "feed_url": address,
        "description": feed.about.description,
        "language": feed.about.language,
        "items": [
            {
                "id": item.id,
                "title": item.title,
                "content_html": item.content,
                "date_published": _published(item).isoformat(),
                "tags": list(item.categories),
            }
            | ({"url": str(item.url)} if item.url else {})
            | ({"authors": [{"name": item.author}]} if item.author else {})
            for item in feed.items
        ],
    }
