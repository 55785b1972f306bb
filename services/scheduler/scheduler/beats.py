"""Signs of life of the scheduler's workers, which /health/workers shows."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID

from common.postgres import UNREACHABLE, Database, Queries

log = logging.getLogger(__name__)

EVERY_SECONDS = 3.0
LEAVE_SECONDS = 2.0
BROKEN_SECONDS = 5.0


class WorkerBeats:
    """The beats of one worker in this replica; one that is not `running` says that it is switched off.

    While its looks fail (`failing`) it does not run either.
    """

    def __init__(self, database: Database, worker: str, replica: UUID, *, running: bool = True) -> None:
        self.worker = worker
        self._database = database
        self._replica = replica
        self._running = running
        self.next_run: datetime | None = None
        self.failing = False
        self._sql = Queries.load(__package__, "beats.sql")

    def pause(self, due_in: float | None, check_seconds: float) -> float:
        """Note that a look went well, and return the seconds until the next one.

        Something is due in `due_in` seconds, or nothing is; between two looks are `check_seconds` at most.
        """
        self.failing = False
        return self._looks_again_in(check_seconds if due_in is None else min(check_seconds, max(0.0, due_in)))

    def broken_pause(self) -> float:
        """Note that a look failed, and return the seconds until the next one."""
        self.failing = True
        return self._looks_again_in(BROKEN_SECONDS)

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Beat as long as the block lasts."""
        beating = asyncio.create_task(self.keep())
        try:
            yield
        finally:
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)

    async def keep(self) -> None:
        """Beat for ever; when cancelled, take the row away."""
        try:
            while True:
                try:
                    running = self._running and not self.failing
                    values = self.worker, self._replica, running, self.next_run
                    await self._database.lax.execute(self._sql["beat"], *values)
                except UNREACHABLE as error:
                    log.debug("%s: %r", self.worker, error)
                await asyncio.sleep(EVERY_SECONDS)
        finally:
            await self._end()

    def _looks_again_in(self, seconds: float) -> float:
        self.next_run = datetime.now(UTC) + timedelta(seconds=seconds)
        return seconds

    async def _end(self) -> None:
        try:
            async with asyncio.timeout(LEAVE_SECONDS):
                await self._database.lax.execute(self._sql["end"], self.worker, self._replica)
        except UNREACHABLE as error:
            log.debug("%s: %r", self.worker, error)
