"""Sending, forwarding, editing and deleting messages."""

import secrets
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sandbox.telegram.chats import Chat
from sandbox.telegram.errors import RpcError
from sandbox.telegram.handlers.calls import Call, Routes
from sandbox.telegram.handlers.sending import Draft, send
from sandbox.telegram.limits import ALBUM_MAX_ITEMS, check_text
from sandbox.telegram.messages import Content, Message
from sandbox.telegram.peers import output_peer
from sandbox.telegram.people import User
from sandbox.telegram.photos import check_album
from sandbox.telegram.wire import fn, tl

routes = Routes()


@routes.handles(fn.messages.SendMessageRequest)
def send_message(call: Call, request: Any) -> Any:
    """Send a text."""
    check_text(request.message, request.entities)
    place = call.place(request.peer)
    return send(call, place, [Draft(request.random_id, lambda: _content(request, request))])


@routes.handles(fn.messages.SendMediaRequest)
def send_media(call: Call, request: Any) -> Any:
    """Send a photo or document with a caption."""
    check_text(request.message, request.entities, caption=True)
    place = call.place(request.peer)
    return send(call, place, [Draft(request.random_id, lambda: _content(request, request, _media(call, request)))])


@routes.handles(fn.messages.SendMultiMediaRequest)
def send_album(call: Call, request: Any) -> Any:
    """Send several photos or documents as one album: 400 MEDIA_GROUPED_INVALID if they can't be in one."""
    items = request.multi_media
    if not 0 < len(items) <= ALBUM_MAX_ITEMS:
        raise RpcError.bad_request("MULTI_MEDIA_TOO_LONG" if items else "MEDIA_EMPTY")
    for item in items:
        check_text(item.message, item.entities, caption=True)
    known = [item.media for item in items if isinstance(item.media, (tl.InputMediaPhoto, tl.InputMediaDocument))]
    check_album(call.world.files.media_of(call.user, media) for media in known)
    group = secrets.randbits(62)

    def composer(item: Any) -> Callable[[], Content]:
        return lambda: replace(_content(request, item, _media(call, item)), grouped_id=group)

    return send(call, call.place(request.peer), [Draft(item.random_id, composer(item)) for item in items])


@routes.handles(fn.messages.UploadMediaRequest)
def upload_media(call: Call, request: Any) -> Any:
    """Put an uploaded file together without sending it, as albums need."""
    call.place(request.peer)
    return call.world.files.media_of(call.user, request.media)


@routes.handles(fn.messages.ForwardMessagesRequest)
def forward_messages(call: Call, request: Any) -> Any:
    """Forward messages, unless their chat forbids it: 400 CHAT_FORWARDS_RESTRICTED."""
    source, target = call.place(request.from_peer), call.place(request.to_peer)
    if len(request.id) != len(request.random_id):
        raise RpcError.bad_request("RANDOM_ID_INVALID")
    messages = [own_message(call, source, number) for number in request.id]
    if (isinstance(source, Chat) and source.noforwards) or any(message.noforwards for message in messages):
        raise RpcError.bad_request("CHAT_FORWARDS_RESTRICTED")

    albums: defaultdict[int, int] = defaultdict(lambda: secrets.randbits(62))  # the copies are an album of their own

    def composer(message: Message) -> Callable[[], Content]:
        group = albums[message.grouped_id] if message.grouped_id else None
        header = None if request.drop_author else message.forward or bytes(_header(source, message))
        caption = "" if request.drop_media_captions and message.media else message.text
        entities = (message.entities, message.entity_count) if caption else (None, 0)
        return lambda: Content(caption, *entities, media=message.media, forward=header, grouped_id=group)

    pairs = zip(messages, request.random_id, strict=True)
    return send(call, target, [Draft(random_id, composer(message)) for message, random_id in pairs])


@routes.handles(fn.messages.EditMessageRequest)
def edit_message(call: Call, request: Any) -> Any:
    """Change one's own message, or as an admin of a channel any: 403 MESSAGE_AUTHOR_REQUIRED otherwise."""
    place = call.place(request.peer)
    message = own_message(call, place, request.id)
    if message.sender_id != call.user.id and not (isinstance(place, Chat) and _governs_channel(call.user, place)):
        raise RpcError.forbidden("MESSAGE_AUTHOR_REQUIRED")
    media = _media(call, request)
    text = message.text if request.message is None else request.message
    entities = message.tl_entities() if request.message is None else request.entities
    check_text(text, entities, caption=bool(media or message.media))
    content = Content.of(text, entities, media=media or message.media, markup=_markup(request))
    before = (message.text, message.entities, message.media, message.markup)
    if (content.text, content.entities, content.media, content.markup) == before:
        raise RpcError.bad_request("MESSAGE_NOT_MODIFIED")
    changes = call.world.mail.edit(message, content)
    call.world.publish(changes, call.origin)
    return call.updates([call.views.change(call.user, changes[0])], place.id, message.sender_id)


@routes.handles(fn.channels.DeleteMessagesRequest)
def delete_channel_messages(call: Call, request: Any) -> Any:
    """Delete one's own messages in a channel, or as an admin any: 403 MESSAGE_DELETE_FORBIDDEN otherwise."""
    chat = call.chat(request.channel)
    found = [call.world.mail.get(chat.id, number) for number in request.id]
    doomed = [message for message in found if message is not None]
    if not chat.is_admin(call.user) and any(message.sender_id != call.user.id for message in doomed):
        raise RpcError.forbidden("MESSAGE_DELETE_FORBIDDEN")
    return _delete(call, doomed, chat.id, for_everybody=True)


@routes.handles(fn.messages.DeleteMessagesRequest)
def delete_messages(call: Call, request: Any) -> Any:
    """Delete messages of private chats and basic groups, for oneself or (`revoke`) for everybody."""
    found = [call.world.mail.get(call.user.id, number) for number in request.id]
    doomed = [message for message in found if message is not None]
    return _delete(call, doomed, call.user.id, for_everybody=bool(request.revoke))


@routes.handles(fn.messages.SetTypingRequest)
def set_typing(call: Call, request: Any) -> Any:
    """Nobody watches anybody type."""
    call.place(request.peer)
    return True


def _delete(call: Call, doomed: list[Message], box_id: int, *, for_everybody: bool) -> Any:
    changes = call.world.mail.delete(doomed, for_everybody=for_everybody)
    call.world.publish(changes, call.origin)
    own = [change for change in changes if change.box == box_id]
    count = sum(len(change.ids) for change in own)
    return tl.messages.AffectedMessages(call.world.boxes.get(box_id).pts, count)


def _content(request: Any, item: Any, media: bytes | None = None) -> Content:
    reply = request.reply_to
    return Content.of(
        item.message,
        item.entities,
        media=media,
        markup=_markup(request),
        reply_to=reply.reply_to_msg_id if isinstance(reply, tl.InputReplyToMessage) else None,
        noforwards=bool(request.noforwards),
    )


def _markup(request: Any) -> bytes | None:
    markup = getattr(request, "reply_markup", None)
    return bytes(markup) if markup is not None else None


def _media(call: Call, request: Any) -> bytes | None:
    media = call.world.files.media_of(call.user, request.media)
    return bytes(media) if media is not None else None


def own_message(call: Call, place: User | Chat, number: int) -> Message:
    """The caller's message of a place, or 400 MESSAGE_ID_INVALID."""
    message = call.world.mail.get(call.box_of(place), number)
    if message is None or message.chat_id != place.id:
        raise RpcError.bad_request("MESSAGE_ID_INVALID")
    return message


def _governs_channel(user: User, chat: Chat) -> bool:
    return chat.kind == "channel" and chat.is_admin(user)


def _header(source: User | Chat, message: Message) -> Any:
    post = isinstance(source, Chat) and source.kind == "channel"
    return tl.MessageFwdHeader(
        int(message.date),
        from_id=output_peer(source.id if post else message.sender_id),
        channel_post=message.id if post else None,
    )
