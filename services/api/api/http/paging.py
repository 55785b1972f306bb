"""Lists, page by page: newest first, from where the last page ended, however many rows come and go meanwhile."""

import base64
import binascii
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, NamedTuple, TypeVar

import asyncpg
from fastapi import Depends, Query
from pydantic import BaseModel, Field

from api.http.calls import Call, Calling
from api.http.problems import Problem
from common.telegram.utf16 import storable

Item = TypeVar("Item", bound=BaseModel)
END_OF_TIME = datetime(9999, 12, 31, tzinfo=UTC)


class Page(BaseModel, Generic[Item]):
    """One page of a list."""

    items: list[Item]
    next: str | None = Field(description="the `cursor` of the next page; null on the last one")


class Position(NamedTuple):
    """Where a page begins: after this row."""

    at: datetime
    key: str | None  # None: before any


class Paging:
    """What a caller asks a list for."""

    def __init__(
        self,
        call: Calling,
        limit: Annotated[int, Query(ge=1, le=200, description="items per page")] = 50,
        cursor: Annotated[
            str | None, Query(max_length=1000, description="`next` of the page before, with the same filters")
        ] = None,
    ) -> None:
        self._call: Call = call
        self._limit = limit
        self._list = call.path
        self._after = self._read(cursor) if cursor is not None else Position(END_OF_TIME, None)

    async def of(
        self, item: type[Item], statement: str, *filters: Any, read: Callable[[asyncpg.Record], Item] | None = None
    ) -> Page[Item]:
        """Return the page of a statement that takes limit, time and key to begin after, then its filters.

        `read` makes an item of a row whose columns are not the item's fields.

        It orders its rows by `page_at` and `page_key`, both descending. The first page begins after no key (NULL). A
        statement that looks at so many rows and no more says in `page_stopped`, the same in all rows, at which time it
        stopped; where it found none, in a row without `page_at`. The next page begins there, before any key.
        """
        try:
            rows = await self._call.database.fetch(statement, self._limit + 1, *self._after, *filters)
        except asyncpg.DataError:
            if self._after.key is None:
                raise
            raise _no_cursor() from None  # its key is none of this list
        stopped = rows[0].get("page_stopped") if rows else None
        rows = [row for row in rows if row["page_at"] is not None]
        shown, following = rows[: self._limit], None
        if len(rows) > self._limit:
            following = self._write(shown[-1]["page_at"], str(shown[-1]["page_key"]))
        elif stopped:
            following = self._write(stopped, "")
        if following:
            url = self._call.request.url.include_query_params(cursor=following)
            self._call.headers["Link"] = f'<{url.path}?{url.query}>; rel="next"'
        of_row = read or (lambda row: item.model_validate(dict(row)))
        return Page(items=[of_row(row) for row in shown], next=following)

    def _write(self, at: datetime, key: str) -> str:
        text = json.dumps([self._list, at.isoformat(), key])
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    def _read(self, cursor: str) -> Position:
        try:
            text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
            of_list, at, key = json.loads(text)
            position = Position(datetime.fromisoformat(at).astimezone(UTC), str(key))
        except (ValueError, TypeError, OverflowError, binascii.Error, RecursionError):
            raise _no_cursor() from None
        if of_list != self._list or position.key != storable(position.key or ""):
            raise _no_cursor()
        return position


def _no_cursor() -> Problem:
    where = {"in": "query", "parameter": "cursor", "detail": "it is no cursor of this list"}
    return Problem("invalid", "the cursor is not valid", errors=[where])


Paged = Annotated[Paging, Depends()]
