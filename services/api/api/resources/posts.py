"""Posts: what came in, and what became of it."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query
from pydantic import Field

from api.edit import EditedText, checked
from api.http.calls import Call, Calling, found
from api.http.paging import Page, Paged
from api.http.routes import resource
from api.http.values import Answer, Moment, Utc, Words
from api.resources import post_history as history
from api.statements import statement
from common.telegram.entities import Entity

router = resource("posts")

State = Literal["pending", "scheduled", "published", "awaiting", "rejected", "duplicate", "cancelled", "dead"]


class PostSummary(Answer):
    """A post in a list."""

    id: UUID
    source_id: UUID | None
    external_id: str
    url: str | None
    title: str
    excerpt: str = Field(description="the first 300 characters")
    state: str
    posted_at: Utc | None
    collected_at: Utc
    duplicate_of: UUID | None
    trace_id: str | None


class Post(Answer):
    """A post with its full history."""

    id: UUID
    source_id: UUID | None
    external_id: str
    revision: int
    url: str | None
    title: str
    text: str
    entities: list[Entity]
    state: str
    posted_at: Utc | None
    collected_at: Utc
    duplicate_of: UUID | None
    trace_id: str | None
    media: list[history.Medium]
    images: list[history.AttachedImage]
    illustrations: list[history.Illustration]
    rewrites: list[history.Rewrite]
    edits: list[history.Edit]
    routings: list[history.Routing]
    jobs: list[history.PostJob]
    scheduled: list[history.Scheduled]
    packages: list[history.Package]
    publications: list[history.Publication]
    broadcasts: list[history.PostBroadcast]
    notifications: list[history.PostNotification]


@router.get("")
async def list_posts(
    page: Paged,
    state: State | None = None,
    source_id: UUID | None = None,
    q: Annotated[Words | None, Query(description='words; "a phrase", or, -not')] = None,
    since: Annotated[Moment | None, Query(description="collected at this time or later")] = None,
    until: Annotated[Moment | None, Query(description="collected before this time")] = None,
) -> Page[PostSummary]:
    """List posts."""
    filters = (source_id, q, since, until)
    if state is None:
        return await page.of(PostSummary, statement("posts", "list_posts"), *filters)
    return await page.of(PostSummary, statement("posts", "list_posts_in_state"), *filters, state)


@router.get("/{post_id}")
async def get_post(post_id: UUID, call: Calling) -> Post:
    """Read a post with everything that became of it."""
    return call.tagged(await read_post(call, post_id))


@router.patch("/{post_id}")
async def edit_post(post_id: UUID, change: EditedText, call: Calling) -> Post:
    """Write another text in place of the post's, or of a rewrite's. It holds for what is published from now on."""
    await call.alone_with("post", post_id)
    current = await read_post(call, post_id)
    call.changing(current)
    body, rewrite_id = await checked(call.database, post_id, change)
    entities = body.to_json().get("entities", [])
    await call.database.execute(
        statement("posts", "add_edit"), post_id, rewrite_id, change.title, body.text, entities, call.actor
    )
    return await get_post(post_id, call)


async def read_post(call: Call, post_id: UUID) -> Post:
    """Return a post. Raises a problem where there is none."""
    row = await call.database.fetchrow(statement("posts", "get_post"), post_id)
    return found(Post(**dict(row)) if row else None, "post")
