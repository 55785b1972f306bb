"""Broadcasts: one post, or a text, to many chats as a user account."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints, ValidationError

from api.http.calls import Call, Calling
from api.http.paging import Page, Paged
from api.http.problems import Problem
from api.http.routes import resource
from api.http.values import Answer, Given, Moment, Utc
from api.statements import statement
from common.broadcasts import Broadcasts
from common.events import BroadcastRequested
from common.telegram.addresses import checked

router = resource("broadcasts")

Status = Literal["pending", "processing", "done", "failed", "cancelled"]


class NewBroadcast(Given):
    """What is to be sent: a post, or a text."""

    post_id: UUID | None = None
    text: Annotated[str, StringConstraints(min_length=1, max_length=20_000)] | None = Field(
        default=None, description="Telegram markdown; in place of a post"
    )
    target_chat_ids: Annotated[list[Annotated[str, StringConstraints(max_length=100)]], Field(max_length=1000)] = Field(
        default=[], description="@names or marked ids; empty: TARGET_CHAT_IDS of the worker"
    )
    forward: bool = Field(default=False, description="forward the published message instead of sending a copy")
    account: Annotated[str, StringConstraints(max_length=100)] | None = None
    not_before: Moment | None = None


class BroadcastSummary(Answer):
    """A broadcast in a list."""

    id: UUID
    post_id: UUID | None
    text: str | None
    forward: bool
    account: str | None
    status: str
    sent_count: int
    error_count: int
    skipped_count: int
    last_error: str | None
    not_before: Utc
    paused_at: Utc | None
    cancel_requested_at: Utc | None
    created_at: Utc
    started_at: Utc | None
    finished_at: Utc | None


class ChatOutcome(Answer):
    """What came of one chat so far."""

    chat: str
    outcome: str | None
    attempts: int
    error: str | None
    message_ids: list[int]
    at: Utc | None


class Broadcast(BroadcastSummary):
    """A broadcast with its progress, chat by chat."""

    attempts: int
    done: int
    total: int | None
    left: int | None
    ends_at: Utc | None = Field(description="estimated from its pace")
    paused_by: str | None
    cancelled_by: str | None
    stopped_reason: str | None
    chats: list[ChatOutcome]


class Requested(Answer):
    """A broadcast that was asked for; it can be read under this id in a moment."""

    id: UUID


@router.get("")
async def list_broadcasts(
    page: Paged, status: Status | None = None, post_id: UUID | None = None
) -> Page[BroadcastSummary]:
    """List broadcasts."""
    return await page.of(BroadcastSummary, statement("broadcasts", "list_broadcasts"), status, post_id)


@router.post("", status_code=202)
async def request_broadcast(given: NewBroadcast, call: Calling) -> Requested:
    """Ask for a broadcast."""
    chats = tuple(checked(chat) for chat in given.target_chat_ids)
    try:
        event = BroadcastRequested(**given.model_dump() | {"target_chat_ids": chats})
    except ValidationError as error:
        detail = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise Problem("invalid", detail, errors=[{"in": "body", "pointer": "", "detail": detail}]) from None
    if given.post_id and not await call.database.fetchrow(statement("posts", "editable"), given.post_id, None):
        raise Problem("invalid", f"there is no post {given.post_id}")
    broadcast_id = await _broadcasts(call).request(event)
    call.created(broadcast_id)
    return Requested(id=broadcast_id)


@router.get("/{broadcast_id}")
async def get_broadcast(broadcast_id: UUID, call: Calling) -> Broadcast:
    """Read a broadcast."""
    return call.tagged(await _read(call, broadcast_id))


@router.post("/{broadcast_id}/pause")
async def pause_broadcast(broadcast_id: UUID, call: Calling) -> Broadcast:
    """Let a broadcast stand still after the chat that is under way."""
    call.before = await _read(call, broadcast_id)
    await _broadcasts(call).pause(broadcast_id, call.actor)
    return await get_broadcast(broadcast_id, call)


@router.post("/{broadcast_id}/resume")
async def resume_broadcast(broadcast_id: UUID, call: Calling) -> Broadcast:
    """Let a paused broadcast go on."""
    call.before = await _read(call, broadcast_id)
    await _broadcasts(call).resume(broadcast_id)
    return await get_broadcast(broadcast_id, call)


@router.post("/{broadcast_id}/cancel")
async def cancel_broadcast(broadcast_id: UUID, call: Calling) -> Broadcast:
    """End a broadcast, after the chat that is under way."""
    call.before = await _read(call, broadcast_id)
    await _broadcasts(call).cancel(broadcast_id, call.actor)
    return await get_broadcast(broadcast_id, call)


def _broadcasts(call: Call) -> Broadcasts:
    return Broadcasts(call.database, call.rails)


async def _read(call: Call, broadcast_id: UUID) -> Broadcast:
    broadcasts = _broadcasts(call)
    broadcast = await broadcasts.get(broadcast_id)
    values = {name: getattr(broadcast, name) for name in Broadcast.model_fields if name != "chats"}
    chats = [ChatOutcome.model_validate(each, from_attributes=True) for each in await broadcasts.chats(broadcast_id)]
    return Broadcast(**values, chats=chats)
