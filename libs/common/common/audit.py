"""The audit log, for what is not done through the API: there every request that writes has its line anyway."""

from collections.abc import Mapping
from typing import Any

from common.postgres import Database, Queries

SQL = Queries.load(__package__, "audit.sql")


async def record(
    database: Database,
    actor: str,
    action: str,
    path: str,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Record who did what, as the API does it: `path` is the object's there, and `action` the name of its operation."""
    await database.execute(SQL["record"], actor, action, path, before, after)
