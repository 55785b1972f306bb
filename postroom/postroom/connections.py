"""How a command finds the running system: DATABASE_URL and NATS_URL, else the stack that runs in this directory."""

import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

import nats
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from pydantic import SecretStr

from common.messaging.rails import Rails
from common.messaging.replay import DeadLetters
from common.messaging.within import Emitting
from common.postgres import Database, verify_schema
from common.settings import DatabaseUrl, SettingsGroup, load_settings
from postroom.stack import running

CONNECT_SECONDS = 5


class NotFound(Exception):
    """The system can't be found or reached; the message says what to do."""


class Addresses(SettingsGroup):
    """Where a system runs that is not this directory's."""

    database_url: DatabaseUrl | None = None
    nats_url: SecretStr | None = None


@dataclass(frozen=True, slots=True)
class System:
    """A running system."""

    database: Database
    nats: Client

    @property
    def stream(self) -> JetStreamContext:
        """The JetStream context."""
        return self.nats.jetstream()

    def dead_letters(self, rails: Emitting, database: Database | None = None) -> DeadLetters:
        """Return the dead letters, inside a transaction where its `database` and `rails` are given."""
        return DeadLetters(self.stream, database or self.database, rails)

    @contextmanager
    def rails(self) -> Iterator[Rails]:
        """What emits events durably, for a block; what a crash leaves behind is published by the scheduler."""
        rails = Rails(self.stream, self.database)
        try:
            yield rails
        finally:
            rails.close()


def addresses() -> tuple[str, str]:
    """Return the addresses of PostgreSQL and NATS. Raises NotFound."""
    given = load_settings(Addresses)
    here = running.read()
    alive = here if here and here.alive else None
    database = given.database_url.get_secret_value() if given.database_url else alive and alive.database_url
    server = given.nats_url.get_secret_value() if given.nats_url else alive and alive.nats_url
    if not database or not server:
        raise NotFound("nothing runs here: start it with `make run`, or set DATABASE_URL and NATS_URL")
    return database, server


@asynccontextmanager
async def connected() -> AsyncIterator[System]:
    """Connect to the running system. Raises NotFound, and SchemaError where its database is older than this release."""
    database_url, nats_url = addresses()
    client = await connect_nats(nats_url)
    try:
        with _quiet("asyncpg"), _quiet("common.postgres"):
            async with Database.connect(database_url, size=2) as database:
                await verify_schema(database.strict)
                yield System(database, client)
    finally:
        await client.close()


@contextmanager
def _quiet(name: str) -> Iterator[None]:
    """Keep a logger from saying at length what the command itself says in one line."""
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


async def connect_nats(url: str) -> Client:
    """Connect to NATS. Raises NotFound."""
    problems: list[Exception] = []

    async def note(error: Exception) -> None:
        """What is raised in the end says less."""
        problems.append(error)

    try:
        return await nats.connect(
            url,
            connect_timeout=CONNECT_SECONDS,
            allow_reconnect=False,
            max_reconnect_attempts=1,  # otherwise it tries 60 times, also the first time
            reconnect_time_wait=0.2,
            error_cb=note,
        )
    except (OSError, NatsError, ValueError) as error:
        problem = next((each for each in problems if str(each)), error)
        raise NotFound(f"NATS can't be reached: {str(problem) or type(problem).__name__}") from None
