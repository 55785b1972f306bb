"""Fetching photos by their URL."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self

from common.media.download import Downloads, Unavailable
from publisher.adapters.telegram_photos import PHOTO_BYTES, PhotoUnavailable


class Pictures:
    """Downloads photos, bounded in size and time."""

    def __init__(self, downloads: Downloads) -> None:
        self._downloads = downloads

    @classmethod
    @asynccontextmanager
    async def open(cls, *, allow_private: bool = False) -> AsyncIterator[Self]:
        """Open a client; without `allow_private` only to addresses of the public internet."""
        async with Downloads.open(allow_private=allow_private) as downloads:
            yield cls(downloads)

    async def fetch(self, url: str) -> bytes:
        """Return what a URL holds. Raises PhotoUnavailable."""
        try:
            async with self._downloads.fetch(url, most_bytes=PHOTO_BYTES) as (file, _):
                return file.read()
        except Unavailable as error:
            raise PhotoUnavailable(str(error)) from None
