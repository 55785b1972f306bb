"""Broadcasts: one post, or a text, to many chats as a user account."""

from collections.abc import Sequence
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
ChatState = Literal["waiting", "sending", "retry", "sent", "refused", "skipped", "unknown"]


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
    subject: str = Field(default="", description="what it sends, in a few words")
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
    done: int = Field(description="chats that it is through with")
    total: int | None = Field(description="null: its chats are not fixed yet")
    ends_at: Utc | None = Field(description="estimated from its pace")


class ChatOutcome(Answer):
    """What came of one chat so far."""

    chat: str
    outcome: str | None
    attempts: int
    error: str | None
    message_ids: list[int]
    at: Utc | None


class BroadcastChat(Answer):
    """A chat of a broadcast."""

    chat: str
    title: str
    state: ChatState
    attempts: int
    error: str | None
    message_ids: list[int]
    urls: list[str] = Field(default=[], description="of its messages, for those who may see them")
    at: Utc | None
    flag: str | None = Field(description="what stands in the way of the chat now")


class Broadcast(BroadcastSummary):
    """A broadcast with its progress, chat by chat."""

    attempts: int
    left: int | None
    states: dict[ChatState, int] = Field(default={}, description="how many chats are in which state")
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


@router.get("/{broadcast_id}/chats")
async def list_broadcast_chats(
    page: Paged, call: Calling, broadcast_id: UUID, state: ChatState | None = None
) -> Page[BroadcastChat]:
    """List the chats of a broadcast, in its order."""
    await _broadcasts(call).get(broadcast_id)
    found = await page.of(BroadcastChat, statement("broadcasts", "list_chats"), broadcast_id, state)
    items = [each.model_copy(update={"urls": _urls(each.chat, each.message_ids)}) for each in found.items]
    return found.model_copy(update={"items": items})


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
    values = {name: getattr(broadcast, name) for name in Broadcast.model_fields if hasattr(broadcast, name)}
    row = await call.database.fetchrow(statement("broadcasts", "subject"), broadcast_id)
    states = await call.database.fetch(statement("broadcasts", "states"), broadcast_id)
    chats = [ChatOutcome.model_validate(each, from_attributes=True) for each in await broadcasts.chats(broadcast_id)]
    return Broadcast(
        **values,
        subject=row["subject"] if row else "",
        states={each["state"]: each["chats"] for each in states},
        chats=chats,
    )


def _urls(chat: str, message_ids: Sequence[int]) -> list[str]:
    """Return links to messages, https://core.telegram.org/api/links#message-links; a basic group has none."""
    if chat.startswith("@"):
        return [f"https://t.me/{chat[1:]}/{each}" for each in message_ids]
    return [f"https://t.me/c/{chat[4:]}/{each}" for each in message_ids] if chat.startswith("-100") else []
