"""The object store: what is stored is read again or refused, whatever happens in between."""

import asyncio
import io
import os
from uuid import uuid4

import pytest
from nats.aio.client import Client
from PIL import Image as Pillow

from common.media.items import MediaItem
from common.media.pictures import NotAPicture
from common.media.store import BUCKET, STREAM, ImageMissing, MediaStore, StoreUnavailable, bounded, digest_of
from common.messaging.streams import migrate_topology
from common.postgres import Database
from embedded import NatsServer


@pytest.fixture
def store(database: Database, nats_client: Client) -> MediaStore:
    return MediaStore(database, nats_client.jetstream())


async def objects(client: Client) -> list[str]:
    bucket = await client.jetstream().object_store(BUCKET)
    try:
        return [found.name for found in await bucket.list(ignore_deletes=True)]
    except Exception as error:  # nats-py has an error of its own for an empty bucket
        if type(error).__name__ == "NotFoundError":
            return []
        raise


async def test_what_is_kept_is_read_again(store: MediaStore) -> None:
    content = os.urandom(3 * 2**20)
    kept = await store.keep(io.BytesIO(content), "application/pdf", origin="source")
    assert (kept.size_bytes, kept.mime_type, kept.width) == (len(content), "application/pdf", None)
    async with store.open(kept.hash) as file:
        assert file.read() == content


async def test_a_picture_is_kept_with_what_it_really_is(store: MediaStore) -> None:
    written = io.BytesIO()
    Pillow.new("RGB", (60, 40)).save(written, "WEBP")
    kept = await store.keep_picture(written, origin="generated")
    assert (kept.mime_type, kept.width, kept.height, kept.origin) == ("image/webp", 60, 40, "generated")


async def test_what_is_no_picture_is_not_kept_as_one(store: MediaStore, nats_client: Client) -> None:
    with pytest.raises(NotAPicture):
        await store.keep_picture(io.BytesIO(b"<svg/>"), origin="source")
    with pytest.raises(ValueError, match="empty"):
        await store.keep(io.BytesIO(b""), "text/plain", origin="source")
    assert await objects(nats_client) == []


async def test_equal_content_is_stored_once_by_however_many(store: MediaStore, nats_client: Client) -> None:
    content = os.urandom(300_000)
    kept = await asyncio.gather(*(store.keep(io.BytesIO(content), "", origin="source") for _ in range(8)))
    assert len({image.object for image in kept}) == 1
    assert await objects(nats_client) == [kept[0].object]


async def test_reading_leaves_nothing_behind_on_the_server(store: MediaStore, nats_client: Client) -> None:
    """A server refuses more than 1,000 consumers on a stream."""
    kept = await store.keep(io.BytesIO(os.urandom(300_000)), "", origin="source")
    for _ in range(5):
        async with store.open(kept.hash) as file:
            assert digest_of(file)[0] == kept.hash
    assert (await nats_client.jetstream().stream_info(f"OBJ_{BUCKET}")).state.consumer_count == 0


async def test_content_that_was_cut_off_is_missing(store: MediaStore, nats_client: Client) -> None:
    kept = await store.keep(io.BytesIO(os.urandom(300_000)), "", origin="source")
    info = await (await nats_client.jetstream().object_store(BUCKET)).get_info(kept.object)
    await nats_client.jetstream().purge_stream(f"OBJ_{BUCKET}", subject=f"$O.{BUCKET}.C.{info.nuid}", keep=1)
    with pytest.raises(ImageMissing):
        async with store.open(kept.hash):
            pass


async def test_what_is_not_there_is_missing(store: MediaStore, database: Database, nats_client: Client) -> None:
    with pytest.raises(ImageMissing):
        async with store.open(digest_of(io.BytesIO(b"never stored"))[0]):
            pass
    kept = await store.keep(io.BytesIO(b"to be deleted"), "", origin="source")
    await (await nats_client.jetstream().object_store(BUCKET)).delete(kept.object)
    with pytest.raises(ImageMissing):
        async with store.open(kept.hash):
            pass


async def test_content_that_was_changed_is_noticed(store: MediaStore, nats_client: Client) -> None:
    kept = await store.keep(io.BytesIO(b"the right content"), "", origin="source")
    await (await nats_client.jetstream().object_store(BUCKET)).put(kept.object, b"another content")
    with pytest.raises(ImageMissing, match="can't be read"):
        async with store.open(kept.hash):
            pass


async def test_a_store_that_is_away_says_so_and_comes_back(
    database: Database, nats_server: NatsServer, nats_client: Client
) -> None:
    store = MediaStore(database, nats_client.jetstream())
    kept = await store.keep(io.BytesIO(os.urandom(200_000)), "", origin="source")
    nats_server.stop()
    with pytest.raises(StoreUnavailable):
        async with store.open(kept.hash):
            pass
    with pytest.raises(StoreUnavailable):
        await store.keep(io.BytesIO(b"something else"), "", origin="source")
    nats_server.start()
    await nats_client.flush()
    async with store.open(kept.hash) as file:
        assert digest_of(file)[0] == kept.hash


async def test_a_full_store_says_what_to_do(store: MediaStore, nats_client: Client) -> None:
    stream = nats_client.jetstream()
    await stream.update_stream((await stream.stream_info(STREAM)).config, max_bytes=100_000)
    with pytest.raises(StoreUnavailable, match="is full: `postroom images gc` frees"):
        await store.keep(io.BytesIO(os.urandom(200_000)), "", origin="source")
    assert await objects(nats_client) == []


async def test_a_bucket_that_is_missing_is_named(database: Database, nats_client: Client) -> None:
    await nats_client.jetstream().delete_object_store(BUCKET)
    with pytest.raises(StoreUnavailable, match="postroom migrate"):
        await MediaStore(database, nats_client.jetstream()).keep(io.BytesIO(b"x"), "", origin="source")


async def test_migrating_again_leaves_the_bucket_as_it_is(store: MediaStore, nats_client: Client) -> None:
    from common.contracts import topology

    kept = await store.keep(io.BytesIO(b"kept over a migration"), "", origin="source")
    assert await migrate_topology(nats_client.jetstream(), topology()) == []
    async with store.open(kept.hash) as file:
        assert file.read() == b"kept over a migration"


async def test_a_call_without_an_answer_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("common.media.store.SECONDS", 0.05)
    with pytest.raises(StoreUnavailable, match="no answer"):
        await bounded(asyncio.Event().wait())


def test_an_item_is_the_same_after_its_record() -> None:
    item = MediaItem("video", hash=uuid4().hex * 2, mime_type="video/mp4", duration_seconds=3.5, width=640, height=360)
    assert MediaItem.from_json(item.to_json()) == item
    old = {"kind": "photo", "url": "https://example.org/a.jpg"}  # as publications had it before there was a store
    assert MediaItem.from_json(old) == MediaItem("photo", url="https://example.org/a.jpg")
    with pytest.raises(ValueError, match="hash or a url"):
        MediaItem("photo")
