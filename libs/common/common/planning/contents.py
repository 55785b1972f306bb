"""Contents: posts that the model writes from a brief. The brief is kept as a post, and what is published is a rewrite
of it; so all that holds for posts holds for contents.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from opentelemetry import trace

from common.events import ContentRequested, derive
from common.messaging.within import Emitting
from common.postgres import Connection, Database, Queries
from common.telegram.markdown import from_markdown

Store = Callable[[Connection], Awaitable[None]]


class NoSuchContent(Exception):
    """There is no content with this id."""


class NoSuchProfile(Exception):
    """There is no profile of this name or id."""


class ContentInUse(Exception):
    """The content is scheduled, or is being published."""


@dataclass(frozen=True, slots=True)
class Brief:
    """What a post is to be written from; `description` is Telegram markdown, `profile` a name or an id."""

    title: str
    description: str = ""
    profile: str | None = None
    illustrate: bool = False


@dataclass(frozen=True, slots=True)
class Content:
    """A content, and what was written of it. `text` is None until then; `headline` is the model's title for it.

    `status` is requested, created or failed, for the `reason`; one that is created may still await its image.
    """

    id: UUID
    post_id: UUID
    title: str
    description: str
    profile_id: UUID | None
    illustrate: bool
    rule_id: UUID | None
    created_by: str
    created_at: datetime
    status: str
    reason: str | None
    awaits_image: bool
    rewrite_id: UUID | None
    headline: str
    text: str | None
    entities: list[dict[str, Any]] | None
    hashtags: list[str]
    language: str
    edited_by: str | None
    edited_at: datetime | None
    image: str | None


@dataclass(frozen=True, slots=True)
class Requested:
    """A content that was asked for."""

    id: UUID
    post_id: UUID


class Contents:
    """The contents, and what people and rules do with them. `consumer` is whose events these are in the outbox."""

    def __init__(self, database: Database, rails: Emitting, *, consumer: str) -> None:
        self._database = database
        self._rails = rails
        self._consumer = consumer
        self._sql = Queries.load("common", "contents.sql")

    async def request(self, brief: Brief, *, by: str, rule_id: UUID | None = None) -> Requested:
        """Ask for a post from a brief: its records and the request are one transaction. Raises NoSuchProfile."""
        asked = _new(uuid4())
        store = await self._store(asked, brief, by, rule_id)
        event = ContentRequested(content_id=asked.id, post_id=asked.post_id)
        await self._rails.tell([event], consumer=self._consumer, cause=f"content/{asked.id}", store=store)
        return asked

    async def keep(self, brief: Brief, *, by: str) -> Requested:
        """Add a content that a person writes: nobody is asked for it."""
        kept = _new(uuid4())
        store = await self._store(kept, brief, by, None)
        async with self._database.transaction() as connection:
            await store(connection)
        return kept

    async def get(self, content_id: UUID) -> Content:
        """Return a content. Raises NoSuchContent, also for one that was deleted."""
        row = await self._database.fetchrow(self._sql["get"], content_id)
        if row is None:
            raise NoSuchContent(f"there is no content {content_id}")
        return Content(**dict(row))

    async def delete(self, content_id: UUID) -> None:
        """Delete a content that is neither scheduled nor being published. Raises NoSuchContent, ContentInUse."""
        async with self._database.transaction() as connection:
            post_id = await connection.fetchval(self._sql["lock"], content_id)
            if post_id is None:
                raise NoSuchContent(f"there is no content {content_id}")
            use = await connection.fetchrow(self._sql["in_use"], post_id)
            assert use
            if use["scheduled"]:
                raise ContentInUse(f"content {content_id} is scheduled: call that off first")
            if use["publishing"]:
                raise ContentInUse(f"content {content_id} is being published")
            await connection.execute(self._sql["delete"], content_id)

    async def check(self, brief: Brief) -> None:
        """Raise NoSuchProfile where a brief names none that exists."""
        if brief.profile:
            await self._profile(brief.profile)

    async def wake(self, post_id: UUID) -> None:
        """Let scheduled posts go on that wait for a content which a person has written now."""
        await self._database.execute(self._sql["wake"], post_id)

    async def _store(self, asked: Requested, brief: Brief, by: str, rule_id: UUID | None) -> Store:
        post = _post_of(asked, brief)
        profile_id = await self._profile(brief.profile) if brief.profile else None

        async def store(connection: Connection) -> None:
            await connection.execute(self._sql["bring"], [post])
            await connection.execute(
                self._sql["add"],
                asked.id,
                asked.post_id,
                brief.title,
                brief.description,
                profile_id,
                brief.illustrate,
                rule_id,
                by,
            )

        return store

    async def _profile(self, named: str) -> UUID:
        row = await self._database.fetchrow(self._sql["profile"], named)
        if row is None:
            raise NoSuchProfile(f"there is no profile {named!r}")
        found: UUID = row["id"]
        return found


def statements() -> Mapping[str, str]:
    """Return the statements, for who shows pages of contents."""
    return Queries.load("common", "contents.sql")


def _new(content_id: UUID) -> Requested:
    return Requested(content_id, derive("post", "content", content_id))


def _post_of(asked: Requested, brief: Brief) -> dict[str, Any]:
    body = from_markdown(brief.description)
    span = trace.get_current_span().get_span_context()
    return {
        "id": str(asked.post_id),
        "external_id": str(asked.id),
        "title": brief.title,
        "text": body.text,
        "entities": body.to_json().get("entities", []),
        "trace_id": f"{span.trace_id:032x}" if span.is_valid else None,
    }
