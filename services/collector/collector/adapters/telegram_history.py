"""The history of a Telegram chat, read forwards in batches that tear no album."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from telethon import TelegramClient
from telethon.tl.functions.messages import GetHistoryRequest

from collector.ports import SourceUnreadable
from common.telegram.client import call
from common.telegram.peers import Peer

PAGE_MESSAGES = 100  # the most that one request gives: https://core.telegram.org/api/offsets
ALBUM_MESSAGES = 10  # the most that an album has
# The messages of an album arrive one by one. The clocks of Telegram and of this machine may differ by some seconds.
ALBUM_ARRIVES_WITHIN = timedelta(seconds=5)
ALBUM_PAUSE_SECONDS = 0.7


@dataclass(frozen=True, slots=True)
class Batch:
    """Messages, oldest first; `last_id` is where to read on from, `more` says that there is more already."""

    messages: Sequence[Any]
    last_id: int
    more: bool


class History:
    """The history of one chat."""

    def __init__(self, client: TelegramClient, peer: Peer) -> None:
        self._client = client
        self._peer = peer

    async def before_newest(self, count: int) -> int:
        """Return the id after which the newest `count` messages come, and the rest of an album that would be torn.

        0 where there are no more than those.
        """
        older = await self._ask(offset_id=0, add_offset=count, limit=ALBUM_MESSAGES + 1)
        group = _group(older[0]) if older else None
        return next((int(message.id) for message in older if group is None or _group(message) != group), 0)

    async def read(self, after: int, limit: int) -> Batch:
        """Read up to `limit` messages after an id. An album at the end is left to the next batch, or waited for.

        Raises SourceUnreadable where the chat forbids to save its content: a copy would put the account at risk.
        """
        messages, more = await self._forward(after, limit)
        if more:
            messages = without_torn_album(messages)
        else:
            while _still_arriving(messages):
                await asyncio.sleep(ALBUM_PAUSE_SECONDS)
                news, _ = await self._forward(messages[-1].id, limit)
                messages += news
        return Batch(messages, messages[-1].id if messages else after, more)

    async def _forward(self, after: int, limit: int) -> tuple[list[Any], bool]:
        """Return messages after an id and whether there may be more: a page that is not full is the last one."""
        messages: list[Any] = []
        while len(messages) < limit:
            last = messages[-1].id if messages else after
            size = min(PAGE_MESSAGES, limit - len(messages))
            # Telegram treats min_id oddly; a page that ends before the offset is what Telethon asks for as well.
            page = await self._ask(offset_id=last + 1, add_offset=-size, limit=size)
            news = [message for message in reversed(page) if message.id > last]
            messages += news
            if len(news) < size:
                return messages, False
        return messages, True

    async def _ask(self, *, offset_id: int, add_offset: int, limit: int) -> list[Any]:
        """Return one page, newest first."""
        answer = await call(
            self._client,
            GetHistoryRequest(
                self._peer.input_peer,
                offset_id=offset_id,
                offset_date=None,
                add_offset=add_offset,
                limit=limit,
                max_id=0,
                min_id=0,
                hash=0,
            ),
        )
        if any(chat.id == self._peer.id and getattr(chat, "noforwards", False) for chat in answer.chats):
            raise SourceUnreadable("the channel forbids saving its content, so it is not read")
        return list(answer.messages)


def without_torn_album(messages: list[Any]) -> list[Any]:
    """Leave out the album at the end, of which more may follow, and what came in between; never everything."""
    group = _group(messages[-1]) if messages else None
    if group is None:
        return messages
    first = next(position for position, message in enumerate(messages) if _group(message) == group)
    return messages[:first] or messages


def _still_arriving(messages: Sequence[Any]) -> bool:
    if not messages or _group(messages[-1]) is None:
        return False
    age = datetime.now(UTC) - messages[-1].date
    return bool(abs(age) < ALBUM_ARRIVES_WITHIN)


def _group(message: Any) -> int | None:
    return getattr(message, "grouped_id", None)
