"""Contents: posts that the model writes from a brief."""

import asyncio
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query
from pydantic import Field, StringConstraints
from starlette.responses import JSONResponse, Response

from api.edit import EditedText, checked
from api.http import etags
from api.http.calls import CONSUMER, Call, Calling
from api.http.paging import Page, Paged
from api.http.problems import Problem
from api.http.routes import resource
from api.http.values import Answer, Given, Name, Prose, Utc, Words
from api.statements import statement
from common.planning.contents import Brief, Contents, NoSuchProfile, statements
from common.telegram.entities import Entity

router = resource("content")

Status = Literal["requested", "created", "failed"]
LONGEST_WAIT_SECONDS = 25.0
FIRST_LOOK_SECONDS, LATEST_LOOK_SECONDS = 0.05, 0.5


class NewContent(Given):
    """What a post is to be written from."""

    title: Name
    description: Prose = Field(default="", description="Telegram markdown; what the post is to say")
    profile: Words | None = Field(default=None, description="name or id; how it is to be written")
    illustrate: bool = Field(default=False, description="have an image made for it")
    text: Annotated[str, StringConstraints(min_length=1, max_length=20_000)] | None = Field(
        default=None, description="Telegram markdown; what is published: the model is not asked, for no image either"
    )


class ContentSummary(Answer):
    """A content in a list."""

    id: UUID
    post_id: UUID
    title: str
    illustrate: bool
    rule_id: UUID | None
    status: Literal["requested", "created", "failed", "deleted"]
    reason: str | None = Field(description="why it failed")
    awaits_image: bool = Field(description="it is written, and its image is not made yet")
    created_by: str
    created_at: Utc


class Content(ContentSummary):
    """A content, and what was written of it."""

    description: str
    profile_id: UUID | None
    rewrite_id: UUID | None
    headline: str
    text: str | None = Field(description="what is published; null: it is not written yet")
    entities: list[Entity] | None
    hashtags: list[str]
    language: str
    image: str | None = Field(description="the hash of its image")
    edited_by: str | None
    edited_at: Utc | None


@router.post(
    "/create", status_code=202, responses={200: {"model": Content, "description": "It was written, or failed, in time"}}
)
async def create_content(
    given: NewContent,
    call: Calling,
    wait: Annotated[
        float | None,
        Query(ge=0, le=LONGEST_WAIT_SECONDS, description="seconds to wait for it: then it is a 200 once it is written"),
    ] = None,
) -> Content:
    """Have a post written from a brief, or add one that is written."""
    brief = Brief(**given.model_dump(exclude={"text"}))
    if given.text is not None:
        return await _keep(call, brief, given.text)
    try:
        asked = await _contents(call).request(brief, by=call.actor)
    except NoSuchProfile as error:
        where = {"in": "body", "pointer": "/profile", "detail": str(error)}
        raise Problem("invalid", str(error), errors=[where]) from None
    call.path = call.path.removesuffix("/create")
    call.created(asked.id)
    if wait:
        call.afterwards = lambda: _written(call, asked.id, wait)
    return call.tagged(await _read(call, asked.id))


@router.get("")
async def list_contents(
    page: Paged, status: Status | Literal["deleted"] | None = None, rule_id: UUID | None = None
) -> Page[ContentSummary]:
    """List contents; deleted ones only where these are asked for."""
    return await page.of(ContentSummary, statements()["list"], status, rule_id)


@router.get("/{content_id}")
async def get_content(content_id: UUID, call: Calling) -> Content:
    """Read a content."""
    return call.tagged(await _read(call, content_id))


@router.patch("/{content_id}")
async def edit_content(content_id: UUID, change: EditedText, call: Calling) -> Content:
    """Write another text in place of the model's. It holds for what is published from now on."""
    await call.alone_with("content", content_id)
    current = await _read(call, content_id)
    call.changing(current)
    body, rewrite_id = await checked(call.database, current.post_id, change)
    entities = body.to_json().get("entities", [])
    edit = current.post_id, rewrite_id, change.title, body.text, entities, call.actor
    await call.database.execute(statement("posts", "add_edit"), *edit)
    await _contents(call).wake(current.post_id)
    return await get_content(content_id, call)


@router.delete("/{content_id}", status_code=204)
async def delete_content(content_id: UUID, call: Calling) -> None:
    """Delete a content that is neither scheduled nor being published."""
    await call.alone_with("content", content_id)
    call.changing(await _read(call, content_id))
    await _contents(call).delete(content_id)


async def _keep(call: Call, brief: Brief, text: str) -> Content:
    if brief.illustrate or brief.profile:
        field = "illustrate" if brief.illustrate else "profile"
        detail = "it is for what the model writes, and there is a text"
        raise Problem("invalid", detail, errors=[{"in": "body", "pointer": f"/{field}", "detail": detail}])
    kept = await _contents(call).keep(brief, by=call.actor)
    body, _ = await checked(call.database, kept.post_id, EditedText(text=text))
    entities = body.to_json().get("entities", [])
    edit = kept.post_id, None, brief.title, body.text, entities, call.actor
    await call.database.execute(statement("posts", "add_edit"), *edit)
    call.path = call.path.removesuffix("/create")
    call.created(kept.id)
    return call.tagged(await _read(call, kept.id))


def _contents(call: Call) -> Contents:
    return Contents(call.database, call.rails, consumer=CONSUMER)


async def _read(call: Call, content_id: UUID) -> Content:
    found = await _contents(call).get(content_id)
    return Content.model_validate(found, from_attributes=True)


async def _written(call: Call, content_id: UUID, seconds: float) -> Response | None:
    """Wait until a content is written or has failed, and answer it; None where it takes longer."""
    contents = Contents(call.system.database, call.system.rails, consumer=CONSUMER)
    pause = FIRST_LOOK_SECONDS
    try:
        async with asyncio.timeout(seconds):
            while (found := await contents.get(content_id)).status == "requested":
                await asyncio.sleep(pause)
                pause = min(LATEST_LOOK_SECONDS, 1.5 * pause)
    except TimeoutError:
        return None
    answer = Content.model_validate(found, from_attributes=True)
    call.headers["ETag"] = etags.etag_of(answer)
    return JSONResponse(answer.model_dump(mode="json"))
