"""Signs of life: each replica keeps one row, which `postroom status` and the api read."""

import asyncio
import logging
from importlib.metadata import version
from uuid import UUID

from common.postgres import UNREACHABLE, Database, Queries
from common.service.health import Health

log = logging.getLogger(__name__)

EVERY_SECONDS = 3.0


class Beats:
    """The beat of one replica of a service."""

    def __init__(self, database: Database, service: str, replica: UUID, address: str, health: Health) -> None:
        self._database = database
        self._identity = (service, replica)
        self._address = address
        self._health = health
        self._sql = Queries.load("common", "beats.sql")

    async def keep(self) -> None:
        """Beat for ever."""
        while True:
            try:
                problems, checks = await self._health.report()
                detail = "; ".join(f"{name}: {problem}" for name, problem in problems.items())
                await self._database.lax.execute(
                    self._sql["beat"],
                    *self._identity,
                    self._address,
                    not problems,
                    detail,
                    checks,
                    version("postroom-common"),
                )
            except UNREACHABLE as error:
                log.debug("beat: %r", error)
            await asyncio.sleep(EVERY_SECONDS)

    async def end(self) -> None:
        """Take the row away: this replica stopped in order."""
        try:
            async with asyncio.timeout(2.0):
                await self._database.lax.execute(self._sql["end"], *self._identity)
        except UNREACHABLE as error:
            log.debug("beat: %r", error)
