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
Key = Annotated[str, StringConstraints(pattern=r"^[^/]+/.+$", max_length=500)]  # consumer/event_id
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

    def among(self, statement: str) -> str:
        """Return the statement `count` or `page` for them, who have one status."""
        return SQL[f"{statement}_leased" if self.status == "in_progress" else statement]


class ChosenFilter(JobFilter):
    """Which jobs of one status; where `keys` are given, only of these."""

    keys: Annotated[tuple[Key, ...], Field(min_length=1, max_length=1000)] | None = None

    def columns(self) -> tuple[object, ...]:
        """Return it as the arguments of the statements that count and page."""
        if self.keys is None:
            return super().columns()
        return (*super().columns(), *map(list, zip(*map(read_key, self.keys), strict=True)))

    def among(self, statement: str) -> str:
        """Return the statement `count` or `page` for them."""
        return super().among(statement) if self.keys is None else SQL[f"{statement}_chosen"]


def read_key(key: str) -> tuple[str, str]:
    """Return consumer and event id of a key as people name it."""
    consumer, _, event_id = key.partition("/")
    return consumer, event_id


def literal(text: str) -> str:
    """Return a text as a pattern that matches itself.

    https://www.postgresql.org/docs/current/functions-matching.html#FUNCTIONS-LIKE
    """
    return text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
