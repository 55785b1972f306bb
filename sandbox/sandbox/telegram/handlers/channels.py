"""Channels and groups: looking at them, making them, joining and leaving them."""

from typing import Any

from sandbox.telegram.chats import Chat, Kind
from sandbox.telegram.errors import RpcError
from sandbox.telegram.handlers.calls import Call, Routes
from sandbox.telegram.people import User
from sandbox.telegram.views import POSTING
from sandbox.telegram.wire import fn, tl

routes = Routes()


@routes.handles(fn.channels.GetChannelsRequest)
def get_channels(call: Call, request: Any) -> Any:
    """Channels by their ids."""
    return tl.messages.Chats([call.views.chat(call.user, call.chat(named)) for named in request.id])


@routes.handles(fn.messages.GetChatsRequest)
def get_chats(call: Call, request: Any) -> Any:
    """Basic groups by their ids."""
    groups = [call.chat(tl.InputPeerChat(number)) for number in request.id]
    return tl.messages.Chats([call.views.chat(call.user, group) for group in groups])


@routes.handles(fn.channels.GetFullChannelRequest)
def get_full_channel(call: Call, request: Any) -> Any:
    """A channel with its details; the slow mode is among them."""
    chat = call.chat(request.channel)
    full = tl.ChannelFull(
        chat.bare_id,
        about="",
        read_inbox_max_id=0,
        read_outbox_max_id=0,
        unread_count=0,
        chat_photo=tl.PhotoEmpty(0),
        notify_settings=tl.PeerNotifySettings(),
        bot_info=[],
        pts=call.world.boxes.get(chat.id).pts,
        participants_count=len(chat.members),
        admins_count=len(chat.admins),
        slowmode_seconds=chat.slow_mode or None,
    )
    return tl.messages.ChatFull(full, **call.views.envelope(call.user, [chat.id]))


@routes.handles(fn.messages.GetFullChatRequest)
def get_full_chat(call: Call, request: Any) -> Any:
    """A basic group with its members."""
    group = call.chat(tl.InputPeerChat(request.chat_id))
    members = [_group_member(group, user_id) for user_id in sorted(group.members)]
    participants = tl.ChatParticipants(group.bare_id, members, group.version)
    full = tl.ChatFull(group.bare_id, about="", participants=participants, notify_settings=tl.PeerNotifySettings())
    return tl.messages.ChatFull(full, **call.views.envelope(call.user, [group.id, *group.members]))


@routes.handles(fn.channels.GetParticipantRequest)
def get_participant(call: Call, request: Any) -> Any:
    """What somebody is in a channel, or 400 USER_NOT_PARTICIPANT."""
    chat = call.chat(request.channel)
    user = call.services.peers.user(call.user, request.participant)
    if user.id not in chat.roles:
        raise RpcError.bad_request("USER_NOT_PARTICIPANT")
    envelope = call.views.envelope(call.user, [chat.id, user.id])
    return tl.channels.ChannelParticipant(_member(call, chat, user), **envelope)


@routes.handles(fn.channels.GetParticipantsRequest)
def get_participants(call: Call, request: Any) -> Any:
    """The members of a channel (of a broadcast channel: for its admins only), admins or bots alone if so wished."""
    chat = call.chat(request.channel)
    if chat.kind == "channel":
        chat.check_governed_by(call.user)
    users = [user for user in call.world.users() if chat.has(user)]
    if isinstance(request.filter, tl.ChannelParticipantsAdmins):
        users = [user for user in users if chat.is_admin(user)]
    elif isinstance(request.filter, tl.ChannelParticipantsBots):
        users = [user for user in users if user.is_bot]
    shown = [_member(call, chat, user) for user in users[request.offset :][: request.limit]]
    envelope = call.views.envelope(call.user, [chat.id, *(user.id for user in users)])
    return tl.channels.ChannelParticipants(len(users), shown, **envelope)


@routes.handles(fn.channels.CreateChannelRequest, bots=False)
def create_channel(call: Call, request: Any) -> Any:
    """A new channel or megagroup; a title may be taken more than once."""
    kind: Kind = "megagroup" if request.megagroup else "channel"
    return _joined(call, call.world.chat_book.make(kind, request.title, call.user, call.world.clock()))


@routes.handles(fn.channels.UpdateUsernameRequest, bots=False)
def update_username(call: Call, request: Any) -> Any:
    """Make a channel public or private: 400 USERNAME_OCCUPIED or CHAT_ADMIN_REQUIRED."""
    chat = call.chat(request.channel)
    chat.check_governed_by(call.user)
    name = request.username.lstrip("@")
    if name and (call.world.people.with_username(name) or call.world.chat_book.with_username(name)):
        raise RpcError.bad_request("USERNAME_OCCUPIED")
    chat.username = name or None
    call.world.chat_book.change(chat)
    return True


@routes.handles(fn.channels.JoinChannelRequest, bots=False)
def join_channel(call: Call, request: Any) -> Any:
    """Join a public channel or megagroup."""
    chat = call.chat(request.channel)
    if not chat.has(call.user):
        call.world.chat_book.set_role(chat, call.user, "member")
    return _joined(call, chat)


@routes.handles(fn.channels.LeaveChannelRequest)
def leave_channel(call: Call, request: Any) -> Any:
    """Leave, or 400 USER_NOT_PARTICIPANT."""
    chat = call.chat(request.channel)
    if not chat.has(call.user):
        raise RpcError.bad_request("USER_NOT_PARTICIPANT")
    call.world.chat_book.set_role(chat, call.user, None)
    return _joined(call, chat)


def _joined(call: Call, chat: Chat) -> Any:
    return call.updates([tl.UpdateChannel(chat.bare_id)], chat.id)


def _member(call: Call, chat: Chat, user: User) -> Any:
    if user.id == chat.owner_id:
        return tl.ChannelParticipantCreator(user.id, POSTING)
    match chat.roles[user.id]:
        case "admin":
            return tl.ChannelParticipantAdmin(user.id, chat.owner_id, chat.created, POSTING)
        case "member" if user is call.user:
            return tl.ChannelParticipantSelf(user.id, chat.owner_id, chat.created)
        case "member":
            return tl.ChannelParticipant(user.id, chat.created)
        case role:
            rights = tl.ChatBannedRights(0, view_messages=role == "banned", send_messages=True)
            return tl.ChannelParticipantBanned(
                tl.PeerUser(user.id), chat.owner_id, chat.created, rights, left=role == "banned"
            )


def _group_member(group: Chat, user_id: int) -> Any:
    if user_id == group.owner_id:
        return tl.ChatParticipantCreator(user_id)
    if user_id in group.admins:
        return tl.ChatParticipantAdmin(user_id, group.owner_id, group.created)
    return tl.ChatParticipant(user_id, group.owner_id, group.created)
