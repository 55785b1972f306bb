"""Deleting many images: of those that a model made, the ones that no post has."""

from collections.abc import Sequence
from datetime import datetime

from pydantic import AwareDatetime, Field

from common.media.keeping import Attached, Keeper, NotGenerated
from common.media.store import ImageMissing, StoreUnavailable
from common.operations import GONE, Filter, Operation, Outcome
from common.postgres import Database, Queries

MOST_HASHES = 1000


class ImageFilter(Filter):
    """Which images; whatever it says, only those that a model made and no post has."""

    hashes: list[str] | None = Field(default=None, max_length=MOST_HASHES, description="these alone")
    since: AwareDatetime | None = Field(default=None, description="stored from then on")
    until: AwareDatetime | None = Field(default=None, description="stored before then")


class ImageDeletion:
    """`images.delete`. Its keys are the hashes."""

    name = "images.delete"
    filter = ImageFilter

    def __init__(self, database: Database, keeper: Keeper) -> None:
        self._database = database
        self._keeper = keeper
        self._sql = Queries.load("common", "media.sql")

    async def count(self, wanted: ImageFilter) -> int:
        """Return how many match."""
        row = await self._database.fetchrow(
            self._sql["count_deletable"], wanted.hashes, wanted.since, wanted.until, None
        )
        return int(row["number"]) if row else 0

    async def page(self, wanted: ImageFilter, *, until: datetime, after: str | None, limit: int) -> Sequence[str]:
        """Return the hashes of those that match and were there at `until`."""
        rows = await self._database.fetch(
            self._sql["deletable"], wanted.hashes, wanted.since, wanted.until, until, after or "", limit
        )
        return [row["hash"] for row in rows]

    async def act(self, keys: Sequence[str], operation: Operation) -> Sequence[Outcome]:
        """Delete them, except what is attached by now. Where the store is away, their objects follow with a sweep."""
        return [await self._delete(key, by=operation.created_by) for key in keys]

    async def _delete(self, digest: str, *, by: str) -> Outcome:
        try:
            await self._keeper.delete(digest, by=by)
        except ImageMissing:
            return GONE
        except (Attached, NotGenerated) as error:
            return str(error)
        except StoreUnavailable:
            return None
        return None
