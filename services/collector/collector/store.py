"""The collector's records: how far each source is read, what checks found, and what came of fetching media."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from collector.check import Finding, NothingToRead
from collector.ports import Medium, Page, SourceState, Wanted
from common.messaging import Job
from common.postgres import Database, Queries
from common.posts import Brought
from common.telegram.utf16 import storable

PROBLEM_LENGTH = 500  # characters


class SourceStates:
    """`source_states`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = Queries.load(__package__, "collector.sql")

    async def of(self, source_id: UUID) -> SourceState:
        """Return the state of a source; of one that was never read, an empty one."""
        row = await self._database.fetchrow(self._sql["state"], source_id)
        return SourceState(**dict(row)) if row else SourceState()

    def advance(self, job: Job, source_id: UUID, page: Page, brought: Sequence[Brought] = ()) -> None:
        """Write with the job's result how far the source is read now, which never goes backwards, and what it gave."""
        job.write(self._sql["advance"], source_id, page.last_message_id, page.etag, page.last_modified)
        if added := [each for each in brought if each.added]:
            duplicates = sum(each.duplicate_of is not None for each in added)
            job.write(self._sql["add_runs"], source_id, len(added), duplicates, None)

    def fail(self, job: Job, source_id: UUID, error: str) -> None:
        """Write with the job's result why the source can't be read."""
        job.write(self._sql["fail"], source_id, error)
        job.write(self._sql["add_runs"], source_id, 0, 0, error)

    async def failed(self, source_id: UUID, error: str) -> None:
        """Write at once why a run failed, where the job has no result to write it with."""
        await self._database.execute(self._sql["fail"], [source_id], [error])
        await self._database.execute(self._sql["add_runs"], [source_id], [0], [0], [error])


class SourceChecks:
    """`source_checks`."""

    def __init__(self) -> None:
        self._sql = Queries.load(__package__, "collector.sql")

    def answer(self, job: Job, check_id: UUID, found: Finding | NothingToRead) -> None:
        """Write with the job's result what a look at an address found."""
        job.write(self._sql["answer"], check_id, _as_json(found))


def _as_json(found: Finding | NothingToRead) -> dict[str, Any]:
    """Return it without what can't be stored."""
    if isinstance(found, Finding):
        newest = [
            {"text": storable(post.text), "at": post.at.isoformat() if post.at else None, "url": post.url}
            for post in found.newest
        ]
        return {"what": found.what, "title": storable(found.title)[:500], "posts": found.posts, "newest": newest}
    suggestions = [{"address": each.address, "title": each.title} for each in found.suggestions]
    return {"trouble": found.trouble, "detail": storable(str(found))[:PROBLEM_LENGTH], "suggestions": suggestions}


class MediaFetches:
    """`media_fetches`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = Queries.load(__package__, "collector.sql")

    async def wanted(self, post_id: UUID) -> Wanted | None:
        """Return what is still to be fetched for a post; None where there is no such post."""
        row = await self._database.fetchrow(self._sql["wanted"], post_id)
        if row is None:
            return None
        media = tuple(Medium(**{**each, "mime_type": each["mime_type"] or ""}) for each in row["media"])
        return Wanted(row["duplicate"], row["allow_private"], media)

    async def fetched(self, post_id: UUID, position: int, digest: str) -> None:
        """Record a medium that is stored, and attach it; what was recorded before stays."""
        await self._database.strict_fetch(self._sql["fetched"], post_id, position, digest)

    async def missing(self, post_id: UUID, position: int, problem: str) -> None:
        """Record why there won't be a medium; what was recorded before stays."""
        await self._database.strict_fetch(self._sql["missing"], post_id, position, problem[:PROBLEM_LENGTH])
