"""What happened to a post, from all records, in the order of time. Used by the REST API and by the command line."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from common.postgres import Database, Queries

SQL = Queries.load("common", "timeline.sql")
# How the paths of what people do go on after the path of a post, a plan or a job.
ACTS = ("", "/approve", "/reject", "/rewrite", "/reopen", "/publish", "/publish-now", "/cancel", "/retry")


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened. `minor`: how rather than what; `what` and `detail` say `kind` and `data` in words."""

    at: datetime
    kind: str
    minor: bool
    what: str
    detail: str
    trace_id: str | None
    data: Mapping[str, Any]


class Timeline:
    """Reads what happened."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, post_id: UUID) -> list[Happening]:
        """Return everything that happened to a post, the oldest first; nothing where there is no such post."""
        return [Happening(**dict(row)) for row in await self._database.fetch(SQL["of_post"], post_id, list(ACTS))]
