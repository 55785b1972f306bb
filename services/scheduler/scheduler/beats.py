"""Signs of life of the scheduler's workers, which /health/workers shows."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from uuid import UUID

from common.postgres import UNREACHABLE, Database, Queries

log = logging.getLogger(__name__)

EVERY_SECONDS = 3.0
LEAVE_SECONDS = 2.0


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

    def looks_again_in(self, seconds: float) -> None:
        """Note when the worker looks again at the latest."""
        self.next_run = datetime.now(UTC) + timedelta(seconds=seconds)

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

    async def _end(self) -> None:
        try:
            async with asyncio.timeout(LEAVE_SECONDS):
                await self._database.lax.execute(self._sql["end"], self.worker, self._replica)
        except UNREACHABLE as error:
            log.debug("%s: %r", self.worker, error)
