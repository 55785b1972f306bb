"""Memory of the publisher while it publishes an album."""

import asyncio
import io
import json
import os
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

import psutil
from PIL import Image

from benchmarks.servers import BenchServers, bench_servers
from benchmarks.telegram import bench_telegram, running
from common.catalog import Catalog
from common.media.store import MediaStore
from common.posts import Media, NewPost, Posts
from common.telegram.text import RichText

ITEMS = 10
ITEM_BYTES = 2 * 2**20
SIDE = 840  # pixels; three bytes each, which a PNG can't make smaller where they are random
LOOK_SECONDS = 0.01
PATIENCE_SECONDS = 120.0
ATTACH = "SELECT attach_images($1::uuid[], $2::text[], $3::text[])"
PUBLISHED = "SELECT status FROM publications WHERE post_id = $1 AND finished_at IS NOT NULL"


class AlbumFailed(Exception):
    """The album was not published."""


async def measure_album(*, say: Callable[[str], None]) -> dict[str, Any]:
    """Publish a text, and then an album of 20 MB; return how much more memory the album took. Raises AlbumFailed."""
    say(f"album: {ITEMS} photos of {ITEM_BYTES / 2**20:.0f} MiB")
    async with bench_servers() as servers, bench_telegram() as telegram:
        owner, bot = telegram.world.add_user("Owner"), telegram.world.add_bot("Publisher", "bench_bot")
        telegram.world.add_channel("Bench", "bench_album", owner, admins=[bot])
        text, album = await posts(servers)
        environment = {
            **servers.environment,
            **telegram.environment,
            "TELEGRAM_BOT_TOKEN": bot.token,
            "PUBLISH_PACING": "off",
        }
        async with running("publisher", environment) as process:
            watched = psutil.Process(process.pid)
            before = await peak_until_published(servers, watched, text)
            during = await peak_until_published(servers, watched, album)
    return {
        "album_mib": round(ITEMS * ITEM_BYTES / 2**20, 1),
        "album_memory_before_mib": round(before / 2**20, 1),
        "album_memory_peak_mib": round(during / 2**20, 1),
    }


async def posts(servers: BenchServers) -> tuple[UUID, UUID]:
    """Bring a text and an album in, its photos in the object store."""
    source = await Catalog(servers.database).put_source("import", "bench")
    photos = tuple(Media("photo", {"url": f"https://example.org/{number}"}) for number in range(ITEMS))
    text, album = await Posts(servers.database).add(
        [
            NewPost(source, "text", RichText(text="a text")),
            NewPost(source, "album", RichText(text="an album"), media=photos),
        ]
    )
    store = MediaStore(servers.database, servers.stream)
    for number in range(1, ITEMS + 1):
        written = io.BytesIO()
        Image.frombytes("RGB", (SIDE, SIDE), os.urandom(3 * SIDE * SIDE)).save(written, "PNG", compress_level=0)
        kept = await store.keep_picture(written, origin="source")
        await servers.database.strict_fetch(ATTACH, [album.post_id], [f"source/{number}"], [kept.hash])
    return text.post_id, album.post_id


async def peak_until_published(servers: BenchServers, process: psutil.Process, post: UUID) -> int:
    """Ask for a post to be published, and return the most memory that the process has until it is. In bytes."""
    request = {"post_id": str(post), "targets": ["telegram:@bench_album"]}
    await servers.stream.publish("publish.requested", json.dumps(request).encode())
    peak, patient_until, looks = 0, time.monotonic() + PATIENCE_SECONDS, 0
    while True:
        peak, looks = max(peak, process.memory_info().rss), looks + 1
        if looks % 20 == 0 and (ended := await servers.database.fetchrow(PUBLISHED, post)):
            if ended["status"] != "succeeded":
                raise AlbumFailed(f"it {ended['status']}")
            return peak
        if time.monotonic() > patient_until:
            raise AlbumFailed(f"not published within {PATIENCE_SECONDS:.0f} s")
        await asyncio.sleep(LOOK_SECONDS)
