"""Images through the object store: how many a second are stored, and read again."""

import io
import os
import time
from collections.abc import Callable
from typing import Any

from PIL import Image

from benchmarks.servers import bench_servers
from common.media.store import MediaStore

SIDE = 512  # pixels; a JPEG of noise of this size has about as many bytes as a photo of a channel


async def measure_media(*, images: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Store and read so many different pictures, one after the other, each decoded before it is stored."""
    contents = [picture() for _ in range(images)]
    size = sum(map(len, contents))
    say(f"media: {images} pictures, {size / images / 1024:.0f} KiB each")
    async with bench_servers() as servers:
        store = MediaStore(servers.database, servers.stream)
        began = time.perf_counter()
        kept = [await store.keep_picture(io.BytesIO(content), origin="source") for content in contents]
        stored = time.perf_counter() - began
        began = time.perf_counter()
        for image in kept:
            async with store.open(image.hash) as file:
                file.read()
        read = time.perf_counter() - began
    return {
        "images_stored_per_second": round(images / stored, 1),
        "images_read_per_second": round(images / read, 1),
        "image_kib": round(size / images / 1024, 1),
    }


def picture() -> bytes:
    """Return a JPEG that there is only once."""
    written = io.BytesIO()
    Image.frombytes("RGB", (SIDE, SIDE), os.urandom(3 * SIDE * SIDE)).save(written, "JPEG", quality=50)
    return written.getvalue()
