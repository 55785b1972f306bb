"""Leases: one holder per Telegram session and per lane.

A lock that dies with a database connection would let two holders in when the connection is lost and the work goes on.
A lease has a time to live instead: its holder stops by itself when half of it passed without a renewal, and a stand-by
waits all of it out.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from uuid import UUID

from common.postgres import UNREACHABLE, Database, Queries, bounded

log = logging.getLogger(__name__)

TTL_SECONDS = 10.0


class LeaseLost(Exception):
    """The lease could not be renewed in time, or somebody else has it: stop at once."""


class Leases:
    """The leases that one holder, usually a process, asks for."""

    def __init__(self, database: Database, holder: UUID, *, ttl: float = TTL_SECONDS) -> None:
        self._database = database
        self._holder = holder
        self._sql = Queries.load(__package__, "leases.sql")
        self.ttl = ttl

    async def take(self, name: str) -> bool:
        """Take or renew a lease; False while somebody else holds it."""
        row = await self._database.lax.fetchrow(self._sql["take"], name, self._holder, self.ttl)
        return row is not None

    async def release(self, name: str) -> None:
        """Give a lease back, so that nobody has to wait for its end."""
        await self._database.lax.execute(self._sql["release"], name, self._holder)

    async def wait_for(self, name: str) -> None:
        """Wait, as a stand-by, until the lease is ours."""
        while True:
            try:
                if await self.take(name):
                    return
            except UNREACHABLE as error:
                log.warning("lease %s: %r", name, error)
            await asyncio.sleep(self.ttl / 10)

    async def keep(self, name: str, lost: Callable[[], Awaitable[None]]) -> None:
        """Renew a lease for ever; call `lost` and return when half its time passed without a renewal."""
        loop = asyncio.get_running_loop()
        renewed = loop.time()
        while True:
            await asyncio.sleep(self.ttl / 10)
            asked = loop.time()
            left = renewed + self.ttl / 2 - asked
            try:
                held = await bounded(self.take(name), max(0.0, left))
            except UNREACHABLE as error:
                log.warning("lease %s: %r", name, error)
                if loop.time() >= renewed + self.ttl / 2:
                    break
                continue
            if not held:
                break
            renewed = asked
        log.error("lease %s is lost", name)
        await lost()

    @asynccontextmanager
    async def held(self, name: str) -> AsyncIterator[None]:
        """Hold a lease for a block: wait for it, renew it, give it back. Raises LeaseLost inside if it is lost."""
        await self.wait_for(name)
        task = asyncio.current_task()
        was_lost = False

        async def lost() -> None:
            nonlocal was_lost
            was_lost = True
            if task:
                task.cancel()

        keeper = asyncio.create_task(self.keep(name, lost))
        try:
            yield
        except asyncio.CancelledError:
            if was_lost and task:
                task.uncancel()
                raise LeaseLost(name) from None
            raise
        finally:
            keeper.cancel()
            if not was_lost:
                try:
                    await bounded(self.release(name), self.ttl / 4)
                except UNREACHABLE as error:  # it ends by itself
                    log.warning("lease %s: %r", name, error)
