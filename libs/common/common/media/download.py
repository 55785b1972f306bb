"""Fetching a file by its URL, bounded in size and time. Needs the `http` extra.

A URL comes from a feed or from a request, so that it may lead anywhere: see `common.addresses`.
"""

import asyncio
import re
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import BinaryIO, Self, cast

import httpx

from common.addresses import AddressRefused, PinnedTransport, is_any, is_public
from common.media.store import IN_MEMORY_BYTES

SECONDS, BYTES_PER_SECOND = 20.0, 2**19  # a slower server gives up to the time that the largest file may take
ANSWER_SECONDS = 10.0  # without a byte
MOST_REDIRECTS = 5

_TYPE = re.compile(
    r"[a-z0-9!#$&^_.+-]{1,127}/[a-z0-9!#$&^_.+-]{1,127}"
)  # https://www.rfc-editor.org/rfc/rfc6838#section-4.2
_LATER = frozenset({408, 425, 429})  # besides 5xx: https://www.rfc-editor.org/rfc/rfc9110#section-15.5
_FOR_GOOD = (AddressRefused, httpx.UnsupportedProtocol, httpx.TooManyRedirects, httpx.InvalidURL, UnicodeError)


class Unavailable(Exception):
    """It can't be fetched, in words for a person. Where `temporary`, trying again later may help."""

    def __init__(self, reason: str, *, temporary: bool = False) -> None:
        super().__init__(reason)
        self.temporary = temporary


class Downloads:
    """Downloads files."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    @classmethod
    @asynccontextmanager
    async def open(
        cls, *, allow_private: bool = False, transport: httpx.AsyncBaseTransport | None = None
    ) -> AsyncIterator[Self]:
        """Open a client; without `allow_private` it reads, also after redirects, from the public internet only.

        `transport` replaces the guarded one.
        """
        async with httpx.AsyncClient(
            transport=transport or PinnedTransport(allowed=is_any if allow_private else is_public),
            # Media are compressed already, and a bomb could hide in a coding.
            headers={"Accept-Encoding": "identity", "User-Agent": "Postroom"},
            timeout=ANSWER_SECONDS,
            trust_env=False,
        ) as client:
            yield cls(client)

    @asynccontextmanager
    async def fetch(self, url: str, *, most_bytes: int) -> AsyncIterator[tuple[BinaryIO, str]]:
        """Open what a URL holds, at its beginning, and say its MIME type: "" where the server does not.

        What is large is a file on the disk, which is gone afterwards. Raises Unavailable, and nothing is left then.
        """
        with tempfile.SpooledTemporaryFile(IN_MEMORY_BYTES) as file:
            content = cast(BinaryIO, file)
            mime_type = await self._read(url, content, most_bytes)
            content.seek(0)
            yield content, mime_type

    async def _read(self, url: str, into: BinaryIO, most_bytes: int) -> str:
        seconds = SECONDS + most_bytes / BYTES_PER_SECOND
        try:
            async with asyncio.timeout(seconds), self._answer(url) as response:
                _require_file(url, response, most_bytes)
                size = 0
                async for chunk in response.aiter_raw():
                    size += len(chunk)
                    _require_size(url, size, most_bytes)
                    into.write(chunk)
        except TimeoutError:
            raise Unavailable(f"{url} can't be fetched within {seconds:.0f} s", temporary=True) from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError) as error:
            said = str(error) or type(error).__name__
            raise Unavailable(f"{url} can't be fetched: {said}", temporary=not isinstance(error, _FOR_GOOD)) from None
        if not size:
            raise Unavailable(f"{url} is empty")
        mime_type = str(response.headers.get("Content-Type", "")).partition(";")[0].strip().lower()
        return mime_type if _TYPE.fullmatch(mime_type) else ""

    @asynccontextmanager
    async def _answer(self, url: str) -> AsyncIterator[httpx.Response]:
        """Ask, and follow redirects. httpx would read what comes with them, however much that is."""
        request = self._client.build_request("GET", url)
        for _ in range(MOST_REDIRECTS + 1):
            response = await self._client.send(request, stream=True)
            try:
                if response.next_request is None:
                    yield response
                    return
                request = response.next_request
            finally:
                await response.aclose()
        raise httpx.TooManyRedirects(f"more than {MOST_REDIRECTS} redirects", request=request)


def _require_file(url: str, response: httpx.Response, most_bytes: int) -> None:
    status = response.status_code
    if status != httpx.codes.OK:
        temporary = status in _LATER or httpx.codes.is_server_error(status)
        raise Unavailable(
            f"{url} can't be fetched: HTTP {status} {response.reason_phrase}".strip(), temporary=temporary
        )
    if (coding := response.headers.get("Content-Encoding", "identity").lower()) != "identity":
        raise Unavailable(f"{url} comes as {coding[:40]}, which was not asked for")
    declared = response.headers.get("Content-Length", "")
    _require_size(url, int(declared) if declared.isascii() and declared.isdigit() else 0, most_bytes)


def _require_size(url: str, size: int, most_bytes: int) -> None:
    if size > most_bytes:
        raise Unavailable(f"{url} is larger than {most_bytes:,} bytes")
