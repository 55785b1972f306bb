"""A lane: sends what is due at one destination, the oldest first, one at a time."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence

from common.bell import Bell
from common.messaging.queue import Queue
from common.postgres import UNREACHABLE
from common.telemetry.logs import logged_about
from publisher.endings import Ending, Endings
from publisher.pace import LanePace
from publisher.sending import NotNow, Sending
from publisher.store import Store, Task

log = logging.getLogger(__name__)

IDLE_SECONDS = 2.0  # a lane that had nothing to do for so long gives its lease back
LEAVE_SECONDS = 5.0  # for results that are not recorded yet when a lane is told to stop
GATHER_SECONDS = 0.1  # between two small batches: what comes steadily is taken on together
UNRECORDED = 100  # results that may wait for their transaction while the lane goes on


class Lane:
    """One destination, as long as its lease is ours.

    A publication is taken on (its random ids and the time of its first try are stored), sent, and its result recorded
    together with those of others while the next one is on its way. Whatever happens in between, what was taken on is
    sent again with the same random ids, which the platform recognises.
    """

    def __init__(
        self,
        destination: str,
        store: Store,
        endings: Endings,
        pace: LanePace,
        sending: Callable[[Callable[[Ending], None]], Sending],
        queue: Queue,
        *,
        batch: int,
    ) -> None:
        self.bell = Bell()
        self._destination = destination
        self._store = store
        self._endings = endings
        self._pace = pace
        self._queue = queue
        self._batch = batch
        self._sending = sending(self._ended)
        self._small, self._took_on = False, 0.0
        self._unrecorded: set[asyncio.Future[None]] = set()

    async def run(self) -> None:
        """Send what is due until there has been nothing for a while, or the queue is paused.

        Raises Unusable, and where a result can't be recorded.
        """
        try:
            self._sending.newest = await self._store.newest_message(self._destination)
            await self._publish_all(await self._store.left_over(self._destination))
            while await self._something_due():
                await self._gather()
                await self._sending.ready()
                await self._sending.orient()
                await self._pace.allow()
                await self._sending.ready()  # the pace may have taken long
                if self._queue.paused:
                    continue
                tasks = await self._store.take_on(self._destination, self._batch, self._sending.newest)
                self._small, self._took_on = len(tasks) < self._batch, time.monotonic()
                await self._publish_all(tasks)
        finally:
            if self._unrecorded:
                await asyncio.wait(self._unrecorded, timeout=LEAVE_SECONDS)
        await self._recorded(0)

    async def _gather(self) -> None:
        """Wait a little for more, where a batch that was not full has just ended."""
        if self._small:
            await asyncio.sleep(max(0.0, self._took_on + GATHER_SECONDS - time.monotonic()))

    async def _something_due(self) -> bool:
        idle_since = time.monotonic()
        while not self._queue.paused and time.monotonic() - idle_since < IDLE_SECONDS:
            if await self._store.anything_due(self._destination):
                return True
            await self.bell.wait()
        return False

    async def _publish_all(self, tasks: Sequence[Task]) -> None:
        """Send in order; what is certainly not sent when something stands in the way is given back."""
        left = deque(tasks)
        try:
            while left:
                with logged_about(left[0].post_id, left[0].traceparent):
                    await self._sending.publish(left[0])
                left.popleft()
                await self._recorded(UNRECORDED)
        except NotNow:
            log.info("%s: %d publications given back for now", self._destination, len(left))
        finally:
            if unsent := [task for task in left if not task.begun]:
                await asyncio.shield(self._give_back(unsent))

    async def _give_back(self, tasks: Sequence[Task]) -> None:
        try:
            async with asyncio.timeout(LEAVE_SECONDS / 2):
                await self._endings.give_back(tasks)
        except UNREACHABLE as error:  # whoever comes next sends them again, with the same random ids
            log.warning("%s: %r", self._destination, error)

    def _ended(self, ending: Ending) -> None:
        self._unrecorded.add(self._endings.record(ending))

    async def _recorded(self, at_most: int) -> None:
        """Wait until no more results than this wait for their transaction. Raises what went wrong with one."""
        while True:
            done = {result for result in self._unrecorded if result.done()}
            self._unrecorded -= done
            for result in done:
                result.result()
            if len(self._unrecorded) <= at_most:
                return
            await asyncio.wait(self._unrecorded, return_when=asyncio.FIRST_COMPLETED)
