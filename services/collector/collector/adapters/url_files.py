"""Media at URLs: those of feeds."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import BinaryIO

from collector.ports import Fetch, Medium, MediumUnavailable
from common.media.download import Downloads, Unavailable

VAGUE = ("", "application/octet-stream", "binary/octet-stream", "text/plain")  # types of servers that do not know it
PAGES = ("text/html", "application/xhtml+xml")  # feeds link players in place of films


class UrlFiles:
    """Fetches files; from addresses in private networks only for sources that allow them."""

    def __init__(self, public: Downloads, private: Downloads, *, most_bytes: int) -> None:
        self._public = public
        self._private = private
        self._most_bytes = most_bytes

    async def prepare(self, media: Sequence[Medium], *, allow_private: bool) -> Fetch:  # noqa: ARG002
        """Return what fetches."""
        return partial(self._fetch, self._private if allow_private else self._public)

    @asynccontextmanager
    async def _fetch(self, downloads: Downloads, medium: Medium) -> AsyncIterator[tuple[BinaryIO, str]]:
        url = medium.reference["url"]
        try:
            async with downloads.fetch(url, most_bytes=self._most_bytes) as (file, served):
                if served in PAGES and medium.kind != "document":
                    raise MediumUnavailable(f"{url} is a web page, no {medium.kind}")
                yield file, medium.mime_type if served in VAGUE else served
        except Unavailable as error:
            if error.temporary:
                raise
            raise MediumUnavailable(str(error)) from None
