"""What sources do: how much they bring, when they are read next, and their latest runs."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import Field

from api.http.calls import Calling
from api.http.paging import Page, Paged
from api.http.problems import Problem
from api.http.routes import resource
from api.http.values import Answer, Utc
from api.statements import statement
from common.planning.cron import InvalidCron, parse_cron

router = resource("sources")

MOST = 10_000  # posts of a source that are counted: an import brings any number


class Activity(Answer):
    """What a source does."""

    source_id: UUID
    posts: int = Field(description=f"that came in within the last 24 hours; {MOST:,}: so many, or more")
    duplicates: int = Field(description="of those")
    hours: list[int] = Field(description="the same, by hour; the last hour is the last one")
    next_run_at: Utc | None = Field(description="by its schedule; null: only live events and requests")


class Activities(Answer):
    """What several sources do."""

    items: Sequence[Activity]


class Run(Answer):
    """A run that brought something, or failed."""

    at: Utc
    brought: int
    duplicates: int = Field(description="of what it brought")
    error: str | None


@router.get("/activity")
async def list_activity(
    call: Calling, source_id: Annotated[list[UUID], Query(min_length=1, max_length=200)]
) -> Activities:
    """Read what some sources do."""
    rows = await call.database.fetch(statement("sources", "activity"), source_id, MOST)
    now = datetime.now(UTC).replace(tzinfo=None)
    items = [
        Activity(
            source_id=row["source_id"],
            posts=row["posts"],
            duplicates=row["duplicates"],
            hours=row["hours"],
            next_run_at=_next(row["schedule"], now) if row["enabled"] else None,
        )
        for row in rows
    ]
    return Activities(items=items)


@router.get("/{source_id}/runs")
async def list_runs(page: Paged, call: Calling, source_id: UUID) -> Page[Run]:
    """List the runs of a week that brought something or failed."""
    if await call.database.fetchrow(statement("catalog", "get_source"), source_id) is None:
        raise Problem("not-found", "there is no such source")
    return await page.of(Run, statement("sources", "runs"), source_id)


def _next(schedule: str | None, now: datetime) -> datetime | None:
    """Return when a cron line comes next, by the clock of UTC."""
    try:
        upcoming = parse_cron(schedule).after(now) if schedule else None
    except InvalidCron:  # written past the API
        return None
    return upcoming.replace(tzinfo=UTC) if upcoming else None
