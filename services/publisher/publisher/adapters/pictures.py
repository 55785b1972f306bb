"""Pictures for platforms with an HTTP API: from the object store, or from the URL that a request named."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import BinaryIO

from common.media.download import Downloads, Unavailable
from common.media.items import MediaItem
from common.media.pictures import TYPES, Accepted, NotAPicture, fitted
from common.media.store import ImageMissing, MediaStore, StoreUnavailable
from common.sends import Away
from common.telegram.outgoing import MediaUnavailable
from publisher.adapters.media import PICTURE_BYTES


class Gallery:
    """Opens media, and keeps what has to be in the object store. Every method raises MediaUnavailable and Away."""

    def __init__(self, store: MediaStore, downloads: Downloads) -> None:
        self._store = store
        self._downloads = downloads
        self._one_at_a_time = asyncio.Semaphore(1)  # a picture takes up to 150 MB while it is converted

    @asynccontextmanager
    async def open(self, item: MediaItem, accepted: Accepted | None = None) -> AsyncIterator[BinaryIO]:
        """Open a medium; with `accepted` as a picture that a platform takes."""
        async with AsyncExitStack() as stack:
            try:
                if item.hash:
                    content = await stack.enter_async_context(self._store.open(item.hash))
                else:
                    fetching = self._downloads.fetch(item.url or "", most_bytes=PICTURE_BYTES)
                    content, _ = await stack.enter_async_context(fetching)
                if accepted:
                    async with self._one_at_a_time:
                        content = await asyncio.to_thread(fitted, content, accepted)
            except StoreUnavailable as error:
                raise Away(str(error)) from None
            except (ImageMissing, NotAPicture, Unavailable) as error:
                raise MediaUnavailable(str(error)) from None
            yield content

    async def kept(self, item: MediaItem) -> str:
        """Return the hash of a picture in the store; what was only known by its URL is stored, for a while."""
        if item.hash:
            return item.hash
        async with self.open(item) as content:
            try:
                return (await self._store.keep_picture(content, origin="source")).hash
            except NotAPicture as error:
                raise MediaUnavailable(str(error)) from None
            except StoreUnavailable as error:
                raise Away(str(error)) from None


def is_picture(item: MediaItem) -> bool:
    """Tell whether a medium can be shown as a picture."""
    return item.kind == "photo" or item.mime_type in TYPES.values()
