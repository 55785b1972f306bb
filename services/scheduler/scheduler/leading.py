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
        async with self._beats.kept():
            while True:
                try:
                    async with self._leases.held(self._lease):
                        await self._lead()
                except LeaseLost:
                    log.warning("%s: another replica leads now", self._beats.worker)
                except Exception:  # whatever the lease could not be asked for
                    log.exception("%s: the lease failed", self._beats.worker)
                    await asyncio.sleep(self._beats.broken_pause())

    async def _lead(self) -> None:
        while True:
            try:
                pause = self._beats.pause(await self._look(), self._check_seconds)
            except (asyncpg.PostgresError, NatsError, *UNREACHABLE) as error:
                log.warning("%s: %r", self._beats.worker, error)
                pause = self._beats.broken_pause()
            except Exception:  # whatever it is, the next look must not wait for somebody to notice
                log.exception("%s: this look failed", self._beats.worker)
                pause = self._beats.broken_pause()
            await asyncio.sleep(pause)
