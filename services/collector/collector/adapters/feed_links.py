"""The feeds that a web page names, https://blog.whatwg.org/feed-autodiscovery"""

from html.parser import HTMLParser

from collector.adapters.feed_items import Advertised
from collector.adapters.feed_media import absolute
from common.telegram.utf16 import storable

TYPES = ("application/rss+xml", "application/atom+xml", "application/feed+json", "application/json")
MOST = 10
LONGEST_PAGE = 500_000  # characters that are looked at: the links are in the head
TITLE_LENGTH = 200


def advertised(content: bytes, url: str) -> tuple[Advertised, ...]:
    """Return the feeds that an HTML page names, in its order; none of what is no page."""
    reader = _Links()
    reader.feed(content.decode("utf-8", "replace")[:LONGEST_PAGE])
    found: dict[str, Advertised] = {}
    for href, title in reader.links:
        address = absolute(href, url)
        if address:
            found.setdefault(address, Advertised(address, " ".join(storable(title).split())[:TITLE_LENGTH]))
    return tuple(found.values())[:MOST]


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag != "link":
            return
        given = {name: value or "" for name, value in attrs}
        media_type = given.get("type", "").partition(";")[0].strip().lower()
        if "alternate" in given.get("rel", "").lower().split() and media_type in TYPES and given.get("href"):
            self.links.append((given["href"], given.get("title", "")))
