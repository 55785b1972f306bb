"""Scheduled posts: what is to be published when, and where."""

from contextlib import AbstractContextManager
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query
from pydantic import Field, StringConstraints

from api.http.calls import Call, Calling
from api.http.paging import Page, Paged
from api.http.routes import resource
from api.http.values import EARLIEST, Answer, Change, Given, Moment, Utc
from api.statements import statement
from common.planning.scheduled import Order, ScheduledPosts
from common.planning.targets import platform_named, target_of
from common.telegram.entities import Entity
from common.telemetry.propagation import resumed_trace

router = resource("scheduled-posts")

Status = Literal["scheduled", "publishing", "published", "failed", "cancelled"]
Platform = Annotated[str, StringConstraints(min_length=1, max_length=300)]
PLATFORM = "telegram, instagram or x; without a target its default destination is meant"
TARGET = "platform:address, or only the address of the platform"
CUT = "let a text that is too long be cut; false: it is refused, with its length"


class NewScheduledPost(Given):
    """What is to be published, when, and where."""

    post_id: UUID | None = None
    content_id: UUID | None = Field(default=None, description="in place of a post; it may still be being written")
    platform: Platform | None = Field(default=None, description=PLATFORM)
    target: Platform | None = Field(default=None, description=TARGET)
    scheduled_time: Moment = Field(description="RFC 3339 with a zone; not more than a minute ago")
    rewrite_id: UUID | None = Field(default=None, description="left out: the newest when it is due")
    cut: bool = Field(default=False, description=CUT)


class ScheduledPostChange(Change):
    """What is to be different."""

    scheduled_time: Moment = EARLIEST
    platform: Platform = Field(default="", description=PLATFORM)
    target: Platform = Field(default="", description=TARGET)
    rewrite_id: UUID | None = None
    cut: bool = Field(default=False, description=CUT)


class ScheduledPost(Answer):
    """A scheduled post."""

    id: UUID
    post_id: UUID
    content_id: UUID | None
    rewrite_id: UUID | None
    route_id: UUID | None
    rule_id: UUID | None
    platform: str
    target: str
    scheduled_time: Utc
    status: Status
    due_at: Utc = Field(description="the scheduled time, or when it is tried again")
    attempts: int = Field(description="publish requests that failed")
    request_id: str | None = Field(description="of the last publish request; a package of the post")
    message_ids: list[int]
    url: str | None
    last_error: str | None
    version: int
    created_by: str
    created_at: Utc
    updated_at: Utc
    published_at: Utc | None


class Preview(Answer):
    """What a platform would get, measured as it measures."""

    target: str
    post_id: UUID
    content_id: UUID | None
    rewrite_id: UUID | None
    text: str | None = Field(description="null: the content is not written yet")
    entities: list[Entity]
    media: int
    count: int | None = Field(description="in the platform's units")
    limit: int | None
    fits: bool | None
    note: str


@router.get("")
async def list_scheduled_posts(
    page: Paged,
    status: Status | None = None,
    platform: Annotated[Platform | None, Query()] = None,
    target: Annotated[Platform | None, Query()] = None,
    since: Annotated[Moment | None, Query(alias="from", description="due at this time or later")] = None,
    until: Annotated[Moment | None, Query(alias="to", description="due before this time")] = None,
    post_id: UUID | None = None,
    content_id: UUID | None = None,
    rule_id: UUID | None = None,
) -> Page[ScheduledPost]:
    """List scheduled posts."""
    where = platform_named(platform) if platform else None, target_of(target) if target else None
    filters = status, *where, since, until, post_id, content_id, rule_id
    return await page.of(ScheduledPost, statement("scheduled", "list_scheduled"), *filters)


@router.get("/preview")
async def preview_scheduled_post(
    call: Calling,
    post_id: UUID | None = None,
    content_id: UUID | None = None,
    platform: Annotated[Platform | None, Query(description=PLATFORM)] = None,
    target: Annotated[Platform | None, Query(description=TARGET)] = None,
    rewrite_id: UUID | None = None,
) -> Preview:
    """Show what a platform would get of a post, and whether it fits."""
    preview = await _scheduled(call).preview(post_id, content_id, platform, target, rewrite_id)
    material, fit = preview.material, preview.fit
    return Preview(
        target=preview.target,
        post_id=material.post_id,
        content_id=material.content_id,
        rewrite_id=material.rewrite_id,
        text=material.body.text if material.body else None,
        entities=list(material.body.entities) if material.body else [],
        media=len(material.media),
        count=fit.count if fit else None,
        limit=fit.limit if fit else None,
        fits=fit.fits if fit else None,
        note=fit.note if fit else "it is not written yet",
    )


@router.post("", status_code=201)
async def create_scheduled_post(given: NewScheduledPost, call: Calling) -> ScheduledPost:
    """Plan a post or a content."""
    scheduled_id = await _scheduled(call).plan(Order(**given.model_dump()), call.actor)
    call.created(scheduled_id)
    return await get_scheduled_post(scheduled_id, call)


@router.get("/{scheduled_id}")
async def get_scheduled_post(scheduled_id: UUID, call: Calling) -> ScheduledPost:
    """Read a scheduled post."""
    return call.tagged(await _read(call, scheduled_id))


@router.patch("/{scheduled_id}")
async def change_scheduled_post(scheduled_id: UUID, change: ScheduledPostChange, call: Calling) -> ScheduledPost:
    """Change a post that waits for its time: what is left out stays."""
    await _alone_with(call, scheduled_id)
    await _scheduled(call).change(scheduled_id, **change.model_dump(exclude_unset=True))
    return await get_scheduled_post(scheduled_id, call)


@router.delete("/{scheduled_id}")
async def cancel_scheduled_post(scheduled_id: UUID, call: Calling) -> ScheduledPost:
    """Call a post off that waits for its time, or put one aside that failed. It can still be read."""
    await _alone_with(call, scheduled_id)
    await _scheduled(call).cancel(scheduled_id, call.actor)
    return await get_scheduled_post(scheduled_id, call)


@router.post("/{scheduled_id}/retry")
async def retry_scheduled_post(scheduled_id: UUID, call: Calling) -> ScheduledPost:
    """Publish now what failed or was called off."""
    await _alone_with(call, scheduled_id)
    with await _resumed(call, scheduled_id, "retry"):
        await _scheduled(call).retry(scheduled_id)
    return await get_scheduled_post(scheduled_id, call)


@router.post("/{scheduled_id}/publish-now")
async def publish_scheduled_post_now(scheduled_id: UUID, call: Calling) -> ScheduledPost:
    """Publish now what waits for its time."""
    await _alone_with(call, scheduled_id)
    with await _resumed(call, scheduled_id, "publish now"):
        await _scheduled(call).publish_now(scheduled_id)
    return await get_scheduled_post(scheduled_id, call)


def _scheduled(call: Call) -> ScheduledPosts:
    return ScheduledPosts(call.database, images_made_for=call.system.images_made_for)


async def _alone_with(call: Call, scheduled_id: UUID) -> None:
    await call.alone_with("scheduled-post", scheduled_id)
    call.changing(await _read(call, scheduled_id))


async def _resumed(call: Call, scheduled_id: UUID, what: str) -> AbstractContextManager[None]:
    """Go on in the trace in which it was planned, and leave it this decision as what caused the rest."""
    row = await _scheduled(call).get(scheduled_id)
    return resumed_trace(row["traceparent"], what, call.system.tracer)


async def _read(call: Call, scheduled_id: UUID) -> ScheduledPost:
    return ScheduledPost(**dict(await _scheduled(call).get(scheduled_id)))
