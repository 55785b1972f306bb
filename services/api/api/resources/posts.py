"""Posts: what came in, and what became of it."""

import json
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import Field

from api.edit import EditedText, checked
from api.http.calls import Call, Calling, found
from api.http.paging import Page, Paged
from api.http.routes import resource
from api.http.values import Answer, Moment, Utc, Words
from api.post_filter import STATES, PostFilter, State
from api.resources import post_history as history
from api.statements import statement
from common.telegram.entities import Entity

router = resource("posts")

Most = Annotated[int, Query(ge=1, le=10_000, description="to which number it counts")]


class PostSummary(Answer):
    """A post in a list."""

    id: UUID
    source_id: UUID | None
    source: str | None = Field(description="the title of its source, or the address; null of an own post")
    external_id: str
    url: str | None
    title: str
    excerpt: str = Field(description="the first 300 characters")
    state: str
    posted_at: Utc | None
    collected_at: Utc
    duplicate_of: UUID | None
    trace_id: str | None
    networks: list[str] = Field(description="where it is published, planned or routed to: telegram, x, …")
    has_image: bool


class PostCounts(Answer):
    """How many posts there are. A number that is `most` may be more."""

    most: int
    all: int
    states: dict[State, int]


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
    call: Calling,
    state: State | None = None,
    source_id: UUID | None = None,
    target: Annotated[
        str | None, Query(min_length=1, max_length=300, description="published or planned there: telegram:@channel")
    ] = None,
    q: Annotated[Words | None, Query(description='words; "a phrase", or, -not')] = None,
    begun: Annotated[bool, Query(description="the last word of `q` may be only the beginning of one")] = False,
    since: Annotated[Moment | None, Query(description="collected at this time or later")] = None,
    until: Annotated[Moment | None, Query(description="collected before this time")] = None,
) -> Page[PostSummary]:
    """List posts."""
    wanted = PostFilter(state, source_id, target, q, since, until, begun)
    sql, filters = wanted.listing(with_words=await _with_words(call, wanted) if q else 0)
    return await page.of(PostSummary, sql, *filters)


@router.get("/counts")
async def count_posts(call: Calling, most: Most = 1000) -> PostCounts:
    """Count posts by state, up to a number."""
    rows = await call.database.fetch(statement("post_lists", "counts"), most, list(STATES))
    found = {row["state"]: row["posts"] for row in rows}
    return PostCounts(most=most, all=found.pop("all"), states={state: found.get(state, 0) for state in STATES})


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


async def _with_words(call: Call, wanted: PostFilter) -> int:
    """Return about how many posts have the words that are searched for."""
    sql, words = wanted.estimate()
    plan = await call.database.fetchrow(sql, *words)
    return int(json.loads(plan[0])[0]["Plan"]["Plan Rows"]) if plan else 0
