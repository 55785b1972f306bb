"""What jobs are chosen by, and which statement reads the fewest rows for it."""

from datetime import UTC, datetime
from typing import Annotated, Literal, TypeAlias, get_args
from uuid import UUID

from pydantic import AwareDatetime, Field, StringConstraints

from common.operations import Filter
from common.postgres import Queries

Status: TypeAlias = Literal["queued", "in_progress", "succeeded", "failed", "cancelled"]
STATUSES: tuple[Status, ...] = get_args(Status)
Word = Annotated[str, StringConstraints(min_length=1, max_length=300)]
Time = Annotated[AwareDatetime, Field(ge=datetime(1970, 1, 1, tzinfo=UTC), lt=datetime(2200, 1, 1, tzinfo=UTC))]

SQL = Queries.load("common", "jobs.sql")


class JobFilter(Filter):
    """Which jobs; all that it says must hold, so that an empty one means all."""

    queue: Word | None = None
    consumer: Word | None = None
    status: Status | None = None
    post_id: UUID | None = None
    error: Word | None = Field(default=None, description="a part of the last error's text, in any case")
    error_class: Word | None = None
    created_from: Time | None = None
    created_until: Time | None = Field(default=None, description="not itself included")

    def columns(self) -> tuple[object, ...]:
        """Return it as the arguments of the statements."""
        return (
            self.queue,
            self.consumer,
            self.status,
            self.post_id,
            None if self.error is None else f"%{literal(self.error)}%",
            self.error_class,
            self.created_from,
            self.created_until,
        )

    def listing(self) -> str:
        """Return the statement that lists them. It takes limit, time and key to begin after, then `columns()`.

        One that searches errors for a text stops at `page_stopped`, where that is no NULL: the rest is after that time,
        before any key.
        """
        if self.post_id:
            return SQL["list_of_post"]
        if self.status == "in_progress":
            return SQL["list_leased"]
        if self.error:
            return SQL["list_searched"]
        if self.error_class:
            return SQL["list_of_class"]
        if self.status in ("queued", "failed", "cancelled"):
            return SQL["list_troubled"]
        return SQL["list"]


def literal(text: str) -> str:
    """Return a text as a pattern that matches itself.

    https://www.postgresql.org/docs/current/functions-matching.html#FUNCTIONS-LIKE
    """
    return text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
