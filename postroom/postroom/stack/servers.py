"""The embedded servers of a stack, started again when they die."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

from embedded import NatsServer, PostgresServer, ServerError

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.2
NAMES = {NatsServer: "NATS", PostgresServer: "PostgreSQL"}
SETTINGS = {"shared_buffers": "96MB", "max_wal_size": "512MB"}


class Servers:
    """NATS and PostgreSQL, each embedded unless its address is given."""

    def __init__(self, directory: Path, *, nats_url: str | None, database_url: str | None) -> None:
        self._nats = None if nats_url else NatsServer(directory / "nats")
        self._postgres = None if database_url else PostgresServer(directory / "postgres", settings=SETTINGS)
        self._nats_url = nats_url
        self._database_url = database_url

    @property
    def nats_url(self) -> str:
        """Where NATS is."""
        return self._nats_url or (self._nats.url if self._nats else "")

    @property
    def database_url(self) -> str:
        """Where PostgreSQL is."""
        return self._database_url or (self._postgres.dsn if self._postgres else "")

    @property
    def pids(self) -> dict[str, int]:
        """The process ids of the embedded servers that run."""
        found = {"nats": self._nats and self._nats.pid, "postgres": self._postgres and self._postgres.pid}
        return {name: pid for name, pid in found.items() if pid}

    async def start(self) -> None:
        """Start what is embedded. Raises ServerError."""
        for server in self._embedded():
            await asyncio.to_thread(server.start)

    async def watch(self, changed: Callable[[], None]) -> None:
        """Start a server again whenever it has died."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            for server in self._embedded():
                if server.pid is None:
                    log.warning("%s has died and is started again", NAMES[type(server)])
                    try:
                        await asyncio.to_thread(server.start)
                    except ServerError as error:  # its children may still be ending
                        log.warning("%s", error)
                    changed()

    async def stop(self) -> None:
        """Stop what is embedded."""
        for server in self._embedded():
            await asyncio.to_thread(server.stop)

    def _embedded(self) -> list[NatsServer | PostgresServer]:
        return [server for server in (self._nats, self._postgres) if server]
