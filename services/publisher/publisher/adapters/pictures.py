"""Fetching photos by their URL."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_address
from typing import Self

import httpx

from publisher.adapters.telegram_photos import PHOTO_BYTES, PhotoUnavailable

FETCH_SECONDS = 20.0


class Pictures:
    """Downloads photos, bounded in size and time."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    @classmethod
    @asynccontextmanager
    async def open(cls, *, allow_private: bool) -> AsyncIterator[Self]:
        """Open a client that follows redirects; without `allow_private` only to addresses of the public internet.

        A URL may come from a feed: it must not read what only machines inside can reach
        (server-side request forgery, https://owasp.org/www-community/attacks/SSRF).
        """
        async with httpx.AsyncClient(
            follow_redirects=True,
            max_redirects=5,
            trust_env=False,
            event_hooks={"request": [] if allow_private else [refuse_private]},
        ) as client:
            yield cls(client)

    async def fetch(self, url: str) -> bytes:
        """Return what a URL holds. Raises PhotoUnavailable."""
        content = bytearray()
        try:
            async with asyncio.timeout(FETCH_SECONDS), self._client.stream("GET", url) as response:
                response.raise_for_status()
                async for chunk in response.aiter_bytes():
                    content += chunk
                    if len(content) > PHOTO_BYTES:
                        raise PhotoUnavailable(f"{url} is larger than {PHOTO_BYTES:,} bytes")
        except (httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError) as error:
            raise PhotoUnavailable(f"{url} can't be fetched: {str(error) or type(error).__name__}") from None
        return bytes(content)


async def refuse_private(request: httpx.Request) -> None:
    """Refuse a request, also that of a redirect, to a host that has an address outside the public internet."""
    port = request.url.port or (443 if request.url.scheme == "https" else 80)
    found = await asyncio.get_running_loop().getaddrinfo(request.url.host, port, type=socket.SOCK_STREAM)
    for *_, address in found:
        if not ip_address(str(address[0]).partition("%")[0]).is_global:
            raise httpx.ConnectError(f"{request.url.host} is {address[0]}, which is not a public address")
