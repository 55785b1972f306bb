"""Small pictures of the images in the store, made when they are asked for and kept for a while."""

import asyncio
from collections import OrderedDict

from common.media.pictures import reduced
from common.media.store import MediaStore

SIDE = 480  # pixels: twice what a gallery shows, for dense screens
KEPT_BYTES = 32 * 2**20
AT_ONCE = 2  # a decoded picture may take 200 MB


class Thumbnails:
    """Makes small pictures, and keeps those that were asked for last. What an image is never changes."""

    def __init__(self, kept_bytes: int = KEPT_BYTES) -> None:
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._left = kept_bytes
        self._making = asyncio.Semaphore(AT_ONCE)

    async def of(self, media: MediaStore, digest: str) -> bytes:
        """Return a JPEG of an image. Raises NotAPicture, ImageMissing, StoreUnavailable."""
        if found := self._kept.get(digest):
            self._kept.move_to_end(digest)
            return found
        async with self._making, media.open(digest) as file:
            made = await asyncio.to_thread(reduced, file, SIDE)
        if digest not in self._kept:
            self._kept[digest] = made
            self._left -= len(made)
            while self._left < 0:
                _, oldest = self._kept.popitem(last=False)
                self._left += len(oldest)
        return made
