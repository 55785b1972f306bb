"""The statements of the API, by file and name."""

from functools import cache

from common.postgres import Queries


@cache
def _file(name: str) -> Queries:
    return Queries.load("api", f"{name}.sql")


def statement(file: str, name: str) -> str:
    """Return a statement of `sql/<file>.sql`."""
    return _file(file)[name]
