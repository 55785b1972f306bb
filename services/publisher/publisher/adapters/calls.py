"""Calls to a platform's HTTP API."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Self

import httpx

from common.sends import Away, Unanswered

MOST_BYTES = 4 * 2**20  # of an answer: a page of a hundred posts is far smaller
IDLE_SECONDS = 5.0  # a connection that lay idle for longer may be dead, and a send on it is of unknown outcome
BEFORE_SENDING = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered; `body` is empty where it was no JSON object."""

    status: int
    body: Mapping[str, Any]
    headers: httpx.Headers

    @property
    def ok(self) -> bool:
        """Whether it was carried out."""
        return 200 <= self.status < 300

    @property
    def of_gateway(self) -> bool:
        """Whether something in between answered, which does not know how it ended; those have no JSON."""
        return self.status in (408, 502, 504) or (self.status >= 500 and not self.body)


class Calls:
    """Calls below one base URL. No redirect is followed, so that a token goes nowhere else."""

    def __init__(self, client: httpx.AsyncClient, base_url: str, seconds: Callable[[], float]) -> None:
        self._client = client
        self._base_url = base_url.rstrip("/")
        self._seconds = seconds

    @classmethod
    @asynccontextmanager
    async def open(cls, base_url: str, *, seconds: Callable[[], float]) -> AsyncIterator[Self]:
        """Open connections for calls; `seconds` says, before each, how long it may take."""
        limits = httpx.Limits(max_keepalive_connections=10, keepalive_expiry=IDLE_SECONDS)
        async with httpx.AsyncClient(
            limits=limits,
            follow_redirects=False,
            trust_env=False,
            headers={"User-Agent": "Postroom"},
        ) as client:
            yield cls(client, base_url, seconds)

    async def ask(self, method: str, path: str, token: str | None, *, once: bool = False, **content: Any) -> Answer:
        """Make a call and return its answer, whatever that says. `content` is httpx's: params, json, data, files, auth.

        Raises Away where there is no answer; but of a call that may be made only `once`, and may have arrived,
        Unanswered.
        """
        seconds = self._seconds()
        url = f"{self._base_url}{path}"
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        try:
            async with (
                asyncio.timeout(seconds),
                self._client.stream(method, url, headers=headers, timeout=seconds, **content) as response,
            ):
                return Answer(response.status_code, await _read(response), response.headers)
        except BEFORE_SENDING as error:
            raise Away(_reason(error)) from None
        except (httpx.HTTPError, httpx.StreamError, TimeoutError, OSError) as error:
            if once:
                raise Unanswered(_reason(error)) from None
            raise Away(_reason(error)) from None


async def _read(response: httpx.Response) -> Mapping[str, Any]:
    read = bytearray()
    async for chunk in response.aiter_bytes():
        read += chunk
        if len(read) > MOST_BYTES:
            raise httpx.ReadError(f"the answer is larger than {MOST_BYTES:,} bytes")
    try:
        body = json.loads(bytes(read))
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__
