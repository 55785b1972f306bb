"""What workers have in common that one replica at a time does."""

import asyncio
import logging

import asyncpg
from nats.errors import Error as NatsError

from common.leases import LeaseLost, Leases
from common.postgres import UNREACHABLE
from scheduler.beats import WorkerBeats
from scheduler.waking import Look

log = logging.getLogger(__name__)

BROKEN_SECONDS = 5.0


class Leading:
    """Looks again and again, in whichever replica holds the lease. `look` returns the seconds until the next look."""

    def __init__(self, leases: Leases, lease: str, look: Look, beats: WorkerBeats, *, check_seconds: float) -> None:
        self._leases = leases
        self._lease = lease
        self._look = look
        self._beats = beats
        self._check_seconds = check_seconds

    async def run(self) -> None:
        """Work for ever, and beat; a replica that stands by beats as well."""
        beating = asyncio.create_task(self._beats.keep())
        try:
            while True:
                try:
                    async with self._leases.held(self._lease):
                        await self._lead()
                except LeaseLost:
                    log.warning("%s: another replica leads now", self._beats.worker)
        finally:
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)

    async def _lead(self) -> None:
        while True:
            try:
                due_in = await self._look()
                self._beats.failing = False
                pause = self._check_seconds if due_in is None else min(self._check_seconds, max(0.0, due_in))
            except (asyncpg.PostgresError, NatsError, *UNREACHABLE) as error:
                self._beats.failing = True
                log.warning("%s: %r", self._beats.worker, error)
                pause = BROKEN_SECONDS
            self._beats.looks_again_in(pause)
            await asyncio.sleep(pause)
