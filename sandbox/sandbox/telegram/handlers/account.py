"""Signing in and out, and who one is."""

from typing import Any

from sandbox.telegram.errors import RpcError
from sandbox.telegram.handlers.calls import Call, Routes
from sandbox.telegram.limits import CAPTION_MAX_UNITS, TEXT_MAX_UNITS
from sandbox.telegram.passwords import Challenge
from sandbox.telegram.people import User
from sandbox.telegram.wire import fn, tl

routes = Routes()

DC_ID = 2
CODE_LENGTH = 5


@routes.handles(fn.help.GetConfigRequest, anonymous=True)
def get_config(call: Call, request: Any) -> Any:  # noqa: ARG001
    """The server's address and its limits."""
    now = int(call.world.clock())
    host, port = call.services.address
    counts = (
        "chat_size_max megagroup_size_max forwarded_count_max online_update_period_ms offline_blur_timeout_ms"
        " offline_idle_timeout_ms online_cloud_timeout_ms notify_cloud_delay_ms notify_default_delay_ms"
        " push_chat_period_ms push_chat_limit edit_time_limit revoke_time_limit revoke_pm_time_limit rating_e_decay"
        " stickers_recent_limit channels_read_media_period call_receive_timeout_ms call_ring_timeout_ms"
        " call_connect_timeout_ms call_packet_timeout_ms webfile_dc_id"
    )
    return tl.Config(
        date=now,
        expires=now + 3600,
        test_mode=True,
        this_dc=DC_ID,
        dc_options=[tl.DcOption(DC_ID, host, port)],
        dc_txt_domain_name="",
        me_url_prefix="https://t.me/",
        caption_length_max=CAPTION_MAX_UNITS,
        message_length_max=TEXT_MAX_UNITS,
        **dict.fromkeys(counts.split(), 0),
    )


@routes.handles(fn.help.GetNearestDcRequest, anonymous=True)
def get_nearest_dc(call: Call, request: Any) -> Any:  # noqa: ARG001
    """There is one data centre."""
    return tl.NearestDc("XX", DC_ID, DC_ID)


@routes.handles(fn.auth.SendCodeRequest, fn.auth.ResendCodeRequest, anonymous=True)
def send_code(call: Call, request: Any) -> Any:
    """Send a sign-in code: it is always 12345."""
    code_hash = call.services.logins.send_code(request.phone_number)
    return tl.auth.SentCode(tl.auth.SentCodeTypeApp(CODE_LENGTH), code_hash)


@routes.handles(fn.auth.SignInRequest, anonymous=True)
def sign_in(call: Call, request: Any) -> Any:
    """Sign in with the code; 401 SESSION_PASSWORD_NEEDED where there is a password."""
    call.services.logins.check_code(request.phone_number, request.phone_code_hash, request.phone_code)
    user = call.world.people.with_phone(request.phone_number)
    if user is None:
        return tl.auth.AuthorizationSignUpRequired()
    call.services.logins.forget_code(request.phone_number)
    if user.password:
        call.key.awaits_password_of = user.id
        raise RpcError(401, "SESSION_PASSWORD_NEEDED")
    return _authorize(call, user)


@routes.handles(fn.account.GetPasswordRequest, anonymous=True)
def get_password(call: Call, request: Any) -> Any:  # noqa: ARG001
    """Begin the check of the two-factor password (https://core.telegram.org/api/srp)."""
    user = _with_password(call)
    if not user.password:
        return Challenge.unneeded()
    return call.services.logins.challenge(call.key, user.password).ask()


@routes.handles(fn.auth.CheckPasswordRequest, anonymous=True)
def check_password(call: Call, request: Any) -> Any:
    """Sign in with the two-factor password."""
    user = _with_password(call)
    call.services.logins.take_challenge(call.key).check(request.password)
    return _authorize(call, user)


@routes.handles(fn.auth.ImportBotAuthorizationRequest, anonymous=True)
def import_bot_authorization(call: Call, request: Any) -> Any:
    """Sign a bot in with its token."""
    return _authorize(call, call.world.people.with_token(request.bot_auth_token))


@routes.handles(fn.auth.LogOutRequest, anonymous=True)
def log_out(call: Call, request: Any) -> Any:  # noqa: ARG001
    """Sign out: the key stands for nobody."""
    call.world.keys.sign_out(call.key)
    return tl.auth.LoggedOut()


@routes.handles(fn.account.UpdateStatusRequest, bots=False)
def update_status(call: Call, request: Any) -> Any:  # noqa: ARG001
    """Whether one is online is of no interest here."""
    return True


@routes.handles(fn.users.GetUsersRequest)
def get_users(call: Call, request: Any) -> Any:
    """Users by their ids; oneself among them is the health check of a session."""
    return [call.views.user(call.user, call.services.peers.user(call.user, named)) for named in request.id]


@routes.handles(fn.users.GetFullUserRequest)
def get_full_user(call: Call, request: Any) -> Any:
    """A user with details, of which there are none."""
    user = call.services.peers.user(call.user, request.id)
    full = tl.UserFull(user.id, tl.PeerSettings(), tl.PeerNotifySettings(), common_chats_count=0)
    return tl.users.UserFull(full, chats=[], users=[call.views.user(call.user, user)])


@routes.handles(fn.contacts.ResolveUsernameRequest)
def resolve_username(call: Call, request: Any) -> Any:
    """Who or what has a username: 400 USERNAME_INVALID or USERNAME_NOT_OCCUPIED."""
    username = request.username.lstrip("@")
    if not username:
        raise RpcError.bad_request("USERNAME_INVALID")
    user = call.world.people.with_username(username)
    chat = call.world.chat_book.with_username(username)
    if user is not None:
        return tl.contacts.ResolvedPeer(tl.PeerUser(user.id), **call.views.envelope(call.user, [user.id]))
    if chat is not None:
        return tl.contacts.ResolvedPeer(tl.PeerChannel(chat.bare_id), **call.views.envelope(call.user, [chat.id]))
    raise RpcError.bad_request("USERNAME_NOT_OCCUPIED")


@routes.handles(fn.bots.SetBotCommandsRequest, fn.bots.ResetBotCommandsRequest)
def set_bot_commands(call: Call, request: Any) -> Any:  # noqa: ARG001
    """A bot's menu of commands is accepted and not shown."""
    if not call.user.is_bot:
        raise RpcError.bad_request("USER_BOT_REQUIRED")
    return True


def _with_password(call: Call) -> User:
    """Whose password is asked about: who is signing in, or else who is signed in."""
    waiting = call.key.awaits_password_of
    user = call.world.people.get(waiting) if waiting is not None else None
    return user or call.user


def _authorize(call: Call, user: User) -> Any:
    call.world.keys.sign_in(call.key, user)
    return tl.auth.Authorization(call.views.user(user, user))
