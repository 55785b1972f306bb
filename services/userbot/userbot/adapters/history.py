"""Looking for our own message in a chat's history, which a user may read (https://core.telegram.org/method/messages.getHistory)."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

from telethon import utils
from telethon.tl import functions, types

from common.sends import Inconclusive
from common.telegram.peers import Peer
from userbot.task import Material

PAGE, PAGES = 100, 50  # https://core.telegram.org/api/offsets; what is older by then was not sent a moment ago
SLACK = timedelta(minutes=2)  # by which the clocks of Telegram and the database may differ

Ask = Callable[[Any], Awaitable[Any]]


async def look_for(
    ask: Ask, peer: Peer, material: Material, since: datetime, taken: frozenset[int]
) -> tuple[int, ...] | None:
    """Return the ids of our own messages with this content since then, None where they are not there.

    Raises Inconclusive where there is more than can be looked through. The parts of an album, and of a forwarded one,
    have ids that follow one another; the first one has the text.
    """
    below = 0
    for _ in range(PAGES):
        request = functions.messages.GetHistoryRequest(
            peer.input_peer, offset_id=below, offset_date=None, add_offset=0, limit=PAGE, max_id=0, min_id=0, hash=0
        )
        messages = (await ask(request)).messages
        recent = [message for message in messages if message.date is not None and message.date >= since - SLACK]
        for message in recent:
            if message.id not in taken and _is_ours(message, peer) and same(message, material):
                return tuple(range(message.id, message.id + material.parts))
        if len(recent) < len(messages) or not messages:
            return None
        below = messages[-1].id
    raise Inconclusive(f"there are more than {PAGE * PAGES} newer messages")


def same(message: types.Message, material: Material) -> bool:
    """Tell whether a message says and shows this. Telegram trims texts, and what it trims is not compared."""
    if material.forward:
        origin = message.fwd_from
        return origin is not None and origin.channel_post == material.forward.message_ids[0]
    if message.fwd_from is not None or (message.message or "").strip() != material.body.text.strip():
        return False
    if material.media:
        return message.media is not None and (message.grouped_id is not None) == (material.parts > 1)
    return isinstance(message.media, types.MessageMediaWebPage | None)


def _is_ours(message: Any, peer: Peer) -> bool:
    return (
        isinstance(message, types.Message)
        and bool(message.out)
        and utils.get_peer_id(message.peer_id) == peer.marked_id
    )
