"""Connections to PostgreSQL, and how a call outlives a database that restarts."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, TypeAlias, TypeVar

import asyncpg
from asyncpg.pool import PoolConnectionProxy

log = logging.getLogger(__name__)

Result = TypeVar("Result")
Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"

# What says that the database is away or busy, not that the statement is wrong: the call may be repeated.
UNREACHABLE = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.TransactionRollbackError,
    asyncpg.InternalClientError,
)
# What opening a connection raises: as above, or a name, a password or an address that the server does not know.
NOT_LET_IN = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)


class DatabaseUnreachable(ConnectionError):
    """PostgreSQL can't be reached, or does not let us in; the message says why."""

    def __init__(self, error: Exception) -> None:
        super().__init__(f"PostgreSQL can't be reached: {str(error) or type(error).__name__}")


class Database:
    """Two pools on one database: results must survive its crash (`strict`), bookkeeping may be lost (`lax`).

    jsonb arrives as plain Python values.

    A claim or a deletion from the outbox that a crash takes back is simply made again, so `lax` connections commit
    without waiting for the disk (https://www.postgresql.org/docs/current/wal-async-commit.html); the next strict
    commit makes them durable as well.
    """

    def __init__(self, strict: "asyncpg.Pool[asyncpg.Record]", lax: "asyncpg.Pool[asyncpg.Record]") -> None:
        self.strict = strict
        self.lax = lax

    @classmethod
    @asynccontextmanager
    async def connect(cls, dsn: str, *, size: int = 4, command_timeout: float = 30.0) -> AsyncIterator["Database"]:
        """Open both pools, of up to `size` connections each; `command_timeout` is in seconds.

        Raises DatabaseUnreachable.
        """

        def pool(synchronous_commit: str) -> "asyncpg.Pool[asyncpg.Record]":
            return asyncpg.create_pool(
                dsn,
                min_size=1,
                max_size=size,
                command_timeout=command_timeout,
                init=_with_json,
                reset=_as_it_is,
                server_settings={"synchronous_commit": synchronous_commit, "application_name": "postroom"},
            )

        async with AsyncExitStack() as pools:
            try:
                strict = await pools.enter_async_context(pool("on"))
                lax = await pools.enter_async_context(pool("off"))
            except NOT_LET_IN as error:
                raise DatabaseUnreachable(error) from error
            try:
                yield cls(strict, lax)
            finally:  # whoever still waits is cancelled by now; a graceful close could wait for a dead server
                strict.terminate()
                lax.terminate()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """One strict transaction."""
        async with self.strict.acquire() as connection, connection.transaction():
            yield connection

    async def fetch(self, statement: str, *arguments: Any) -> list[asyncpg.Record]:
        """Read rows, outliving a restart of the database."""
        return await steady(lambda: self.lax.fetch(statement, *arguments))

    async def fetchrow(self, statement: str, *arguments: Any) -> asyncpg.Record | None:
        """Read one row, outliving a restart of the database."""
        return await steady(lambda: self.lax.fetchrow(statement, *arguments))

    async def strict_fetch(self, statement: str, *arguments: Any) -> list[asyncpg.Record]:
        """Run one idempotent statement that writes and returns rows, outliving a restart of the database."""
        return await steady(lambda: self.strict.fetch(statement, *arguments))

    async def execute(self, statement: str, *arguments: Any) -> str:
        """Run one idempotent statement in a strict transaction of its own, outliving a restart of the database."""
        return await steady(lambda: self.strict.execute(statement, *arguments))


async def bounded(call: Awaitable[Result], seconds: float) -> Result:
    """Return the result of `call` within `seconds`, or raise TimeoutError then, and not a moment later.

    asyncio.timeout would wait for the cancelled call, and a query waits for the answer to its cancel request: on a
    connection that is frozen, for as long as `command_timeout`.
    """
    task = asyncio.ensure_future(call)
    try:
        done, _ = await asyncio.wait({task}, timeout=seconds)
    except asyncio.CancelledError:
        _abandon(task)
        raise
    if not done:
        _abandon(task)
        raise TimeoutError(f"no answer within {seconds:.1f} s")
    return task.result()


def _abandon(task: "asyncio.Future[Any]") -> None:
    task.cancel()
    task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())  # nobody waits for how it ends


async def _with_json(connection: Connection) -> None:
    await connection.set_type_codec("jsonb", schema="pg_catalog", encoder=json.dumps, decoder=json.loads)


async def _as_it_is(_connection: Connection) -> None:
    """Spare the round trip that resets a session when a connection goes back to the pool: nobody here changes one.

    An open transaction is rolled back all the same.
    """


async def steady(call: Callable[[], Awaitable[Result]], patience: float = 60.0) -> Result:
    """Repeat `call` for up to `patience` seconds while the database is away. What is called must be repeatable."""
    loop = asyncio.get_running_loop()
    end, pause = loop.time() + patience, 0.05
    while True:
        try:
            return await call()
        except UNREACHABLE as error:
            if loop.time() > end:
                raise
            log.warning("database: %r, again in %.2f s", error, pause)
        await asyncio.sleep(pause)
        pause = min(2.0, pause * 2)
