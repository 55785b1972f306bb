"""Looking for messages by their ids: a bot can't read a chat's history (https://core.telegram.org/method/messages.getHistory)."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from telethon import utils
from telethon.tl import types

from common.media.items import Kind, MediaItem
from common.sends import Inconclusive
from common.telegram.peers import Peer
from common.telegram.shown import kinds_shown
from publisher.ports import Message

Ask = Callable[[Iterable[int]], Awaitable[list[Any]]]

PAGE, PAGES = 100, 50  # ids per request (https://core.telegram.org/method/channels.getMessages), requests
NEAR = 40  # ids in a row after the newest that was seen
FAR = range(1, 30)  # powers of two beyond these
MOST = 2**31 - 1
QUIET, QUIET_LOOK = 2, 20  # pages without anything that say that there is nothing more: what was deleted leaves gaps


async def newest(ask: Ask, known: int = 0, *, quiet: int = QUIET) -> int:
    """Return the newest id that is there, `known` where none is newer.

    Leaps as long as they hit something, and then reads on until so many pages are empty.
    """
    while True:
        known = start = await _leap(ask, known)
        for page in range(quiet):
            first = start + 1 + page * PAGE
            if there := await ask(range(first, first + PAGE)):
                known = max(found.id for found in there)
                break
        if known == start:
            return known


async def _leap(ask: Ask, known: int) -> int:
    """Ask for the next ids and for ever more distant ones, and again from the last one that is there."""
    while True:
        near = known + NEAR
        far = (near + step for power in FAR for step in (2**power, 3 * 2 ** (power - 1)))
        there = await ask([*range(known + 1, near + 1), *(number for number in far if number <= MOST)])
        if not there:
            return known
        known = max(found.id for found in there)


async def look_for(ask: Ask, message: Message, peer: Peer, taken: frozenset[int]) -> tuple[int, ...] | None:
    """Return the ids of a message among those after `message.after`, None where it is not. Raises Inconclusive.

    Parts of an album have neighbouring ids, the first one has the text.
    """
    last = await newest(ask, message.after, quiet=QUIET_LOOK)
    first = message.after + 1
    for start in range(first, last + 1, PAGE)[:PAGES]:
        for found in sorted(await ask(range(start, start + PAGE)), key=lambda there: int(there.id)):
            if found.id not in taken and _is_from_us(found, peer) and same(found, message):
                return await _parts(ask, found, len(message.random_ids))
    if last - message.after > PAGE * PAGES:
        raise Inconclusive(f"there are messages up to {last}, and only {PAGE * PAGES} from {first} on were read")
    return None


async def _parts(ask: Ask, first: Any, most: int) -> tuple[int, ...]:
    """Return the ids of the album that begins with a message, or of the message alone."""
    if first.grouped_id is None:
        return (first.id,)
    near = await ask(range(first.id, first.id + most))
    return tuple(sorted(found.id for found in near if getattr(found, "grouped_id", None) == first.grouped_id))


def same(found: types.Message, message: Message) -> bool:
    """Tell whether a message says and shows this, or says it without its media or some of them.

    Telegram trims texts, and what it trims is not compared.
    """
    if (found.message or "").strip() != message.body.text.strip():
        return False
    if isinstance(found.media, types.MessageMediaPhoto | types.MessageMediaDocument):
        kinds = zip(message.media, kinds_shown(message.media) if message.media else (), strict=True)
        as_many = (found.grouped_id is not None) == (len(message.media) > 1)
        return (as_many or bool(found.message)) and any(_shows(found.media, item, kind) for item, kind in kinds)
    return bool(found.message) and isinstance(found.media, types.MessageMediaWebPage | None)


def _shows(media: Any, item: MediaItem, kind: Kind) -> bool:
    """Tell whether this may be the medium. Telegram keeps files as they are; what is shown it may change."""
    if isinstance(media, types.MessageMediaPhoto) or kind == "photo":
        return isinstance(media, types.MessageMediaPhoto) and kind == "photo"
    size = getattr(media.document, "size", None)
    return kind != "document" or None in (size, item.size_bytes) or size == item.size_bytes


def _is_from_us(found: Any, peer: Peer) -> bool:
    """Ids of private chats and basic groups count the messages of all of them."""
    return isinstance(found, types.Message) and bool(found.out) and utils.get_peer_id(found.peer_id) == peer.marked_id
