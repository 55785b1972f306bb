"""Telegram's published limits on what is sent and how often."""

import math
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from sandbox.telegram.errors import RpcError

TEXT_MAX_UNITS = 4096  # UTF-16 units, https://core.telegram.org/bots/api#sendmessage
CAPTION_MAX_UNITS = 1024  # https://core.telegram.org/bots/api#sendphoto
ALBUM_MAX_ITEMS = 10  # https://core.telegram.org/bots/api#sendmediagroup
BOT_MESSAGES_PER_SECOND = 30  # https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this
CHAT_MESSAGES_PER_SECOND = 1
CHAT_BURST_MESSAGES = 3  # "short bursts" are allowed; how short is not published
GROUP_MESSAGES_PER_MINUTE = 20


def utf16_units(text: str) -> int:
    """The length of a text as Telegram counts it (https://core.telegram.org/api/entities#entity-length)."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def check_text(text: str, entities: Sequence[Any] | None, *, caption: bool = False) -> None:
    """Refuse what Telegram refuses of a text or caption and its entities.

    400 MESSAGE_EMPTY, MESSAGE_TOO_LONG, MEDIA_CAPTION_TOO_LONG or ENTITY_BOUNDS_INVALID.
    """
    units = utf16_units(text)
    if caption and units > CAPTION_MAX_UNITS:
        raise RpcError.bad_request("MEDIA_CAPTION_TOO_LONG")
    if not caption and not text.strip():
        raise RpcError.bad_request("MESSAGE_EMPTY")
    if not caption and units > TEXT_MAX_UNITS:
        raise RpcError.bad_request("MESSAGE_TOO_LONG")
    if entities:
        _check_entities(text, units, entities)


def _check_entities(text: str, units: int, entities: Sequence[Any]) -> None:
    encoded = b"" if units == len(text) else text.encode("utf-16-le", "surrogatepass")
    for entity in entities:
        end = entity.offset + entity.length
        outside = entity.offset < 0 or entity.length <= 0 or end > units
        if outside or _splits_a_pair(encoded, entity.offset) or _splits_a_pair(encoded, end):
            raise RpcError.bad_request("ENTITY_BOUNDS_INVALID")


def _splits_a_pair(encoded: bytes, unit: int) -> bool:
    """Whether a unit is the second half of a character outside the basic plane."""
    return 0xDC <= encoded[2 * unit + 1] <= 0xDF if 2 * unit + 1 < len(encoded) else False


class RateLimits:
    """How often a bot may send; people's limits are not published and come as faults.

    A message that is refused does not count. Times are in seconds of the given clock.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._sent: dict[tuple[int, int | None], deque[float]] = {}

    def check(self, bot_id: int, chat_id: int, messages: int, *, group: bool) -> None:
        """Count messages that are about to be sent, or raise 420 FLOOD_WAIT_x."""
        now = self._clock()
        overall = self._recent(bot_id, None, now, 1.0)
        here = self._recent(bot_id, chat_id, now, 60.0)
        bursting = [at for at in here if at > now - CHAT_BURST_MESSAGES / CHAT_MESSAGES_PER_SECOND]
        waits = [0.0]
        if len(overall) + messages > max(BOT_MESSAGES_PER_SECOND, messages):
            waits.append(overall[0] + 1.0 - now)
        if len(bursting) + messages > max(CHAT_BURST_MESSAGES, messages):
            waits.append(bursting[0] + CHAT_BURST_MESSAGES / CHAT_MESSAGES_PER_SECOND - now)
        if group and len(here) + messages > GROUP_MESSAGES_PER_MINUTE:
            waits.append(here[0] + 60.0 - now)
        wait = max(waits)
        if wait > 0:
            raise RpcError.wait(math.ceil(wait))
        overall.extend([now] * messages)
        here.extend([now] * messages)

    def _recent(self, bot_id: int, chat_id: int | None, now: float, window: float) -> deque[float]:
        sent = self._sent.setdefault((bot_id, chat_id), deque())
        while sent and sent[0] <= now - window:
            sent.popleft()
        return sent
