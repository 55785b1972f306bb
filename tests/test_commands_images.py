"""`postroom images`, what `catalog apply` knows of images and broadcasts, and what `trace` tells of them."""

import io
import json
from typing import Any
from uuid import UUID

import pytest
from nats.aio.client import Client

from common.catalog import Catalog
from common.media.store import Image, MediaStore, Origin
from common.postgres import Database
from common.posts import NewPost, Posts
from common.telegram.text import RichText


class Shelf:
    """A post, and an object store."""

    def __init__(self, database: Database, client: Client, post: UUID) -> None:
        self.database = database
        self.store = MediaStore(database, client.jetstream())
        self.post = post

    async def keep(self, content: bytes, *, origin: Origin = "generated", attached: bool = False) -> Image:
        image = await self.store.keep(io.BytesIO(content), "image/png", origin=origin)
        if attached:
            await self.database.execute(
                "SELECT attach_images(ARRAY[$1::uuid], '{post}', ARRAY[$2])", self.post, image.hash
            )
        return image

    async def hashes(self) -> set[str]:
        return {row["hash"] for row in await self.database.fetch("SELECT hash FROM images")}


@pytest.fixture
async def shelf(database: Database, nats_client: Client) -> Shelf:
    source = await Catalog(database).put_source("import", "an archive")
    [brought] = await Posts(database).add([NewPost(source, "1", RichText(text="A post that is long enough"))])
    return Shelf(database, nats_client, brought.post_id)


def listed(connected: Any, *options: str) -> set[str]:
    return {row["hash"] for row in connected.said("images", "list", *options)}


async def test_images_are_listed_by_what_they_are(connected: Any, shelf: Shelf) -> None:
    assert connected.command("images", "list").stdout == "No images.\n"
    made, used = await shelf.keep(b"made"), await shelf.keep(b"used", attached=True)
    brought = await shelf.keep(b"brought", origin="source")
    assert listed(connected) == {made.hash, used.hash, brought.hash}
    assert listed(connected, "--unattached") == {made.hash, brought.hash}
    assert listed(connected, "--attached") == {used.hash}
    assert listed(connected, "--generated", "--unattached") == {made.hash}
    assert listed(connected, "--from-sources") == {brought.hash}
    human = connected.command("images", "list").stdout
    assert used.hash[:12] in human
    assert str(shelf.post) in human


async def test_only_a_generated_image_that_no_post_has_is_deleted(connected: Any, shelf: Shelf) -> None:
    made, used = await shelf.keep(b"made"), await shelf.keep(b"used", attached=True)
    brought = await shelf.keep(b"brought", origin="source")
    assert f"is attached to 1 post: {shelf.post}" in connected.refusal("images", "delete", used.hash)
    assert "came from a source" in connected.refusal("images", "delete", brought.hash[:10])
    for wrong, problem in (("abc", "is no hash"), ("xyzxyz", "is no hash"), ("0" * 64, "is not in the store")):
        assert problem in connected.refusal("images", "delete", wrong)
    assert connected.said("images", "delete", made.hash[:8].upper()) == {"deleted": made.hash}
    assert await shelf.hashes() == {used.hash, brought.hash}
    [row] = await shelf.database.fetch("SELECT hash, reason, deleted_by, object_deleted_at FROM image_deletions")
    assert (row["hash"], row["reason"], row["object_deleted_at"] is not None) == (made.hash, "requested", True)
    assert row["deleted_by"].startswith("cli")


async def test_the_beginning_of_several_hashes_names_none(connected: Any, shelf: Shelf) -> None:
    for last in "ab":
        await shelf.database.execute(
            "INSERT INTO images (hash, object, origin, mime_type, size_bytes)"
            " VALUES ($1, $1, 'generated', 'image/png', 1)",
            "abcd" + "0" * 59 + last,
        )
    assert "is the beginning of several images" in connected.refusal("images", "delete", "abcd")
    assert len(await shelf.hashes()) == 2


async def test_gc_deletes_what_no_post_has_after_the_grace(
    connected: Any, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, used, fresh = await shelf.keep(b"old"), await shelf.keep(b"used", attached=True), await shelf.keep(b"fresh")
    await shelf.database.execute(
        "UPDATE images SET last_used_at = now() - interval '2 days' WHERE hash = ANY($1)", [old.hash, used.hash]
    )
    monkeypatch.setenv("IMAGES_GRACE_SECONDS", "259200")
    assert connected.said("images", "gc", "--dry-run") == {"images": 0, "size_bytes": 0}
    assert connected.said("images", "gc")["unused"] == 0
    monkeypatch.delenv("IMAGES_GRACE_SECONDS")
    assert connected.said("images", "gc", "--dry-run") == {"images": 1, "size_bytes": 3}
    assert await shelf.hashes() == {old.hash, used.hash, fresh.hash}
    swept = connected.said("images", "gc")
    assert (swept["unused"], swept["size_bytes"]) == (1, 3)
    assert await shelf.hashes() == {used.hash, fresh.hash}
    assert "1 unused and 0 outdated images deleted" in connected.command("images", "gc", "--grace", "0").stdout
    assert await shelf.hashes() == {used.hash}


async def test_an_image_is_requested_for_a_post(connected: Any, shelf: Shelf, nats_client: Client) -> None:
    nobody = str(UUID(int=1))
    assert connected.refusal("images", "request", nobody) == f"postroom: there is no post {nobody}"
    said = connected.said("images", "request", str(shelf.post), "--prompt", "a bridge")
    reader = await nats_client.jetstream().pull_subscribe("image.requested", stream="IMAGES")
    [message] = await reader.fetch(2, timeout=0.5)
    assert message.headers
    assert message.headers["ce-id"] == said["id"]
    request = json.loads(message.data)
    assert (request["post_id"], request["prompt"]) == (str(shelf.post), "a bridge")
    assert (request["rewrite_id"], request["publish_to"]) == (None, None)


async def test_a_trace_tells_of_images_media_and_broadcasts(connected: Any, shelf: Shelf) -> None:
    await shelf.database.execute(
        "INSERT INTO media_fetches VALUES ($1, 1, repeat('a', 64), NULL), ($1, 2, NULL, 'larger than 20 MiB')",
        shelf.post,
    )
    await shelf.database.execute(
        "INSERT INTO illustrations (id, post_id, prompt, model, size, status, reason, attempts)"
        " VALUES ('r', $1, 'p', 'm', '1024x1024', 'failed', 'refused', 3)",
        shelf.post,
    )
    await shelf.database.execute(
        "INSERT INTO userbot_tasks (post_id, status, chats, started_at, finished_at, sent_count, error_count,"
        " last_error) VALUES ($1, 'done', '{@a,@b}', now(), now(), 1, 1, 'forbidden')",
        shelf.post,
    )
    history = {step["what"]: step["detail"] for step in connected.said("trace", str(shelf.post))["history"]}
    assert history["medium fetched"] == "number 1, aaaaaaaaaaaa"
    assert history["medium left out"] == "number 2, larger than 20 MiB"
    assert history["image failed"] == "for the post, m, 3 tries, 0.000000 USD, 0 ms, refused"
    assert history["broadcast requested"].endswith(", 2 chats")
    assert {"broadcast started", "broadcast done"} <= history.keys()
    assert history["broadcast done"].endswith("1 sent, 1 errors, 0 skipped, forbidden")
    status = connected.said("status")["posts"]
    assert status["images"]["failed"] == 1
    assert (status["broadcasts"]["done"], status["broadcasts"]["sent"]) == (1, 1)
    human = connected.command("status").stdout
    assert "Images" in human
    assert "messages sent" in human


ROUTE = """
[[source]]
kind = "feed"
address = "http://feeds.test/"
[[profile]]
name = "plain"
[[route]]
name = "r"
source = "http://feeds.test/"
profile = "plain"
targets = ["telegram:@city"]
"""


async def test_a_route_illustrates_and_broadcasts(connected: Any, database: Database) -> None:
    file = connected.directory / "my.toml"
    file.write_text(
        ROUTE + 'illustrate = true\nimage_required = true\n[route.broadcast]\nchats = [-1001, "https://t.me/City"]\n'
        "delay_seconds = 600\nforward = true\n"
    )
    connected.said("catalog", "apply", "my.toml")
    [row] = connected.said("catalog", "show")
    [shown] = row["routes"]
    assert (shown["illustrate"], shown["image_required"]) == (True, True)
    assert shown["broadcast"] == {"chats": ["-1001", "@city"], "delay_seconds": 600, "forward": True}
    table = connected.command("catalog", "show").stdout
    assert "(illustrate, image_required, broadcast to 2 chats)" in table
    [route] = await _routes(database)
    assert route.broadcast
    assert route.broadcast.chats == ("-1001", "@city")
    file.write_text(ROUTE)
    connected.said("catalog", "apply", "my.toml")
    [route] = await _routes(database)
    assert (route.illustrate, route.image_required, route.broadcast) == (False, False, None)
    for wrong, problem in (
        ("image_required = true\n", "image_required goes with illustrate = true"),
        ('[route.broadcast]\nchats = ["no chat"]\n', "route 1 broadcast chats 1: 'no chat' is no chat"),
        ("[route.broadcast]\ndelay_seconds = -1\n", "broadcast delay_seconds: Input should be greater"),
        ("[route.broadcast]\nchat = []\n", "broadcast chat: there is no such key"),
    ):
        file.write_text(ROUTE + wrong)
        assert problem in connected.refusal("catalog", "apply", "my.toml")


async def _routes(database: Database) -> Any:
    [source] = await Catalog(database).sources()
    return await Catalog(database).routes_of(source.id)
