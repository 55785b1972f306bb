"""Reading the stream LIVE, page by page, by direct gets: the server keeps nothing for it, and nothing is left behind.

https://github.com/nats-io/nats-architecture-and-design/blob/main/adr/ADR-31.md
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js.errors import NotFoundError

from api.live.told import Told, of_message
from common.bell import Bell
from common.live import PREFIX, STREAM
from common.messaging.streams import TopologyError

PAGE = 256
PAGE_BYTES = 2**22
ANSWER_SECONDS = 3.0
NOTHING, END = "404", "204"


class NotReadable(NatsError):
    """The stream gives no answer."""


class Source:
    """The stream LIVE."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def bounds(self) -> tuple[int, int]:
        """Return the first and the last sequence that it holds. Raises TopologyError where it is missing."""
        try:
            state = (await self._client.jetstream().stream_info(STREAM)).state
        except NotFoundError:
            raise TopologyError(f"the stream {STREAM} is missing: run `postroom migrate`") from None
        return state.first_seq, state.last_seq

    async def after(self, position: int) -> list[Told]:
        """Return the events that follow `position`, up to a page of them. Raises NatsError or OSError.

        Their ids follow on each other; where the first one does not follow on `position`, what was between is gone.
        """
        page: list[Told] = []
        ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        async def answered(message: Msg) -> None:
            status = (message.headers or {}).get("Status")
            if status is None:
                page.append(of_message(message))
            elif not ended.done():
                ended.set_result(status)

        inbox = self._client.new_inbox()
        subscription = await self._client.subscribe(inbox, cb=answered)
        try:
            asked = {"seq": position + 1, "batch": PAGE, "max_bytes": PAGE_BYTES}
            await self._client.publish(f"$JS.API.DIRECT.GET.{STREAM}", json.dumps(asked).encode(), inbox)
            async with asyncio.timeout(ANSWER_SECONDS):
                status = await ended
        finally:
            with contextlib.suppress(NatsError):
                await subscription.unsubscribe()
        if status not in (NOTHING, END):
            raise NotReadable(f"the stream {STREAM} can't be read: {status}")
        return page

    @asynccontextmanager
    async def ringing(self, bell: Bell) -> AsyncIterator[None]:
        """Ring a bell, for a block, whenever there is a new event. The stream may have it a moment later."""

        async def rung(_message: Msg) -> None:
            bell.ring()

        subscription = await self._client.subscribe(f"{PREFIX}>", cb=rung)
        try:
            yield
        finally:
            with contextlib.suppress(NatsError):
                await subscription.unsubscribe()
