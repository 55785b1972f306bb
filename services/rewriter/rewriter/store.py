"""The rewriter's records: what it reads, and the rewrites that it writes."""

from collections.abc import Sequence
from typing import Any, Protocol
from uuid import UUID

from common.catalog import Catalog, Profile, Route, Source
from common.messaging import Job
from common.postgres import Database, Queries
from common.posts import Post, Posts
from common.telegram.utf16 import storable
from common.trials import TrialRun, run_of
from common.trials import statements as trial_statements
from rewriter.asking import Asked
from rewriter.memory import Remembered
from rewriter.ports import Content, RecentPost


class Written(Protocol):
    """What the model made of a post for a route, or of a brief."""

    @property
    def id(self) -> UUID:
        """Its id, which the same request always gives."""

    @property
    def post_id(self) -> UUID:
        """The post that it is of."""

    @property
    def route_id(self) -> UUID | None:
        """The route that it is for; None where it was written from a brief."""

    @property
    def profile_id(self) -> UUID | None:
        """How it was written."""

    @property
    def asked(self) -> Asked:
        """What the model said."""


class Store:
    """Reads posts and the catalog, the latter through a memory of `seconds`; writes rewrites with a job's result."""

    def __init__(self, database: Database, *, recent_posts: int, seconds: float) -> None:
        catalog = Catalog(database)
        self._catalog = catalog
        self._database = database
        self._posts = Posts(database)
        self._recent_posts = recent_posts
        self._sql = Queries.load(__package__, "rewriter.sql")
        self._source = Remembered(catalog.source, seconds)
        self._routes_of = Remembered(catalog.routes_of, seconds)
        self._profile = Remembered(catalog.profile, seconds)
        self._recent = Remembered(self._read_recent, seconds)

    async def post(self, post_id: UUID) -> Post | None:
        """Return a post."""
        return await self._posts.get(post_id)

    async def has_picture(self, post_id: UUID) -> bool:
        """Return whether a post brought along a photo, video or animation that can be published."""
        return await self._database.fetchrow(self._sql["picture"], post_id) is not None

    async def source(self, source_id: UUID) -> Source | None:
        """Return a source."""
        return await self._source(source_id)

    async def route(self, route_id: UUID) -> Route | None:
        """Return one route, enabled or not."""
        return await self._catalog.route(route_id)

    async def has_image(self, post_id: UUID, rewrite_id: UUID) -> bool:
        """Return whether an image was made for a rewrite, or for its post."""
        return await self._database.fetchrow(self._sql["image"], post_id, f"rewrite/{rewrite_id}") is not None

    async def routes_of(self, source_id: UUID | None) -> Sequence[Route]:
        """Return the enabled routes of a source."""
        return await self._routes_of(source_id)

    async def profile(self, profile_id: UUID) -> Profile | None:
        """Return a profile."""
        return await self._profile(profile_id)

    async def content(self, content_id: UUID) -> Content | None:
        """Return a content."""
        row = await self._database.fetchrow(self._sql["content"], content_id)
        return Content(**dict(row)) if row else None

    async def trial_run(self, trial_id: UUID, number: int) -> TrialRun | None:
        """Return a run of a trial."""
        return await run_of(self._database, trial_id, number)

    async def recent(self, targets: tuple[str, ...]) -> Sequence[RecentPost]:
        """Return what was rewritten last for any of these targets, the latest first, and one more than is shown."""
        return await self._recent(targets)

    def add(self, job: Job, rewrite: Written) -> None:
        """Write a rewrite with the job's result."""
        job.write(self._sql["add_rewrite"], row_of(rewrite))

    def end(self, job: Job, run: dict[str, Any]) -> None:
        """Write what came of a run of a trial, given as JSON values, with the job's result."""
        job.write(trial_statements()["end"], run)

    def keep_image(self, job: Job, post_id: UUID, earlier: UUID, rewrite_id: UUID) -> None:
        """Give a rewrite the image of an earlier one, if that had one, with the job's result."""
        job.write(self._sql["keep_image"], post_id, str(earlier), str(rewrite_id))

    def hold(self, job: Job, post_id: UUID, route_id: UUID, reason: str) -> None:
        """Let a post await approval again as it was, with the job's result: there is no other rewrite."""
        job.write(self._sql["hold"], post_id, route_id, storable(reason))

    async def _read_recent(self, targets: tuple[str, ...]) -> list[RecentPost]:
        rows = await self._database.fetch(self._sql["recent"], list(targets), self._recent_posts + 1)
        return [RecentPost(row["post_id"], row["title"], row["opening"]) for row in rows]


def row_of(rewrite: Written) -> dict[str, Any]:
    """Return the columns of `rewrites` as JSON values."""
    asked, answer = rewrite.asked, rewrite.asked.answer
    return {
        "id": str(rewrite.id),
        "post_id": str(rewrite.post_id),
        "route_id": str(rewrite.route_id) if rewrite.route_id else None,
        "profile_id": str(rewrite.profile_id) if rewrite.profile_id else None,
        "profile_version": asked.profile_version,
        "remark": storable(asked.remark),
        "status": "succeeded" if asked.refusal is None else "refused",
        "reason": None if asked.refusal is None else storable(asked.refusal),
        "title": answer.title if answer else "",
        "text": asked.body.text,
        "entities": asked.body.to_json().get("entities", []),
        "hashtags": list(answer.hashtags) if answer else [],
        "language": answer.language if answer else "",
        "image_prompt": answer.image_prompt if answer else "",
        "model": asked.model,
        "request": asked.request,
        "answer": _storable({**asked.reply, "rejected": asked.rejected}),
        "prompt_tokens": asked.prompt_tokens,
        "completion_tokens": asked.completion_tokens,
        "cost_usd": round(asked.cost_usd, 6),
        "duration_ms": round(asked.seconds * 1000),
    }


def _storable(value: Any) -> Any:
    """Return what a model said as jsonb takes it: JSON strings may hold NUL and lone surrogates, jsonb may not."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {key: _storable(item) for key, item in value.items()}
    return [_storable(item) for item in value] if isinstance(value, list) else value
