"""Feeds as a source: RSS, Atom and JSON Feed over HTTP."""

import asyncio
import codecs
from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

import httpx

from collector.adapters.feed_download import Download, FeedSettings, download
from collector.adapters.feed_items import FeedError, FeedPage, ParsedFeed
from collector.adapters.feed_json import parse_json_feed
from collector.adapters.feed_xml import parse_xml_feed
from common.addresses import PinnedTransport, is_any, is_public


def now_utc() -> datetime:
    """The present moment."""
    return datetime.now(UTC)


class FeedReader:
    """Reads feeds; an async context manager, or close it with `aclose`.

    Addresses that aren't public are refused unless `allow_private`. `transport` replaces the guarded one.
    """

    def __init__(
        self,
        settings: FeedSettings | None = None,
        *,
        allow_private: bool = False,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Callable[[], datetime] = now_utc,
    ) -> None:
        self._settings = settings or FeedSettings()
        self._client = httpx.AsyncClient(
            transport=transport or PinnedTransport(allowed=is_any if allow_private else is_public),
            timeout=self._settings.timeout_seconds,
            trust_env=False,
        )
        self._clock = clock

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._client.aclose()

    async def read(self, url: str, etag: str | None = None, last_modified: str | None = None) -> FeedPage:
        """The feed's entries in its order, or a page that says `not_modified` since `etag` and `last_modified`.

        Raises `FeedError` with the reason, and nothing else, where there is no feed to read.
        """
        conditions = {"If-None-Match": etag, "If-Modified-Since": last_modified}
        found = await download(
            self._client, url, {name: value for name, value in conditions.items() if value}, self._settings
        )
        if found.not_modified:
            return FeedPage((), etag, last_modified, None, not_modified=True, permanent_url=found.permanent_url)
        try:
            # feedparser takes a second or more for a large feed: not in the event loop.
            async with asyncio.timeout(self._settings.parse_timeout_seconds):
                parsed = await asyncio.to_thread(parse, found, self._clock())
        except TimeoutError as error:
            raise FeedError(f"not parsed within {self._settings.parse_timeout_seconds:g} s") from error
        return FeedPage(
            items=parsed.items,
            etag=found.headers.get("etag"),
            last_modified=found.headers.get("last-modified"),
            title=parsed.title or None,
            permanent_url=found.permanent_url,
            problems=parsed.problems,
            format=parsed.format,
        )


def parse(found: Download, now: datetime) -> ParsedFeed:
    """The feed in what was downloaded, in whichever format; raises `FeedError`."""
    content = found.content.removeprefix(codecs.BOM_UTF8).lstrip()
    if not content:
        raise FeedError("empty: the answer has no content")
    if content.startswith((b"{", b"[")):
        return parse_json_feed(content, found.url, now)
    return parse_xml_feed(content, found.url, found.headers.get("content-type"), now)
