"""Jobs: the ledger of all work."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import Path, Query

from api.http.calls import Calling, found
from api.http.paging import Page, Paged
from api.http.routes import resource
from api.http.values import Answer, Utc
from api.statements import statement

router = resource("jobs")

Status = Literal["queued", "in_progress", "succeeded", "failed", "cancelled"]
Word = Annotated[str | None, Query(max_length=100)]


class Job(Answer):
    """One event for one consumer."""

    consumer: str
    event_id: str
    queue: str
    subject: str
    post_id: UUID | None
    status: str
    attempts: int
    excused: int
    crashes: int
    last_error: str | None
    trace_id: str | None
    created_at: Utc
    started_at: Utc
    finished_at: Utc | None


@router.get("")
async def list_jobs(
    page: Paged,
    queue: Word = None,
    consumer: Word = None,
    status: Status | None = None,
    post_id: UUID | None = None,
) -> Page[Job]:
    """List jobs."""
    return await page.of(Job, statement("records", "list_jobs"), queue, consumer, status, post_id)


@router.get("/{consumer}/{event_id:path}")
async def get_job(
    consumer: Annotated[str, Path(max_length=100)], event_id: Annotated[str, Path(max_length=300)], call: Calling
) -> Job:
    """Read a job."""
    row = await call.database.fetchrow(statement("records", "get_job"), consumer, event_id)
    return call.tagged(found(Job(**dict(row)) if row else None, "job"))
