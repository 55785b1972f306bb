"""Records as JSONL: one object a line, as its table has it."""

from collections.abc import AsyncGenerator
from datetime import datetime

from common.postgres import Database, Queries

EXPORTS = (
    "posts", "rewrites", "publications", "jobs", "attempts", "notifications", "model_calls", "audit", "logs",
)  # fmt: skip
PREFETCH = 1_000


async def export(database: Database, kind: str, since: datetime, until: datetime) -> AsyncGenerator[str]:
    """Yield the records of a kind from `since` to before `until`, oldest first, all as they were at one time."""
    statement = Queries.load("common", "retention.sql")[f"export_{kind}"]
    async with database.strict.acquire() as connection, connection.transaction(isolation="repeatable_read"):
        async for row in connection.cursor(statement, since, until, prefetch=PREFETCH):
            yield row[0]
