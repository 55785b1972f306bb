"""What reading a feed gives, whatever its format."""

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, TypeAlias

from collector.check import Trouble
from common.telegram.text import RichText
from common.telegram.utf16 import storable

Format: TypeAlias = Literal["rss", "atom", "json"]
LONGEST_EXTERNAL_ID = 500
"""Characters; a longer id is replaced by its SHA-256."""

_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)  # older than any feed: a default value, not a date
_CLOCK_TOLERANCE = timedelta(days=1)
_SPACES = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Advertised:
    """A feed that a page names."""

    url: str
    title: str = ""


class FeedError(Exception):
    """The feed could not be read; the message says why, for a person."""

    def __init__(
        self,
        reason: str,
        *,
        trouble: Trouble = "not_a_feed",
        status: int | None = None,
        retry_after: float | None = None,
        advertised: tuple[Advertised, ...] = (),
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.trouble: Trouble = trouble
        self.advertised = advertised
        """The feeds that the page names which is there in place of a feed."""
        self.status = status
        """The HTTP status, where the server answered with an error."""
        self.retry_after = retry_after
        """Seconds to wait, where the server asked for it."""


@dataclass(frozen=True, slots=True)
class FeedMedia:
    """A picture, sound or film: an absolute http(s) address, and what the feed says of it: its MIME type or the first
    part of it ("image"), its sides in pixels, its length in seconds."""

    url: str
    type: str | None = None
    width: int | None = None
    height: int | None = None
    duration_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class FeedItem:
    """One entry. `external_id` is unique within the feed and stays when the entry is edited."""

    external_id: str
    url: str | None
    title: str
    body: RichText
    published_at: datetime | None
    """Aware, UTC; None where the feed has no date or none that can be true."""
    media: tuple[FeedMedia, ...]
    authors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ParsedFeed:
    """The content of a feed; `problems` say what of it could not be read."""

    title: str
    items: tuple[FeedItem, ...]
    problems: tuple[str, ...] = ()
    format: Format = "rss"


@dataclass(frozen=True, slots=True)
class FeedPage:
    """One reading. Send `etag` and `last_modified` back with the next, unchanged (RFC 9110, section 13.1)."""

    items: tuple[FeedItem, ...]
    etag: str | None
    last_modified: str | None
    title: str | None
    not_modified: bool = False
    permanent_url: str | None = None
    """Where the feed has moved for good (301 or 308): read it there from now on."""
    problems: tuple[str, ...] = ()
    format: Format = "rss"


def external_id(declared: str | None, url: str | None, title: str, body: RichText) -> str:
    """The declared id, else the address, else a hash of the content."""
    chosen = (declared or "").strip() or url
    if chosen is None:
        return "sha256:" + _digest(f"{title}\n{body.text}")
    chosen = storable(chosen)
    return chosen if len(chosen) <= LONGEST_EXTERNAL_ID else "sha256:" + _digest(chosen)


def one_line(text: str | None) -> str:
    """A title or a name: storable, its white space collapsed."""
    return _SPACES.sub(" ", storable(text or "")).strip()


def plausible(date: datetime, now: datetime) -> bool:
    """Whether an entry can have been published at `date`."""
    return _EARLIEST <= date <= now + _CLOCK_TOLERANCE


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
