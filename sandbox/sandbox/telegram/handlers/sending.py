"""How an account's messages are let through, or refused."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.telegram.chats import Chat
from sandbox.telegram.errors import RpcError
from sandbox.telegram.handlers.calls import Call
from sandbox.telegram.messages import Content, Message
from sandbox.telegram.people import User
from sandbox.telegram.wire import tl


@dataclass(frozen=True, slots=True)
class Draft:
    """A message to be sent once: `random_id` tells a repetition; `content` is composed when it may be sent."""

    random_id: int
    content: Callable[[], Content]


def send(call: Call, place: User | Chat, drafts: Sequence[Draft]) -> Any:
    """Send messages and answer with the author's updates.

    A `random_id` that was used before sends nothing: the answer has the original message and a pts_count of 0, or it is
    500 RANDOM_ID_DUPLICATE, as the world says. The refusals: https://core.telegram.org/method/messages.sendMessage
    """
    originals = {draft.random_id: _original(call, draft.random_id) for draft in drafts}
    fresh = [draft for draft in drafts if originals[draft.random_id] is None]
    if len(originals) < len(drafts) or (len(fresh) < len(drafts) and call.world.duplicates == "error"):
        raise RpcError(500, "RANDOM_ID_DUPLICATE")
    if fresh:
        check_may_send(call, place, len(fresh))
    contents = {draft.random_id: draft.content() for draft in fresh}

    updates: list[Any] = []
    changes = []
    concerned = {place.id}
    for draft in drafts:
        original = originals[draft.random_id]
        if original is None:
            sent = call.world.mail.send(call.user, place, contents[draft.random_id])
            changes += sent
            own, count = sent[0], 1
            call.world.mail.remember_random_id(call.user, draft.random_id, own)
        else:
            own, count = call.world.mail.arrival_of(original), 0
            concerned.update(call.views.concerned([original]))
        updates += [tl.UpdateMessageID(own.ids[0], draft.random_id), call.views.change(call.user, own, count)]
    call.world.publish(changes, call.origin)
    return call.updates(updates, *concerned)


def check_may_send(call: Call, place: User | Chat, messages: int) -> None:
    """Whether the account may send so many messages there now."""
    if isinstance(place, Chat):
        place.check_written_by(call.user)
        _check_slow_mode(call, place)
    elif call.user.is_bot:
        _check_bot_may_write(call, place)
    if call.user.is_bot and call.world.limits == "real":
        group = isinstance(place, Chat) and place.kind != "channel"
        call.world.rates.check(call.user.id, place.id, messages, group=group)


def _original(call: Call, random_id: int) -> Message | None:
    return call.world.mail.sent_with(call.user, random_id)


def _check_slow_mode(call: Call, chat: Chat) -> None:
    # Admins may write at any time (https://core.telegram.org/method/channels.toggleSlowMode).
    if chat.slow_mode == 0 or chat.is_admin(call.user):
        return
    now = call.world.clock()
    last = call.world.mail.last_written_at(chat, call.user, now - chat.slow_mode)
    if last is not None:
        raise RpcError.wait(math.ceil(last + chat.slow_mode - now), "SLOWMODE_WAIT")


def _check_bot_may_write(call: Call, person: User) -> None:
    """A bot writes only to people who wrote to it first (https://core.telegram.org/bots/faq)."""
    if person.is_bot:
        raise RpcError.bad_request("USER_IS_BOT")
    if not call.world.mail.count(call.user.id, person.id):
        raise RpcError.bad_request("PEER_ID_INVALID")
