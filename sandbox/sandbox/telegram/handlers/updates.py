"""Catching up with what was missed (https://core.telegram.org/api/updates#recovering-gaps)."""

from typing import Any

from sandbox.telegram.boxes import EventKind
from sandbox.telegram.errors import RpcError
from sandbox.telegram.handlers.calls import Call, Routes
from sandbox.telegram.handlers.history import channel_dialog
from sandbox.telegram.messages import Message
from sandbox.telegram.wire import fn, timestamp, tl

routes = Routes()

PAGE_MAX_EVENTS = 1000
BOT_PAGE_MAX_EVENTS = 100_000
PERSON_PAGE_MAX_EVENTS = 100  # https://core.telegram.org/method/updates.getChannelDifference
CHANNEL_TIMEOUT_SECONDS = 1


@routes.handles(fn.updates.GetStateRequest)
def get_state(call: Call, request: Any) -> Any:  # noqa: ARG001
    """Where the account's own box is."""
    return _state(call, call.world.boxes.get(call.user.id).pts)


@routes.handles(fn.updates.GetDifferenceRequest)
def get_difference(call: Call, request: Any) -> Any:
    """What happened in private chats and basic groups, and which channels have news to be asked for."""
    box = call.world.boxes.get(call.user.id)
    events = list(call.world.boxes.events(box, request.pts, PAGE_MAX_EVENTS))
    pts = events[-1][0] if events else box.pts
    new, other, concerned = _unfold(call, call.user.id, events)
    since = timestamp(request.date)
    for chat in call.world.chats():
        if not chat.is_group and chat.has(call.user):
            channel_box = call.world.boxes.get(chat.id)
            if call.world.boxes.last_event_at(channel_box) >= since:
                other.append(tl.UpdateChannelTooLong(chat.bare_id))
                concerned.append(chat.id)
    if not new and not other:
        return tl.updates.DifferenceEmpty(int(call.world.clock()), 0)
    envelope = call.views.envelope(call.user, concerned)
    state = _state(call, pts)
    if pts < box.pts:
        return tl.updates.DifferenceSlice(new, [], other, intermediate_state=state, **envelope)
    return tl.updates.Difference(new, [], other, state=state, **envelope)


@routes.handles(fn.updates.GetChannelDifferenceRequest)
def get_channel_difference(call: Call, request: Any) -> Any:
    """What happened in a channel. Where it is not on record any more, the newest messages are given instead."""
    chat = call.chat(request.channel)
    if chat.is_group:
        raise RpcError.bad_request("CHANNEL_INVALID")
    box = call.world.boxes.get(chat.id)
    if request.pts < box.from_pts:
        newest = call.world.recent_messages(chat.id, PERSON_PAGE_MAX_EVENTS)
        return tl.updates.ChannelDifferenceTooLong(
            dialog=channel_dialog(call, chat, newest),
            messages=[call.views.message(call.user, message) for message in newest],
            final=True,
            timeout=CHANNEL_TIMEOUT_SECONDS,
            **call.views.envelope(call.user, [chat.id, *call.views.concerned(newest)]),
        )
    most = BOT_PAGE_MAX_EVENTS if call.user.is_bot else PERSON_PAGE_MAX_EVENTS
    events = list(call.world.boxes.events(box, request.pts, max(1, min(request.limit, most))))
    if not events:
        return tl.updates.ChannelDifferenceEmpty(pts=box.pts, final=True, timeout=CHANNEL_TIMEOUT_SECONDS)
    new, other, concerned = _unfold(call, chat.id, events)
    return tl.updates.ChannelDifference(
        pts=events[-1][0],
        new_messages=new,
        other_updates=other,
        final=events[-1][0] == box.pts,
        timeout=CHANNEL_TIMEOUT_SECONDS,
        **call.views.envelope(call.user, [chat.id, *concerned]),
    )


def _state(call: Call, pts: int) -> Any:
    return tl.updates.State(pts, 0, int(call.world.clock()), 0, 0)


def _unfold(call: Call, box: int, events: list[tuple[int, EventKind, int]]) -> tuple[list[Any], list[Any], list[int]]:
    """The new messages, the other updates, and whom they name. Messages that are gone again are left out."""
    new: list[Any] = []
    other: list[Any] = []
    named: list[Message] = []
    for pts, kind, number in events:
        message = call.world.mail.get(box, number)
        if kind == "delete":
            other.append(call.views.event(call.user, kind, box, pts, 1, [number], None))
        elif message is not None:
            named.append(message)
            if kind == "new":
                new.append(call.views.message(call.user, message))
            else:
                other.append(call.views.event(call.user, kind, message.chat_id, pts, 1, [number], message))
    return new, other, list(call.views.concerned(named))
