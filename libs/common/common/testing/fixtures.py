"""Pytest fixtures: PostgreSQL and NATS, embedded, and a migrated database and topology for each test."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path

import asyncpg
import nats
import pytest
from nats.aio.client import Client

from common.contracts import topology
from common.messaging.streams import migrate_topology
from common.postgres import Database, migrate
from common.service import ServiceSettings
from common.testing.containers import NatsContainer, PostgresContainer
from embedded import NatsServer, PostgresServer

DATABASES = count()
DOCKER = os.environ.get("TEST_INFRA") == "docker"  # containers in the place of the embedded servers


@pytest.fixture
def server_directory() -> Iterator[Path]:
    """A directory for servers. As root PostgreSQL runs under another account, which must not be shut out: each start of
    pytest closes the directory of `tmp_path` to all others."""
    with tempfile.TemporaryDirectory(prefix="postroom-test-") as directory:
        yield Path(directory)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer | PostgresContainer]:
    """One PostgreSQL server for all tests; TEST_POSTGRES_VERSION picks the release (the newest by default).

    It does not wait for the disk: tests that kill it kill the process, not the machine.
    """
    if DOCKER:
        container = PostgresContainer().start()
        yield container
        container.stop()
        return
    version = int(os.environ["TEST_POSTGRES_VERSION"]) if "TEST_POSTGRES_VERSION" in os.environ else None
    with tempfile.TemporaryDirectory(prefix="postroom-test-") as directory:
        settings = {"fsync": "off", "full_page_writes": "off"}
        server = PostgresServer(Path(directory), version=version, settings=settings).start()
        yield server
        server.stop()


@pytest.fixture(scope="session")
def migrated(postgres: PostgresServer | PostgresContainer) -> str:
    """The name of a migrated database, to be copied: that is quicker than to migrate each."""
    name = "test_template"

    async def create() -> None:
        admin = await asyncpg.connect(postgres.dsn)
        try:
            await admin.execute(f"CREATE DATABASE {name}")
        finally:
            await admin.close()
        await migrate(postgres.dsn_of(name))

    asyncio.run(create())
    return name


@pytest.fixture
async def database_url(postgres: PostgresServer | PostgresContainer, migrated: str) -> AsyncIterator[str]:
    """A migrated database of its own, dropped afterwards."""
    name = f"test_{next(DATABASES)}"
    admin = await asyncpg.connect(postgres.dsn)
    try:
        await admin.execute(f"CREATE DATABASE {name} TEMPLATE {migrated}")
        url = postgres.dsn_of(name)
        yield url
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await admin.close()


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """Pools on the test's database."""
    async with Database.connect(database_url) as database:
        yield database


@pytest.fixture
def nats_server(tmp_path: Path) -> Iterator[NatsServer | NatsContainer]:
    """A NATS server of its own."""
    server = (NatsContainer() if DOCKER else NatsServer(tmp_path / "nats")).start()
    yield server
    server.stop()


@pytest.fixture
async def nats_client(nats_server: NatsServer | NatsContainer) -> AsyncIterator[Client]:
    """A client of the test's server, which has all streams and durables."""
    client = await nats.connect(nats_server.url)
    await migrate_topology(client.jetstream(), topology())
    yield client
    await client.close()


@pytest.fixture
def service_settings(
    database_url: str, nats_server: NatsServer | NatsContainer, nats_client: Client, monkeypatch: pytest.MonkeyPatch
) -> ServiceSettings:
    """The settings with which a service finds the test's servers, also set in the environment."""
    assert nats_client.is_connected
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("NATS_URL", nats_server.url)
    return ServiceSettings(_env_file=None)  # type: ignore[call-arg]
