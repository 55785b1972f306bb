"""Logs: what services said that is serious, and a record of each job that ended."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from pydantic import Field

from api.http.paging import Page, Paged
from api.http.routes import resource
from api.http.values import Answer, Moment, Utc
from common.logs import SQL, Level, LogFilter

router = resource("logs")

Word = Annotated[str | None, Query(max_length=100)]


class LogRecord(Answer):
    """One record."""

    id: int
    at: Utc
    service: str
    level: str
    event: str
    post_id: UUID | None
    job_id: str | None = Field(description="<consumer>/<event id>, as in the path of a job")
    trace_id: str | None
    fields: dict[str, Any] = Field(
        description="what else was said; of a job its queue, status, attempt, seconds, error"
    )


@router.get("")
async def list_logs(
    page: Paged,
    service: Word = None,
    level: Annotated[Level | None, Query(description="this one, or a more serious one")] = None,
    post_id: UUID | None = None,
    job_id: Annotated[str | None, Query(max_length=400)] = None,
    trace_id: Word = None,
    text: Annotated[str | None, Query(max_length=200, description="a part of what was said, or of the error")] = None,
    since: Annotated[Moment | None, Query(alias="from")] = None,
    until: Annotated[Moment | None, Query(alias="to")] = None,
) -> Page[LogRecord]:
    """List log records."""
    wanted = LogFilter(service, level, post_id, job_id, trace_id, text, since, until)
    return await page.of(LogRecord, SQL["list_logs"], *wanted.arguments())
