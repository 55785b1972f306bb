"""Reading what was said; most of it is closed to bots (400 BOT_METHOD_INVALID)."""

from collections.abc import Sequence
from typing import Any

from sandbox.telegram.chats import Chat
from sandbox.telegram.handlers.calls import Call, Routes
from sandbox.telegram.messages import NO_ID, Message
from sandbox.telegram.peers import output_peer
from sandbox.telegram.people import User
from sandbox.telegram.wire import fn, timestamp, tl

routes = Routes()

PAGE_MAX_MESSAGES = 100  # https://core.telegram.org/api/offsets


@routes.handles(fn.messages.GetHistoryRequest, bots=False)
def get_history(call: Call, request: Any) -> Any:
    """A page of a chat, newest first (https://core.telegram.org/api/offsets)."""
    place = call.place(request.peer)
    box, mail = call.box_of(place), call.world.mail
    limit = max(0, min(request.limit, PAGE_MAX_MESSAGES))
    below = (request.max_id or NO_ID, request.min_id)
    offset = request.offset_id or NO_ID
    if not request.offset_id and (date := timestamp(request.offset_date)):
        offset = mail.id_at(box, place.id, date)
    newer = min(-request.add_offset, limit) if request.add_offset < 0 else 0
    # A negative add_offset turns to messages from the offset on; skipped ones lie still nearer to the offset.
    nearer = -request.add_offset - newer if request.add_offset < 0 else 0
    page: list[Message] = []
    if newer:
        span = mail.after(box, place.id, max(offset, request.min_id + 1), newer + nearer, below[0])
        page = span[nearer:][::-1]
    if newer < limit:
        skipped = max(request.add_offset, 0)
        page += mail.before(box, place.id, min(offset, below[0]), below[1], limit - newer + skipped)[skipped:]
    return _page(call, place, page, mail.count(box, place.id))


@routes.handles(fn.messages.SearchRequest, bots=False)
def search(call: Call, request: Any) -> Any:
    """The messages of a chat whose text contains a phrase, newest first."""
    place = call.place(request.peer)
    below = min(request.offset_id or NO_ID, request.max_id or NO_ID)
    messages = call.world.mail.before(call.box_of(place), place.id, below, request.min_id, -1)
    wanted = request.q.casefold()
    found = [message for message in messages if wanted in message.text.casefold()]
    return _page(call, place, found[: max(0, min(request.limit, PAGE_MAX_MESSAGES))], len(found))


@routes.handles(fn.channels.GetMessagesRequest)
def get_channel_messages(call: Call, request: Any) -> Any:
    """Messages of a channel by their ids; bots may ask too. What isn't there is a MessageEmpty."""
    chat = call.chat(request.channel)
    return _by_ids(call, chat.id, request.id, chat)


@routes.handles(fn.messages.GetMessagesRequest)
def get_messages(call: Call, request: Any) -> Any:
    """Messages of private chats and basic groups by their ids."""
    return _by_ids(call, call.user.id, request.id, call.user)


@routes.handles(fn.messages.GetDialogsRequest, bots=False)
def get_dialogs(call: Call, request: Any) -> Any:
    """The chats that one is in, the latest first; all on one page."""
    places = [chat.id for chat in call.world.chats() if chat.has(call.user)]
    places += [marked for marked in call.world.mail.correspondents(call.user) if marked > 0]
    tops = [(marked, _newest(call, marked)) for marked in places]
    tops.sort(key=lambda pair: pair[1].date if pair[1] else 0.0, reverse=True)
    if date := timestamp(request.offset_date):
        tops = [pair for pair in tops if pair[1] and pair[1].date < date]
    messages = [top for _, top in tops if top is not None]
    concerned = [*places, *call.views.concerned(messages)]
    return tl.messages.Dialogs(
        dialogs=[_dialog(call, marked, top) for marked, top in tops],
        messages=[call.views.message(call.user, message) for message in messages],
        **call.views.envelope(call.user, concerned),
    )


@routes.handles(fn.channels.ReadHistoryRequest, bots=False)
def read_channel(call: Call, request: Any) -> Any:
    """What was read isn't kept."""
    call.chat(request.channel)
    return True


@routes.handles(fn.messages.ReadHistoryRequest, bots=False)
def read_history(call: Call, request: Any) -> Any:
    """What was read isn't kept."""
    call.place(request.peer)
    return tl.messages.AffectedMessages(call.world.boxes.get(call.user.id).pts, 0)


def channel_dialog(call: Call, chat: Chat, newest: Sequence[Message]) -> Any:
    """A channel as an entry of the chat list, with its pts."""
    return _dialog(call, chat.id, newest[0] if newest else None)


def _by_ids(call: Call, box: int, wanted: Sequence[Any], place: User | Chat) -> Any:
    numbers = [getattr(item, "id", item) for item in wanted]
    found = [call.world.mail.get(box, number) for number in numbers]
    shown = [
        call.views.message(call.user, message) if message is not None else tl.MessageEmpty(number, None)
        for number, message in zip(numbers, found, strict=True)
    ]
    envelope = call.views.envelope(call.user, [place.id, *call.views.concerned(found)])
    if isinstance(place, Chat):
        pts = call.world.boxes.get(box).pts
        return tl.messages.ChannelMessages(pts=pts, count=len(shown), messages=shown, topics=[], **envelope)
    return tl.messages.Messages(messages=shown, topics=[], **envelope)


def _page(call: Call, place: User | Chat, messages: Sequence[Message], total: int) -> Any:
    shown = [call.views.message(call.user, message) for message in messages]
    envelope = call.views.envelope(call.user, [place.id, *call.views.concerned(messages)])
    if isinstance(place, Chat) and not place.is_group:
        pts = call.world.boxes.get(place.id).pts
        return tl.messages.ChannelMessages(pts=pts, count=total, messages=shown, topics=[], **envelope)
    if len(shown) == total:
        return tl.messages.Messages(messages=shown, topics=[], **envelope)
    return tl.messages.MessagesSlice(count=total, messages=shown, topics=[], **envelope)


def _newest(call: Call, marked: int) -> Message | None:
    chat = call.world.chat_book.get(marked)
    box = call.box_of(chat) if chat is not None else call.user.id
    return next(iter(call.world.mail.before(box, marked, NO_ID, 0, 1)), None)


def _dialog(call: Call, marked: int, top: Message | None) -> Any:
    chat = call.world.chat_book.get(marked)
    in_channel = chat is not None and not chat.is_group
    return tl.Dialog(
        peer=output_peer(marked),
        top_message=top.id if top else 0,
        read_inbox_max_id=0,
        read_outbox_max_id=0,
        unread_count=0,
        unread_mentions_count=0,
        unread_reactions_count=0,
        unread_poll_votes_count=0,
        notify_settings=tl.PeerNotifySettings(),
        pts=call.world.boxes.get(marked).pts if in_channel else None,
    )
