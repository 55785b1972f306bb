"""What Telegram's refusals mean to a broadcast (https://core.telegram.org/method/messages.sendMessage)."""

import re

from telethon import errors

from common.sends import Refused, Trouble, Wait
from common.telegram.account import TelegramAccount
from common.telegram.answers import ACCOUNT_BLOCKED
from common.telegram.health import reason, rpc_name
from common.telegram.outgoing import UNSUITABLE
from userbot.ports import ChatRefused, ContentRefused, Flag, SlowMode, SpamBlocked

# By Telegram's own names; those of 403 are the chat's, whatever they are called (CHAT_SEND_PHOTOS_FORBIDDEN, …).
FLAGS: dict[str, Flag] = {
    "CHAT_WRITE_FORBIDDEN": "forbidden",
    "CHAT_ADMIN_REQUIRED": "forbidden",
    "CHAT_RESTRICTED": "forbidden",
    "CHAT_GUEST_SEND_FORBIDDEN": "forbidden",
    "ALLOW_PAYMENT_REQUIRED": "forbidden",
    "TOPIC_CLOSED": "forbidden",
    "YOU_BLOCKED_USER": "forbidden",
    "USER_IS_BLOCKED": "forbidden",
    "USER_BANNED_IN_CHANNEL": "banned",
    "USER_KICKED": "banned",
    "CHANNEL_PRIVATE": "private",
    "CHAT_FORBIDDEN": "private",
    "CHANNEL_INVALID": "missing",
    "CHAT_ID_INVALID": "missing",
    "PEER_ID_INVALID": "missing",
    "USER_ID_INVALID": "missing",
    "INPUT_USER_DEACTIVATED": "missing",
    "CHAT_INVALID": "missing",
}
# What is wrong with the message itself, so that it would be refused everywhere.
CONTENT = frozenset(
    {
        "MESSAGE_EMPTY",
        "MESSAGE_TOO_LONG",
        "MEDIA_CAPTION_TOO_LONG",
        "MEDIA_EMPTY",
        "MULTI_MEDIA_TOO_LONG",
        "ENTITY_BOUNDS_INVALID",
        "ENTITIES_TOO_LONG",
        "CHAT_FORWARDS_RESTRICTED",
        "MESSAGE_ID_INVALID",
        "MESSAGE_IDS_EMPTY",
    }
)


# What passes with another upload (https://core.telegram.org/api/file_reference); of an album it names the item.
FORGOTTEN = re.compile(r"FILE_REFERENCE_(\d+_)?(EXPIRED|INVALID|EMPTY)")


def forgotten(error: errors.RPCError) -> bool:
    """Tell whether Telegram no longer knows what was uploaded."""
    return FORGOTTEN.fullmatch(rpc_name(error)) is not None


def meant(account: TelegramAccount, error: errors.RPCError) -> Exception:
    """Return what a refusal means, to whom."""
    if isinstance(error, ACCOUNT_BLOCKED):
        return SpamBlocked(reason(error))
    if forgotten(error):
        return Trouble(reason(error))
    problem = account.meaning(error)
    if isinstance(error, errors.SlowModeWaitError) and isinstance(problem, Wait):
        return SlowMode(problem.seconds, str(problem))
    if not isinstance(problem, Refused):
        return problem
    name = rpc_name(error)
    if name in CONTENT or isinstance(error, UNSUITABLE):
        return ContentRefused(str(problem))
    if flag := FLAGS.get(name) or ("forbidden" if isinstance(error, errors.ForbiddenError) else None):
        return ChatRefused(str(problem), flag)
    return problem
