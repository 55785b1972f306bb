"""Fetching photos by their URL."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self

import httpx

from common.addresses import PinnedTransport, is_any, is_public
from publisher.adapters.telegram_photos import PHOTO_BYTES, PhotoUnavailable

FETCH_SECONDS = 20.0


class Pictures:
    """Downloads photos, bounded in size and time."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    @classmethod
    @asynccontextmanager
    async def open(
        cls, *, allow_private: bool = False, transport: httpx.AsyncBaseTransport | None = None
    ) -> AsyncIterator[Self]:
        """Open a client that follows redirects; without `allow_private` only to addresses of the public internet.

        A URL may come from a feed. `transport` replaces the guarded one.
        """
        async with httpx.AsyncClient(
            transport=transport or PinnedTransport(allowed=is_any if allow_private else is_public),
            headers={"Accept-Encoding": "identity"},  # photos are compressed already, and a bomb could hide in a coding
            follow_redirects=True,
            max_redirects=5,
            trust_env=False,
        ) as client:
            yield cls(client)

    async def fetch(self, url: str) -> bytes:
        """Return what a URL holds. Raises PhotoUnavailable."""
        content = bytearray()
        try:
            async with asyncio.timeout(FETCH_SECONDS), self._client.stream("GET", url) as response:
                response.raise_for_status()
                if (coding := response.headers.get("Content-Encoding", "identity").lower()) != "identity":
                    raise PhotoUnavailable(f"{url} comes as {coding[:40]}, which was not asked for")
                async for chunk in response.aiter_raw():
                    content += chunk
                    if len(content) > PHOTO_BYTES:
                        raise PhotoUnavailable(f"{url} is larger than {PHOTO_BYTES:,} bytes")
        except (httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError) as error:
            raise PhotoUnavailable(f"{url} can't be fetched: {str(error) or type(error).__name__}") from None
        return bytes(content)
