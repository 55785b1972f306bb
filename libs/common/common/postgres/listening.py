"""Notices of PostgreSQL (NOTIFY), heard on a connection of their own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from common.postgres.pool import bounded

CONNECT_SECONDS = 10.0


class Notices:
    """What was heard of one channel."""

    def __init__(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        self._connection = connection
        self._rung = asyncio.Event()
        self._ended = False

    async def wait(self, at_most: float) -> bool:
        """Return True after a notice, False after `at_most` seconds. Raises ConnectionError when nothing more is heard.

        Notices that come while nobody waits are one, and the next call returns at once.
        """
        try:
            async with asyncio.timeout(at_most):
                await self._rung.wait()
        except TimeoutError:
            return False
        if self._ended:
            raise ConnectionResetError("the connection that notices come by has ended")
        self._rung.clear()
        return True

    async def check(self) -> None:
        """Ask the connection whether it still is one: what dies silently, as behind a firewall, says nothing by itself.

        Raises OSError, TimeoutError or what asyncpg raises where it is none.
        """
        await bounded(self._connection.execute("SELECT 1"), CONNECT_SECONDS)

    def ring(self, *_notice: object) -> None:
        """There was a notice."""
        self._rung.set()

    def end(self, *_connection: object) -> None:
        """There will be no more."""
        self._ended = True
        self._rung.set()


@asynccontextmanager
async def listening(dsn: str, channel: str) -> AsyncIterator[Notices]:
    """Hear the notices of a channel. Raises what asyncpg.connect raises."""
    connection = await asyncpg.connect(
        dsn, timeout=CONNECT_SECONDS, server_settings={"application_name": "postroom-listening"}
    )
    notices = Notices(connection)
    connection.add_termination_listener(notices.end)
    try:
        await connection.add_listener(channel, notices.ring)
        yield notices
    finally:
        connection.remove_termination_listener(notices.end)
        connection.terminate()
