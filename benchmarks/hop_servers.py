"""The servers of the hop, and an empty stream and database on them for each run."""

import asyncio
import tempfile
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import asyncpg
import nats

from benchmarks.hop_messages import CONTRACTS, TABLE
from common.messaging.streams import migrate_topology
from common.postgres import migrate
from embedded import NatsServer, PostgresServer
from postroom.stack.servers import SETTINGS


class HopServers:
    """NATS and PostgreSQL as `postroom up` runs them; PostgreSQL waits for the disk wherever results are committed."""

    def __init__(self, nats_server: NatsServer, postgres: PostgresServer, *, sync_always: bool) -> None:
        self.sync_always = sync_always
        self._nats = nats_server
        self._postgres = postgres
        self._databases = count()

    @classmethod
    @contextmanager
    def running(cls, *, sync_always: bool) -> Iterator["HopServers"]:
        """Run both for a block; with `sync_always` NATS flushes every message to disk before it acknowledges it."""
        with tempfile.TemporaryDirectory(prefix="postroom-bench-") as directory:
            postgres = PostgresServer(Path(directory) / "postgres", settings=SETTINGS)
            nats_server = NatsServer(Path(directory) / "nats", sync_always=sync_always)
            try:
                yield cls(nats_server.start(), postgres.start(), sync_always=sync_always)
            finally:
                nats_server.stop()
                postgres.stop()

    @contextmanager
    def clean_slate(self) -> Iterator[tuple[str, str]]:
        """Give the addresses of NATS, its streams empty, and of a migrated database; both are cleared afterwards."""
        name = f"bench_{next(self._databases)}"
        _run(self._execute(f"CREATE DATABASE {name}"))
        url = self._postgres.dsn_of(name)
        _run(migrate(url))
        _run(_create_table(url))
        _run(self._create_streams())
        try:
            yield self._nats.url, url
        finally:
            _run(self._delete_streams())
            _run(self._execute(f"DROP DATABASE {name} WITH (FORCE)"))
            _run(self._execute("CHECKPOINT"))  # what this run left to write must not slow the next one

    async def _execute(self, statement: str) -> None:
        connection = await asyncpg.connect(self._postgres.dsn)
        await connection.execute(statement)
        await connection.close()

    async def _create_streams(self) -> None:
        client = await nats.connect(self._nats.url)
        await migrate_topology(client.jetstream(), CONTRACTS)
        await client.close()

    async def _delete_streams(self) -> None:
        client = await nats.connect(self._nats.url)
        for name in CONTRACTS.streams:
            await client.jetstream().delete_stream(name)
        await client.close()


async def _create_table(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(TABLE)
    await connection.close()


def _run(work: Coroutine[Any, Any, Any]) -> None:
    asyncio.run(work)
