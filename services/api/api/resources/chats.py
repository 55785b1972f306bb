"""Chats: where posts are broadcast to."""

from typing import Annotated

from fastapi import Path
from pydantic import Field, StringConstraints

from api.http.calls import Call, Calling, found
from api.http.paging import Page, Paged
from api.http.routes import resource
from api.http.values import INT4, Answer, Change, Line, Utc
from api.statements import statement
from common.chats import ChatEntry, Chats
from common.telegram.addresses import checked

router = resource("chats")

Address = Annotated[str, Path(max_length=100, description="@name, or a marked id such as -1001234567890")]


class ChatValues(Change):
    """What people say of a chat; what is left out stays, or is the default."""

    title: Line = ""
    min_messages_between: int = Field(default=0, ge=0, le=INT4, description="messages of others between two of ours")
    enabled: bool = True


class NewChat(ChatValues):
    """A chat."""

    address: Annotated[str, StringConstraints(min_length=1, max_length=100)]


class Chat(Answer):
    """A chat, with what the userbot has learnt of it."""

    address: str
    title: str
    enabled: bool
    min_messages_between: int
    peer_id: int | None
    last_success_post_at: Utc | None
    messages_since_post: int
    flag: str | None = Field(description="what stands in the way: forbidden, banned, private, migrated, missing")
    flag_reason: str | None
    flagged_at: Utc | None
    created_at: Utc


@router.get("")
async def list_chats(page: Paged, enabled: bool | None = None, flagged: bool | None = None) -> Page[Chat]:
    """List chats."""
    return await page.of(Chat, statement("records", "list_chats"), enabled, flagged)


@router.post("", status_code=201)
async def put_chat(given: NewChat, call: Calling) -> Chat:
    """Add a chat, or update it."""
    address = checked(given.address)
    call.created(address)
    return await _put(call, address, given)


@router.get("/{address}")
async def get_chat(address: Address, call: Calling) -> Chat:
    """Read a chat."""
    return call.tagged(await _chat(call, address))


@router.patch("/{address}")
async def change_chat(address: Address, change: ChatValues, call: Calling) -> Chat:
    """Change a chat: what is left out stays."""
    await call.alone_with("chat", address)
    current = await _chat(call, address)
    call.changing(current)
    return await _put(call, current.address, change)


async def _put(call: Call, address: str, given: ChatValues) -> Chat:
    await Chats(call.database).put([ChatEntry(address, **given.model_dump(exclude_unset=True, exclude={"address"}))])
    return await get_chat(address, call)


async def _chat(call: Call, address: str) -> Chat:
    row = await call.database.fetchrow(statement("records", "get_chat"), address)
    return found(Chat(**dict(row)) if row else None, "chat")
