"""Downloading a feed: redirects by hand, sizes and times bounded, every failure told in words."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from collector.adapters.feed_inflate import Inflated
from collector.adapters.feed_items import FeedError
from collector.check import Trouble
from common.addresses import AddressRefused

_PERMANENT = frozenset({301, 308})
_TEMPORARY = frozenset({302, 303, 307})
_MEANINGS = {
    401: "it asks for a password",
    403: "it refuses us",
    404: "there is nothing at this address",
    410: "it was removed for good",
    429: "it asks us to come back later",
    503: "it is out of service for now",
}


@dataclass(frozen=True, slots=True)
class FeedSettings:
    """How feeds are downloaded."""

    max_bytes: int = 10 * 1024 * 1024
    """Of the decoded content, so that a compressed bomb is bounded too."""
    timeout_seconds: float = 30.0
    """For the whole download, redirects included."""
    parse_timeout_seconds: float = 60.0
    max_redirects: int = 5
    user_agent: str = "Postroom"


@dataclass(frozen=True, slots=True)
class Download:
    """An answer of 200 or 304; `url` is where it came from in the end."""

    url: str
    content: bytes
    headers: httpx.Headers
    not_modified: bool
    permanent_url: str | None


async def download(client: httpx.AsyncClient, url: str, conditions: dict[str, str], settings: FeedSettings) -> Download:
    """Follows redirects, each checked like the first address. Raises `FeedError`, and nothing else."""
    try:
        async with asyncio.timeout(settings.timeout_seconds):
            return await _follow(client, url, conditions, settings)
    except (TimeoutError, httpx.TimeoutException) as error:
        raise FeedError(f"timed out after {settings.timeout_seconds:g} s", trouble="timed_out") from error
    except AddressRefused as error:
        raise FeedError(f"refused: {error}", trouble="address_refused") from error
    except (httpx.InvalidURL, httpx.UnsupportedProtocol, UnicodeError) as error:
        raise FeedError(f"not an address: {error}", trouble="not_an_address") from error
    except httpx.HTTPError as error:
        raise FeedError(f"can't be reached: {str(error) or type(error).__name__}", trouble="unreachable") from error


async def _follow(client: httpx.AsyncClient, url: str, conditions: dict[str, str], settings: FeedSettings) -> Download:
    permanent_url, moved_for_good = None, True
    for _ in range(settings.max_redirects + 1):
        address = httpx.URL(url)
        if address.scheme not in ("http", "https") or not address.host:
            raise FeedError(f"not an address: {url[:200]!r} is neither http nor https", trouble="not_an_address")
        headers = {"Accept-Encoding": "gzip, deflate", "User-Agent": settings.user_agent, **conditions}
        async with client.stream("GET", address, headers=headers, follow_redirects=False) as response:
            target = response.headers.get("location")
            if response.status_code in _PERMANENT | _TEMPORARY and target:
                url = str(address.join(target))
                moved_for_good = moved_for_good and response.status_code in _PERMANENT
                permanent_url = url if moved_for_good else permanent_url
                continue
            not_modified = response.status_code == httpx.codes.NOT_MODIFIED
            if not not_modified:
                _require_success(response)
            content = b"" if not_modified else await _content(response, settings.max_bytes)
            return Download(url, content, response.headers, not_modified, permanent_url)
    raise FeedError(f"more than {settings.max_redirects} redirects", trouble="unusable_answer")


def _require_success(response: httpx.Response) -> None:
    status = response.status_code
    if status == httpx.codes.OK:
        return
    meaning = _MEANINGS.get(status, response.reason_phrase or "no feed")
    retry_after = _seconds(response.headers.get("retry-after")) if status in (429, 503) else None
    trouble: Trouble = "asks_to_wait" if status in (429, 503) else "unusable_answer"
    raise FeedError(f"HTTP {status}: {meaning}", trouble=trouble, status=status, retry_after=retry_after)


def _seconds(value: str | None) -> float | None:
    """Retry-After: seconds or a date (RFC 9110, section 10.2.3)."""
    text = (value or "").strip()
    if text.isascii() and text.isdigit() and len(text) < 10:
        return float(text)
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    aware = date if date.tzinfo else date.replace(tzinfo=UTC)
    return max(0.0, (aware - datetime.now(UTC)).total_seconds())


async def _content(response: httpx.Response, max_bytes: int) -> bytes:
    """The body without its content coding. httpx would decode whole chunks, however far they expand."""
    coding = response.headers.get("content-encoding", "").strip().lower()
    body = Inflated(coding, max_bytes) if coding not in ("", "identity") else None
    content = bytearray()
    async for chunk in response.aiter_raw():
        content += body.decoded(chunk) if body else chunk
        if len(content) > max_bytes:
            raise FeedError(f"too large: more than {max_bytes:,} bytes", trouble="unusable_answer")
    if body and content:
        body.require_end()
    return bytes(content)
