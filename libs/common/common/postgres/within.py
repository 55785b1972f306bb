"""A database as it is seen from inside one transaction, so that several use cases can be one of them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from common.postgres.pool import Connection, Database


class Within(Database):
    """What is asked of it happens on one connection, in its transaction. It has no pools, and repeats nothing."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A savepoint: an error in it takes back what was done in it, and nothing else."""
        async with self.connection.transaction():
            yield self.connection

    async def fetch(self, statement: str, *arguments: Any) -> list[asyncpg.Record]:
        """Read rows."""
        return await self.connection.fetch(statement, *arguments)

    async def fetchrow(self, statement: str, *arguments: Any) -> asyncpg.Record | None:
        """Read one row."""
        return await self.connection.fetchrow(statement, *arguments)

    async def strict_fetch(self, statement: str, *arguments: Any) -> list[asyncpg.Record]:
        """Run a statement that writes and returns rows."""
        async with self.transaction():
            return await self.connection.fetch(statement, *arguments)

    async def execute(self, statement: str, *arguments: Any) -> str:
        """Run a statement."""
        async with self.transaction():
            return await self.connection.execute(statement, *arguments)
