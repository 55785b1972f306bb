"""What the object store keeps: images that are attached to posts, and for a while those that are not.

A deletion takes the row first, which fails where the image is attached, also by somebody who attaches it at the same
moment: the foreign key decides. Its record is committed with it; then the object is deleted, and whoever crashes in
between leaves a record that says so.
"""

import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg

from common.media.objects import Listed, Objects, about
from common.media.store import ImageMissing, MediaStore, Origin
from common.postgres import Database, Queries

log = logging.getLogger(__name__)

ORPHAN_SECONDS = 3600.0  # the least age of an orphan, however short the grace: MediaStore.keep relies on it


class Attached(Exception):
    """The image is attached to posts, and stays."""

    def __init__(self, digest: str, posts: Sequence[UUID]) -> None:
        names = ", ".join(map(str, posts[:3])) + (", …" if len(posts) > 3 else "")
        super().__init__(f"image {digest} is attached to {len(posts)} post{'s' * (len(posts) != 1)}: {names}")
        self.posts = tuple(posts)


class NotGenerated(Exception):
    """The image came from a source: it goes by itself when it is attached to no post any more."""


@dataclass(frozen=True, slots=True)
class Kept:
    """An image of the store, with the posts that have it. Width and height are in pixels, None where it is none."""

    hash: str
    origin: Origin
    mime_type: str
    size_bytes: int
    width: int | None
    height: int | None
    created_at: datetime
    last_used_at: datetime
    posts: tuple[UUID, ...]


@dataclass(slots=True)
class Swept:
    """What a sweep deleted. `unused` was never attached to a post, `outdated` was; `finished` were left by a crash.

    Orphans are objects that nothing points to, fragments the remains of storing that was cut off.
    """

    unused: int = 0
    outdated: int = 0
    orphans: int = 0
    fragments: int = 0
    finished: int = 0
    size_bytes: int = 0

    @property
    def nothing(self) -> bool:
        """Whether there was nothing to delete."""
        return self == Swept()


class Keeper:
    """Lists what is kept, and deletes what need not be."""

    def __init__(self, database: Database, store: MediaStore) -> None:
        self._database = database
        self._objects = Objects(store)
        self._sql = Queries.load("common", "media.sql")

    async def list(self, *, origin: Origin | None = None, attached: bool | None = None, limit: int = 100) -> list[Kept]:
        """Return the newest images; None: of any origin, attached or not."""
        rows = await self._database.fetch(self._sql["list"], origin, attached, limit)
        return [Kept(**{**dict(row), "posts": tuple(row["posts"])}) for row in rows]

    async def delete(self, digest: str, *, by: str) -> None:
        """Delete a generated image for a person, and record who. Its object may follow with the next sweep.

        Raises ImageMissing, Attached, NotGenerated, and StoreUnavailable where only the object is still there.
        """
        await self.finish(await self.give_up(digest, by=by))

    async def give_up(self, digest: str, *, by: str) -> asyncpg.Record:
        """Take the row of a generated image away, and return the record of its deletion, to `finish` after the commit.

        Raises ImageMissing, Attached, NotGenerated.
        """
        try:
            rows = await self._database.strict_fetch(self._sql["delete"], digest, by)
        except asyncpg.ForeignKeyViolationError:
            rows = await self._database.fetch(self._sql["attached_to"], digest)
            raise Attached(digest, [row["post_id"] for row in rows]) from None
        if rows:
            return rows[0]
        found = await self._database.fetchrow(self._sql["find"], digest)
        if found is None:
            raise ImageMissing(f"image {digest} is not in the store")
        if found["origin"] == "source":
            raise NotGenerated(f"image {digest} came from a source: it goes when no post has it any more")
        return await self.give_up(digest, by=by)  # somebody stored it again just now

    async def gc(self, grace_seconds: float, *, by: str = "imagegen") -> Swept:
        """Delete what was attached to no post for so long, what is left of storing, and what a crash left over.

        Safe to run at any time, and anywhere at once. Raises StoreUnavailable.
        """
        swept = Swept()
        await self._finish_deletions(swept)
        async for digest in self._collectable(grace_seconds):
            try:
                rows = await self._database.strict_fetch(self._sql["collect"], digest, grace_seconds, by)
            except asyncpg.ForeignKeyViolationError:  # it was attached a moment ago
                continue
            for row in rows:
                await self.finish(row)
                swept.unused += row["reason"] == "unused"
                swept.outdated += row["reason"] == "outdated"
                swept.size_bytes += row["size_bytes"]
        await self._sweep_bucket(swept, datetime.now(UTC) - timedelta(seconds=max(grace_seconds, ORPHAN_SECONDS)), by)
        return swept

    async def _collectable(self, grace_seconds: float) -> AsyncIterator[str]:
        last = ""
        while rows := await self._database.fetch(self._sql["collectable"], grace_seconds, last):
            for row in rows:
                yield row["hash"]
            last = rows[-1]["hash"]

    async def _finish_deletions(self, swept: Swept) -> None:
        for row in await self._database.fetch(self._sql["open_deletions"]):
            await self.finish(row)
            swept.finished += 1

    async def finish(self, deletion: asyncpg.Record) -> None:
        """Delete the object of a deletion, and note that: a sweep does it too. Raises StoreUnavailable."""
        await self._objects.delete(deletion["object"])
        await self._database.execute(self._sql["close_deletion"], deletion["id"])
        log.info("image %s is deleted: %s", deletion["hash"], deletion["reason"])

    async def _sweep_bucket(self, swept: Swept, before: datetime, by: str) -> None:
        """Delete objects without a row, and contents without an object, that were written `before`."""
        listed = await self._objects.all()
        for each in listed:
            if each.deleted:  # by someone who stored it in vain; their own note of it stays without this
                await self._objects.delete(each.name)
        await self._sweep_orphans(swept, [each for each in listed if not each.deleted], before, by)
        await self._sweep_fragments(swept, listed, before)

    async def _sweep_fragments(self, swept: Swept, listed: Sequence[Listed], before: datetime) -> None:
        known = {each.content for each in listed}
        left = [
            subject
            for subject in await self._objects.fragments()
            if subject not in known and await self._older(subject, before)
        ]
        if left:  # content is gone for good: first ask for each image of which the list says nothing
            names = [each.name for each in listed]
            for row in await self._database.fetch(self._sql["not_among"], names):
                if found := await self._objects.find(row["object"]):
                    known.add(found.content)
        for subject in left:
            if subject not in known:
                await self._objects.purge(subject)
                swept.fragments += 1

    async def _sweep_orphans(self, swept: Swept, objects: Sequence[Listed], before: datetime, by: str) -> None:
        names = [each.name for each in objects]
        for found in await self._database.fetch(self._sql["without_row"], names):
            name = found["object"]
            if await self._older(about(name), before):
                digest = name.partition(".")[0]
                for row in await self._database.strict_fetch(self._sql["record_orphan"], digest, name, by):
                    await self.finish(row)
                    swept.orphans += 1

    async def _older(self, subject: str, before: datetime) -> bool:
        written = await self._objects.written_at(subject)
        return written is not None and written < before
