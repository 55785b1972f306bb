"""The SQLite files that outlive the sandbox: nothing else touches the driver."""

import re
import sqlite3
from collections.abc import Iterable, Iterator
from importlib.resources import files
from pathlib import Path
from types import TracebackType
from typing import Any, Self

QUERY = re.compile(r"^-- (?P<name>\w+): .*?\n(?P<sql>.*?;)$", re.MULTILINE | re.DOTALL)


def named_queries(sql: str) -> dict[str, str]:
    """Split a file of `-- name: what it is for` blocks."""
    return {block["name"]: block["sql"] for block in QUERY.finditer(sql)}


class Records:
    """The records of one part of the sandbox, in one SQLite file (WAL), or in memory where there is no path.

    `package` is the part, such as `sandbox.x`; its `sql/schema.sql` is applied, its `sql/queries.sql` are the queries.
    Writes gather in one transaction until `commit()`, which comes before the answer; with `synchronous=NORMAL` a commit
    reaches the operating system, so what was answered survives the death of the process
    (https://www.sqlite.org/pragma.html#pragma_synchronous).
    """

    def __init__(self, path: Path | None, package: str) -> None:
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        sql = files(package) / "sql"
        self._queries = named_queries((sql / "queries.sql").read_text("utf-8"))
        self._connection = sqlite3.connect(path or ":memory:", isolation_level=None, cached_statements=256)
        self._connection.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;")
        self._connection.executescript((sql / "schema.sql").read_text("utf-8"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    def rows(self, query: str, *values: Any) -> Iterator[tuple[Any, ...]]:
        """Run a reading query; what was written and not yet committed is seen."""
        return self._connection.execute(self._queries[query], values)

    def row(self, query: str, *values: Any) -> tuple[Any, ...] | None:
        """The first row, or None."""
        row: tuple[Any, ...] | None = self._connection.execute(self._queries[query], values).fetchone()
        return row

    def write(self, query: str, *values: Any) -> None:
        """Run a writing query in the open transaction, opening one if there is none."""
        self._begin()
        self._connection.execute(self._queries[query], values)

    def write_many(self, query: str, rows: Iterable[tuple[Any, ...]]) -> None:
        """Run a writing query for each row."""
        self._begin()
        self._connection.executemany(self._queries[query], rows)

    def commit(self) -> None:
        """Make everything written so far outlive the process."""
        if self._connection.in_transaction:
            self._connection.execute("COMMIT")

    def close(self) -> None:
        """Commit and let go of the file."""
        self.commit()
        self._connection.close()

    def _begin(self) -> None:
        if not self._connection.in_transaction:
            self._connection.execute("BEGIN")
