"""The imagegen's SQL: what it reads, and the illustrations that it writes."""

from typing import Any
from uuid import UUID

from common.messaging import Job
from common.postgres import Database, Queries
from common.posts import Post, Posts
from common.telegram.utf16 import storable
from imagegen.illustrate import Illustration
from imagegen.ports import Made, Rewritten


class Store:
    """Reads posts and rewrites; writes illustrations with a job's result."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._posts = Posts(database)
        self._sql = Queries.load(__package__, "imagegen.sql")

    async def post(self, post_id: UUID) -> Post | None:
        """Return a post."""
        return await self._posts.get(post_id)

    async def rewritten(self, rewrite_id: UUID) -> Rewritten | None:
        """Return a rewrite."""
        row = await self._database.fetchrow(self._sql["rewritten"], rewrite_id)
        return Rewritten(**dict(row)) if row else None

    async def made(self, request: str) -> Made | None:
        """Return the image that was made for this request before, if it is still kept."""
        row = await self._database.fetchrow(self._sql["made"], request)
        return Made(**dict(row)) if row else None

    def add(self, job: Job, illustration: Illustration) -> None:
        """Write an illustration with the job's result."""
        job.write(self._sql["add"], row_of(illustration))


def row_of(illustration: Illustration) -> dict[str, Any]:
    """Return the columns of `illustrations` as JSON values."""
    wanted, drawn = illustration.wanted, illustration.drawn
    return {
        "id": illustration.request,
        "post_id": str(wanted.post_id),
        "rewrite_id": str(wanted.rewrite_id) if wanted.rewrite_id else None,
        "prompt": storable(illustration.prompt),
        "model": illustration.model,
        "size": illustration.size,
        "status": "generated" if illustration.image else "failed",
        "hash": illustration.image,
        "reason": None if illustration.reason is None else storable(illustration.reason),
        "attempts": illustration.attempt,
        "input_tokens": drawn.input_tokens if drawn else 0,
        "output_tokens": drawn.output_tokens if drawn else 0,
        "cost_usd": round(drawn.cost_usd, 6) if drawn else 0,
        "duration_ms": round(drawn.seconds * 1000) if drawn else 0,
    }
