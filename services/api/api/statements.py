"""The statements of the API, by file and name."""

from common.postgres import Queries


def statement(file: str, name: str) -> str:
    """Return a statement of `sql/<file>.sql`."""
    return Queries.load("api", f"{file}.sql")[name]
