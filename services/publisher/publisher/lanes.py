"""The lanes of this replica: one for each destination that has something to send."""

import asyncio
import logging
from collections.abc import Callable

from common.bell import Bell
from common.leases import LeaseLost, Leases
from common.messaging.queue import Queue
from common.postgres import UNREACHABLE
from publisher.lane import Lane
from publisher.sending import Unusable
from publisher.store import Store

log = logging.getLogger(__name__)

LEFT_SECONDS = 5.0  # for another replica to take a lane that was left to it
AGAIN_SECONDS = 1.0  # until a lane that failed is tried again


class Lanes:
    """Starts lanes where there is work. A lease says which replica has a lane; the others stand by for it.

    While the queue is paused there are none.
    """

    def __init__(self, store: Store, leases: Leases, queue: Queue, make: Callable[[str], Lane | None]) -> None:
        self._store = store
        self._leases = leases
        self._queue = queue
        self._make = make
        self._bell = Bell()
        self._running: dict[str, asyncio.Task[None]] = {}
        self._lanes: dict[str, Lane] = {}

    def ring(self) -> None:
        """There is something to send, or will be in a moment."""
        self._bell.ring()
        for lane in self._lanes.values():
            lane.bell.ring()

    async def keep(self) -> None:
        """Keep lanes going for ever; when cancelled, let each finish the send that is under way."""
        try:
            while True:
                try:
                    for destination in [] if self._queue.paused else await self._store.busy_destinations():
                        if destination not in self._running:
                            self._start(destination)
                except UNREACHABLE as error:
                    log.warning("lanes: %r", error)
                await self._bell.wait()
        finally:
            running = list(self._running.values())
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    def _start(self, destination: str) -> None:
        if lane := self._make(destination):
            self._running[destination] = asyncio.create_task(self._run(destination, lane))

    async def _run(self, destination: str, lane: Lane) -> None:
        try:
            async with self._leases.held(f"lane:{destination}"):
                self._lanes[destination] = lane
                await lane.run()
        except Unusable as problem:
            log.warning("lane %s is left to other replicas: %s", destination, problem)
            await asyncio.sleep(LEFT_SECONDS)
        except LeaseLost:
            log.warning("lane %s: another replica may have it now", destination)
        except Exception:
            log.exception("lane %s stopped", destination)
            await asyncio.sleep(AGAIN_SECONDS)
        finally:
            self._lanes.pop(destination, None)
            del self._running[destination]
