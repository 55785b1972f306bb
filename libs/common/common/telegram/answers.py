"""What Telegram's answers to a send mean. Needs the `telegram` extra."""

from collections.abc import Sequence
from typing import Any

from telethon import errors
from telethon.tl import types

from common.sends import Away, Doubtful, Refused, Trouble, Wait
from common.telegram.health import TERMINAL, reason

# Blocks on the account that name no time; asking again makes it worse. A frozen one can only read
# (https://core.telegram.org/api/auth#frozen-accounts).
ACCOUNT_BLOCKED = (errors.PeerFloodError, errors.FrozenMethodInvalidError, errors.FrozenParticipantMissingError)
BLOCKED_SECONDS = 3600.0
FLOOD_SECONDS = 60.0  # for a flood that names no time either

# Telegram's own troubles, or that it has forgotten what was uploaded a while ago.
PASSING = (
    errors.ServerError,
    errors.TimedOutError,
    errors.InvalidDCError,
    errors.FilePart0MissingError,
    errors.FilePartMissingError,
    errors.FileReferenceExpiredError,
)


def translated(error: errors.RPCError) -> Exception:
    """Return what an error of Telegram means (https://core.telegram.org/api/errors).

    420 is a wait, 401 ends the session, 5xx and lost uploads may pass, and everything else is a refusal.
    """
    if isinstance(error, ACCOUNT_BLOCKED):
        return Wait(BLOCKED_SECONDS, reason(error), "account")
    if isinstance(error, errors.FloodError):
        return Wait(max(1.0, float(getattr(error, "seconds", FLOOD_SECONDS))), reason(error))
    if isinstance(error, TERMINAL):
        return Away(reason(error))
    if isinstance(error, PASSING):
        return Trouble(reason(error))
    return Refused(reason(error))


def message_ids_of(answer: Any, random_ids: Sequence[int]) -> tuple[int, ...]:
    """Return the ids that messages got, in the order of their random ids. Raises Doubtful where none is told."""
    if isinstance(answer, types.UpdateShortSentMessage):  # what a private chat answers
        return (answer.id,)
    given = {update.random_id: update.id for update in answer.updates if isinstance(update, types.UpdateMessageID)}
    if missing := [number for number in random_ids if number not in given]:
        raise Doubtful(f"Telegram's answer names no message for {len(missing)} of {len(random_ids)} random ids")
    return tuple(given[number] for number in random_ids)
