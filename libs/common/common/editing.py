"""Changing the catalog entry by entry, as the API does; `Catalog` adds and updates by names, as files do."""

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias
from uuid import UUID

import asyncpg

from common.postgres import Database, Queries

Noun: TypeAlias = Literal["source", "profile", "destination", "route"]


class AlreadyThere(Exception):
    """There is an entry of this name or address."""


class InUse(Exception):
    """Other records refer to the entry, so it stays."""


class NotThere(Exception):
    """What the entry refers to does not exist."""


class CatalogEditor:
    """Adds, changes and removes entries. Values are the columns of editing.sql's statements; `by` is who writes."""

    def __init__(self, database: Database, *, by: str = "") -> None:
        self._database = database
        self._by = by
        self._sql = Queries.load(__package__, "editing.sql")

    async def add(self, noun: Noun, values: Sequence[Any]) -> UUID | str:
        """Add an entry and return its key. Raises AlreadyThere, NotThere."""
        key: UUID | str | None = await self._run(f"add_{noun}", *values)
        if key is None:
            raise AlreadyThere(f"there is a {noun} with this name or address already")
        return key

    async def change(self, noun: Noun, key: UUID | str, values: Sequence[Any]) -> bool:
        """Replace all of an entry's values; False where there is none. Raises AlreadyThere, NotThere."""
        try:
            return await self._run(f"change_{noun}", key, *values) is not None
        except asyncpg.UniqueViolationError:
            raise AlreadyThere(f"there is another {noun} with this name or address") from None

    async def remove(self, noun: Noun, key: UUID | str) -> bool:
        """Remove an entry; False where there is none. Raises InUse."""
        try:
            async with self._database.transaction() as connection:
                return await connection.fetchval(self._sql[f"remove_{noun}"], key) is not None
        except asyncpg.ForeignKeyViolationError as error:
            raise InUse(f"the {noun} is used by {(error.table_name or 'others').replace('_', ' ')}") from None

    async def _run(self, statement: str, *values: Any) -> Any:
        try:
            async with self._database.transaction() as connection:
                if self._by:
                    await connection.execute(self._sql["by"], self._by)
                return await connection.fetchval(self._sql[statement], *values)
        except asyncpg.ForeignKeyViolationError as error:
            what = (error.constraint_name or "").removeprefix(f"{error.table_name}_").removesuffix("_id_fkey")
            raise NotThere(f"there is no such {what.replace('_', ' ')}") from None
