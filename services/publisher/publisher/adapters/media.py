"""Media that are not in the object store: photos that a request named by their URL."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import BinaryIO

from common.media.download import Downloads, Unavailable
from common.media.items import MediaItem
from common.telegram.outgoing import MediaUnavailable, OpenMedia

PICTURE_BYTES = 20 * 2**20  # what is larger than the platform takes is made smaller


def fetched(downloads: Downloads) -> OpenMedia:
    """Return what fetches a medium from its URL, each time that it is opened."""

    @asynccontextmanager
    async def opened(item: MediaItem) -> AsyncIterator[BinaryIO]:
        async with AsyncExitStack() as stack:
            try:
                url = item.url or ""
                content, _ = await stack.enter_async_context(downloads.fetch(url, most_bytes=PICTURE_BYTES))
            except Unavailable as error:
                raise MediaUnavailable(str(error)) from None
            yield content

    return opened
