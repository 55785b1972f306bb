"""The servers of the tests as containers (`TEST_INFRA=docker`), in the place of the embedded ones."""

import os
from typing import Self

from testcontainers.core.container import DockerContainer
from testcontainers.core.wait_strategies import ExecWaitStrategy, LogMessageWaitStrategy

POSTGRES_IMAGE, NATS_IMAGE = "postgres:17", "nats:2.12"


class PostgresContainer:
    """PostgreSQL in a container, with the addresses of `embedded.PostgresServer`."""

    def __init__(self) -> None:
        self._container = (
            DockerContainer(os.environ.get("TEST_POSTGRES_IMAGE", POSTGRES_IMAGE))
            .with_env("POSTGRES_HOST_AUTH_METHOD", "trust")
            .with_env("POSTGRES_DB", "postroom")
            .with_exposed_ports(5432)
            .with_command("postgres -c fsync=off -c max_connections=200")
            # Over TCP: the server that only initialises the database listens on a socket, and calls itself ready too.
            .waiting_for(ExecWaitStrategy(["pg_isready", "-h", "127.0.0.1", "-U", "postgres"]))
        )

    @property
    def dsn(self) -> str:
        """The connection string of the database `postroom`."""
        return self.dsn_of("postroom")

    def dsn_of(self, database: str) -> str:
        """The connection string of another database of this server."""
        host, port = self._container.get_container_host_ip(), self._container.get_exposed_port(5432)
        return f"postgresql://postgres@{host}:{port}/{database}"

    def start(self) -> Self:
        """Start it, and wait until it takes connections."""
        self._container.start()
        return self

    def stop(self) -> None:
        """Stop and remove it."""
        self._container.stop()


class NatsContainer:
    """NATS with JetStream in a container, with the address of `embedded.NatsServer`."""

    def __init__(self) -> None:
        self._container = (
            DockerContainer(os.environ.get("TEST_NATS_IMAGE", NATS_IMAGE))
            .with_exposed_ports(4222)
            .with_command("--jetstream")
            .waiting_for(LogMessageWaitStrategy("Server is ready"))
        )

    @property
    def url(self) -> str:
        """The address for clients."""
        return f"nats://{self._container.get_container_host_ip()}:{self._container.get_exposed_port(4222)}"

    def start(self) -> Self:
        """Start it, and wait until it takes connections."""
        self._container.start()
        return self

    def stop(self) -> None:
        """Stop and remove it."""
        self._container.stop()
