"""NATS and PostgreSQL as `postroom up` runs them, migrated, for a benchmark that starts single services."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import nats
from nats.js import JetStreamContext

from common.contracts import topology
from common.messaging.streams import migrate_topology
from common.postgres import Database, migrate
from embedded import NatsServer, PostgresServer
from postroom.stack.servers import SETTINGS


@dataclass(frozen=True, slots=True)
class BenchServers:
    """Both, and connections to them. `environment` leads a service to them."""

    database: Database
    stream: JetStreamContext
    environment: dict[str, str]


@asynccontextmanager
async def bench_servers() -> AsyncIterator[BenchServers]:
    """Run both for a block."""
    with tempfile.TemporaryDirectory(prefix="postroom-bench-") as directory:
        postgres = PostgresServer(Path(directory) / "postgres", settings=SETTINGS)
        nats_server = NatsServer(Path(directory) / "nats")
        try:
            url, address = postgres.start().dsn, nats_server.start().url
            await migrate(url)
            client = await nats.connect(address)
            await migrate_topology(client.jetstream(), topology())
            async with Database.connect(url) as database:
                yield BenchServers(database, client.jetstream(), {"DATABASE_URL": url, "NATS_URL": address})
            await client.close()
        finally:
            nats_server.stop()
            postgres.stop()
