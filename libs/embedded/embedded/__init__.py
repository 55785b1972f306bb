"""NATS and PostgreSQL servers from wheels: what `make run` and the tests stand on."""

from embedded.nats import NatsServer
from embedded.postgres import PostgresServer
from embedded.process import ServerError

__all__ = ["NatsServer", "PostgresServer", "ServerError"]
