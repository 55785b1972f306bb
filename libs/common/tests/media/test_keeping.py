"""What the object store keeps and what goes, on the real servers: nothing attached is ever without its object."""

import asyncio
import io
import os
import random
from uuid import UUID, uuid4

import asyncpg
import pytest
from nats.aio.client import Client

from common.catalog import Catalog
from common.media.keeping import Attached, Keeper, NotGenerated, Swept
from common.media.objects import Objects
from common.media.store import BUCKET, Image, ImageMissing, MediaStore, Origin, StoreUnavailable
from common.postgres import Database, Queries
from common.posts import NewPost, Posts
from common.telegram.text import RichText
from embedded import NatsServer

DAY = 86_400.0
SQL = Queries.load("common", "media.sql")


class Shelf:
    """A store with its keeper, and posts to attach to."""

    def __init__(self, database: Database, client: Client, source: UUID) -> None:
        self.database = database
        self.store = MediaStore(database, client.jetstream())
        self.keeper = Keeper(database, self.store)
        self.objects = Objects(self.store)
        self.source = source

    async def post(self) -> UUID:
        post = NewPost(self.source, uuid4().hex, RichText(text=f"a post {uuid4()}"))
        await Posts(self.database).add([post])
        return post.id

    async def keep(self, content: bytes | None = None, origin: Origin = "generated") -> Image:
        content = os.urandom(2000) if content is None else content
        return await self.store.keep(io.BytesIO(content), "image/png", origin=origin)

    async def attach(self, post: UUID, digest: str, place: str = "post") -> None:
        await self.database.execute(SQL["attach"], [post], [place], [digest])

    async def age(self, digest: str, seconds: float) -> None:
        """Let it be so long ago that the image was used."""
        statement = "UPDATE images SET last_used_at = now() - make_interval(secs => $2) WHERE hash = $1"
        await self.database.execute(statement, digest, seconds)

    async def hashes(self) -> set[str]:
        return {row["hash"] for row in await self.database.fetch("SELECT hash FROM images")}

    async def names(self) -> set[str]:
        return {each.name for each in await self.objects.all()}

    async def deletions(self) -> list[asyncpg.Record]:
        return await self.database.fetch("SELECT * FROM image_deletions ORDER BY id")

    async def readable(self, digest: str) -> bool:
        try:
            async with self.store.open(digest):
                return True
        except ImageMissing:
            return False


@pytest.fixture
async def shelf(database: Database, nats_client: Client) -> Shelf:
    return Shelf(database, nats_client, await Catalog(database).put_source("telegram", "@source"))


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let orphans be of any age."""
    monkeypatch.setattr("common.media.keeping.ORPHAN_SECONDS", 0.0)


async def test_what_is_unused_goes_after_the_grace_and_not_before(shelf: Shelf) -> None:
    young, old = await shelf.keep(), await shelf.keep(origin="source")
    await shelf.age(young.hash, DAY - 60)
    await shelf.age(old.hash, DAY + 60)
    assert await shelf.keeper.gc(DAY) == Swept(unused=1, size_bytes=2000)
    assert await shelf.hashes() == {young.hash}
    assert await shelf.names() == {young.object}
    (deletion,) = await shelf.deletions()
    assert (deletion["hash"], deletion["object"], deletion["origin"]) == (old.hash, old.object, "source")
    assert (deletion["reason"], deletion["deleted_by"], deletion["size_bytes"]) == ("unused", "imagegen", 2000)
    assert deletion["object_deleted_at"] is not None
    assert (await shelf.keeper.gc(DAY)).nothing


async def test_what_is_attached_stays_however_old_it_is(shelf: Shelf) -> None:
    image = await shelf.keep()
    await shelf.attach(await shelf.post(), image.hash)
    await shelf.age(image.hash, 1000 * DAY)
    assert (await shelf.keeper.gc(0)).nothing
    assert await shelf.readable(image.hash)


async def test_what_was_replaced_is_kept_for_the_grace_and_is_outdated_then(shelf: Shelf) -> None:
    first, second, post = await shelf.keep(), await shelf.keep(), await shelf.post()
    await shelf.attach(post, first.hash)
    await shelf.age(first.hash, 1000 * DAY)
    await shelf.attach(post, second.hash)
    assert (await shelf.keeper.gc(DAY)).nothing  # its time begins when it was replaced
    await shelf.age(first.hash, 2 * DAY)
    assert await shelf.keeper.gc(DAY) == Swept(outdated=1, size_bytes=2000)
    assert await shelf.hashes() == {second.hash}
    assert [row["reason"] for row in await shelf.deletions()] == ["outdated"]


async def test_what_is_stored_again_is_young_again(shelf: Shelf) -> None:
    image = await shelf.keep(b"the same")
    await shelf.age(image.hash, 2 * DAY)
    assert (await shelf.keep(b"the same")).object == image.object
    assert (await shelf.keeper.gc(DAY)).nothing


async def test_a_person_deletes_what_was_generated(shelf: Shelf) -> None:
    image = await shelf.keep()
    await shelf.keeper.delete(image.hash, by="anna")
    assert await shelf.names() == set()
    (deletion,) = await shelf.deletions()
    assert (deletion["reason"], deletion["deleted_by"]) == ("requested", "anna")
    assert deletion["object_deleted_at"] is not None
    with pytest.raises(ImageMissing, match=f"image {image.hash} is not in the store"):
        await shelf.keeper.delete(image.hash, by="anna")


async def test_a_person_is_refused_with_the_reason(shelf: Shelf) -> None:
    attached, posts = await shelf.keep(), sorted([await shelf.post(), await shelf.post()])
    for post in posts:
        await shelf.attach(post, attached.hash)
    with pytest.raises(Attached, match=f"is attached to 2 posts: {posts[0]}, {posts[1]}$") as refused:
        await shelf.keeper.delete(attached.hash, by="anna")
    assert refused.value.posts == tuple(posts)
    collected = await shelf.keep(origin="source")
    with pytest.raises(NotGenerated, match="came from a source"):
        await shelf.keeper.delete(collected.hash, by="anna")
    assert await shelf.names() == {attached.object, collected.object}
    assert await shelf.deletions() == []


async def test_images_are_listed_with_their_posts(shelf: Shelf) -> None:
    mine, theirs, post = await shelf.keep(), await shelf.keep(origin="source"), await shelf.post()
    await shelf.attach(post, theirs.hash, "source/1")
    await shelf.attach(post, theirs.hash, "publication/x/1")
    assert [(each.hash, each.posts) for each in await shelf.keeper.list(attached=True)] == [(theirs.hash, (post,))]
    assert [each.hash for each in await shelf.keeper.list(attached=False)] == [mine.hash]
    assert [each.hash for each in await shelf.keeper.list(origin="source")] == [theirs.hash]
    assert [each.hash for each in await shelf.keeper.list()] == [theirs.hash, mine.hash]
    assert len(await shelf.keeper.list(limit=1)) == 1


@pytest.mark.parametrize("how_far", ["before", "in the middle", "at the end"])
async def test_a_deletion_that_a_crash_cut_off_is_finished(shelf: Shelf, how_far: str) -> None:
    image = await shelf.keep(os.urandom(300_000))
    await shelf.database.execute(SQL["delete"], image.hash, "anna")  # and there it died, or a little later:
    bucket = await shelf.store.bucket()
    if how_far == "in the middle":  # the note that the object is deleted is there, and so is its content
        purge, shelf.store.stream.purge_stream = shelf.store.stream.purge_stream, _dies
        with pytest.raises(KeyboardInterrupt):
            await bucket.delete(image.object)
        shelf.store.stream.purge_stream = purge
        assert await shelf.objects.fragments()
    elif how_far == "at the end":
        await shelf.objects.delete(image.object)
    assert await shelf.keeper.gc(DAY) == Swept(finished=1)
    assert (await bucket.status()).size == 0
    (deletion,) = await shelf.deletions()
    assert deletion["object_deleted_at"] is not None
    assert (await shelf.keeper.gc(DAY)).nothing


async def _dies(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


async def test_an_object_that_nothing_points_to_goes_when_it_is_old(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = await shelf.keep()
    await shelf.attach(await shelf.post(), kept.hash)
    orphan = f"{'a' * 64}.12345678"
    await (await shelf.store.bucket()).put(orphan, b"stored by somebody who died then")
    assert (await shelf.keeper.gc(0)).nothing  # it may be about to get its row
    monkeypatch.setattr("common.media.keeping.ORPHAN_SECONDS", 0.0)
    assert await shelf.keeper.gc(0) == Swept(orphans=1)
    assert await shelf.names() == {kept.object}
    (deletion,) = await shelf.deletions()
    assert (deletion["hash"], deletion["object"], deletion["reason"]) == ("a" * 64, orphan, "orphan")


async def test_storing_that_takes_longer_than_orphans_live_is_refused(shelf: Shelf) -> None:
    began = await shelf.database.fetchrow("SELECT now() - interval '31 minutes' AS at")
    row = ("b" * 64, "b" * 64 + ".0", "source", "image/png", 5, None, None, began["at"])
    assert await shelf.database.strict_fetch(SQL["keep"], *row) == []


@pytest.mark.usefixtures("at_once")
async def test_content_without_an_object_goes_when_it_is_old(shelf: Shelf) -> None:
    kept = await shelf.keep(os.urandom(300_000))
    await shelf.attach(await shelf.post(), kept.hash)
    await shelf.store.stream.publish(f"$O.{BUCKET}.C.cutoff", b"a first piece, and then it died")
    assert await shelf.keeper.gc(0) == Swept(fragments=1)
    assert await shelf.readable(kept.hash)


@pytest.mark.usefixtures("at_once")
async def test_a_list_that_is_not_complete_costs_no_content(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    kept, lost = await shelf.keep(os.urandom(300_000)), await shelf.keep()
    for image in (kept, lost):
        await shelf.attach(await shelf.post(), image.hash)
    await shelf.objects.delete(lost.object)
    await shelf.store.stream.publish(f"$O.{BUCKET}.C.cutoff", b"a first piece, and then it died")

    async def nothing(*_: object) -> list[object]:
        return []

    monkeypatch.setattr(await shelf.store.bucket(), "list", nothing)
    assert await shelf.keeper.gc(0) == Swept(fragments=1)
    assert await shelf.readable(kept.hash)


async def test_a_sweep_leaves_no_traces_of_what_was_stored_in_vain(shelf: Shelf) -> None:
    content = os.urandom(100_000)
    await asyncio.gather(*(shelf.keep(content) for _ in range(6)))
    assert (await shelf.keeper.gc(DAY)).nothing
    assert len(await shelf.objects.all()) == 1


async def test_a_store_that_is_away_leaves_an_open_deletion(shelf: Shelf, nats_server: NatsServer) -> None:
    image = await shelf.keep()
    nats_server.stop()
    with pytest.raises(StoreUnavailable):
        await shelf.keeper.delete(image.hash, by="anna")
    assert [row["object_deleted_at"] for row in await shelf.deletions()] == [None]
    nats_server.start()
    assert (await shelf.keeper.gc(DAY)).finished == 1


async def lost_in_races(shelf: Shelf, rounds: int) -> int:
    """Let storing and attaching race with sweeps and deletions; returns how many attached images can't be read."""
    posts = [await shelf.post() for _ in range(4)]
    over = asyncio.Event()

    async def use(post: UUID) -> None:
        """Store one of a few contents and attach it, again where it went meanwhile: as a job that is retried."""
        for number in range(rounds):
            content = f"content {random.randrange(3)}".encode() * 50
            while True:
                image = await shelf.keep(content)
                await asyncio.sleep(random.choice((0, 0, 0.003)))
                try:
                    await shelf.attach(post, image.hash, f"broadcast/{number % 2}")
                    break
                except asyncpg.ForeignKeyViolationError:
                    continue
            assert await shelf.readable(image.hash) or await detached(post, image.hash)

    async def detached(post: UUID, digest: str) -> bool:
        return not await shelf.database.fetch("SELECT FROM attachments WHERE post_id = $1 AND hash = $2", post, digest)

    async def sweep() -> None:
        while not over.is_set():
            await shelf.keeper.gc(0)
            await asyncio.sleep(0.02)

    async def delete() -> None:
        while not over.is_set():
            for digest in await shelf.hashes():
                try:
                    await shelf.keeper.delete(digest, by="anna")
                except (Attached, ImageMissing):
                    await asyncio.sleep(0.001)

    async def detach() -> None:
        """Let what is attached be replaced by nothing, so that there is always something to collect."""
        while not over.is_set():
            await shelf.database.execute("DELETE FROM attachments WHERE post_id = $1", random.choice(posts))
            await asyncio.sleep(0.005)

    tidying = [asyncio.create_task(each()) for each in (sweep, sweep, delete, detach)]
    try:
        await asyncio.gather(*(use(post) for post in posts))
    finally:
        over.set()
        await asyncio.gather(*tidying)
    attached = {row["hash"] for row in await shelf.database.fetch("SELECT hash FROM attachments")}
    return sum([not await shelf.readable(digest) for digest in attached])


async def test_nothing_attached_is_ever_without_its_object(shelf: Shelf) -> None:
    assert await lost_in_races(shelf, 150) == 0
    assert {row["reason"] for row in await shelf.deletions()} >= {"requested"}
    assert len(await shelf.deletions()) > 10  # they really met
    assert await shelf.hashes() >= {row["hash"] for row in await shelf.database.fetch("SELECT hash FROM attachments")}
    assert await shelf.names() == {row["object"] for row in await shelf.database.fetch("SELECT object FROM images")}


async def test_without_the_foreign_key_the_race_would_be_lost(shelf: Shelf) -> None:
    """That the test above can fail."""
    await shelf.database.execute("ALTER TABLE attachments DROP CONSTRAINT attachments_hash_fkey")
    with pytest.raises(AssertionError):
        assert await lost_in_races(shelf, 150) == 0
