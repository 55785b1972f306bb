"""Asking for operations, looking at them, stopping them."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from common.operations.operation import Filter, Kind, Operation
from common.postgres import Database, Queries

END_OF_TIME = datetime(9999, 12, 31, tzinfo=UTC)


class UnknownKind(Exception):
    """There is no such kind of operation; the message names those that there are."""


class WrongFilter(Exception):
    """The filter can't be understood. `errors` are a field and what is wrong with it."""

    def __init__(self, errors: Sequence[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{field}: {detail}" if field else detail for field, detail in errors))
        self.errors = errors


class NoSuchOperation(Exception):
    """There is no operation with this id."""


class OperationEnded(Exception):
    """It has ended already."""


def statements() -> Queries:
    """Return the statements about operations."""
    return Queries.load("common", "operations.sql")


class Operations:
    """The operations, as people ask for them. In a transaction of the caller's where the database is `Within` one."""

    def __init__(self, database: Database, kinds: Mapping[str, Kind]) -> None:
        self._database = database
        self._kinds = kinds
        self._sql = statements()

    async def count(self, kind: str, given: Mapping[str, Any]) -> int:
        """Return how many match. Raises UnknownKind, WrongFilter."""
        return await self._kind(kind).count(self._read(kind, given))

    async def start(self, kind: str, given: Mapping[str, Any], *, by: str, reason: str = "") -> Operation:
        """Count, and ask for an operation. Whoever runs operations is woken at the commit.

        Raises UnknownKind, WrongFilter.
        """
        wanted = self._read(kind, given)
        total = await self._kind(kind).count(wanted)
        async with self._database.transaction() as connection:
            row = await connection.fetchrow(self._sql["start"], kind, wanted.to_json(), reason, total, by)
        assert row
        return Operation.of(row)

    async def get(self, operation_id: UUID) -> Operation:
        """Return one. Raises NoSuchOperation."""
        row = await self._database.fetchrow(self._sql["get"], operation_id)
        if row is None:
            raise NoSuchOperation(f"there is no operation {operation_id}")
        return Operation.of(row)

    async def latest(self, *, limit: int, status: str | None = None) -> list[Operation]:
        """Return the newest, or those with a status."""
        rows = await self._database.fetch(self._sql["list"], limit, END_OF_TIME, None, status, None)
        return [Operation.of(row) for row in rows]

    async def cancel(self, operation_id: UUID, *, by: str) -> Operation:
        """Let an operation stop after the step that is under way. Raises NoSuchOperation, OperationEnded."""
        rows = await self._database.strict_fetch(self._sql["cancel"], operation_id, by)
        if not rows:
            raise OperationEnded(f"it is {(await self.get(operation_id)).status} already")
        return Operation.of(rows[0])

    def _kind(self, name: str) -> Kind:
        if name not in self._kinds:
            raise UnknownKind(f"there is no operation {name!r}: there are {', '.join(sorted(self._kinds))}")
        return self._kinds[name]

    def _read(self, kind: str, given: Mapping[str, Any]) -> Filter:
        return read_filter(self._kind(kind), given)


def read_filter(kind: Kind, given: Mapping[str, Any]) -> Filter:
    """Return a filter of JSON values as the kind understands it. Raises WrongFilter."""
    try:
        return kind.filter.model_validate_json(json.dumps(given))
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False, include_input=False)
        errors = [(".".join(map(str, each["loc"])), each["msg"].removeprefix("Value error, ")) for each in problems]
        raise WrongFilter(errors) from None
