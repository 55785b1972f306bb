"""Logs: what services said that is serious, and a record of each job that ended."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query
from pydantic import Field
from starlette.responses import Response

from api.http.calls import Calling
from api.http.paging import Page, Paged
from api.http.routes import resource
from api.http.values import INT8, Answer, Moment, Utc
from common.logs import SQL, Level, LogFilter, Logs

router = resource("logs")

MOST_EXPORTED = 10_000
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


class LogTail(Answer):
    """What arrived, the oldest first."""

    items: list[LogRecord]
    last_id: int = Field(description="`after` of the next call; a record may come twice, with the same id")


def _wanted(
    service: Word = None,
    level: Annotated[Level | None, Query(description="this one, or a more serious one")] = None,
    post_id: UUID | None = None,
    job_id: Annotated[str | None, Query(max_length=400)] = None,
    trace_id: Word = None,
    text: Annotated[str | None, Query(max_length=200, description="a part of what was said, or of the error")] = None,
    since: Annotated[Moment | None, Query(alias="from")] = None,
    until: Annotated[Moment | None, Query(alias="to")] = None,
) -> LogFilter:
    return LogFilter(service, level, post_id, job_id, trace_id, text, since, until)


Wanted = Annotated[LogFilter, Depends(_wanted)]


@router.get("")
async def list_logs(page: Paged, wanted: Wanted) -> Page[LogRecord]:
    """List log records."""
    return await page.of(LogRecord, SQL["list_logs"], *wanted.arguments())


@router.get("/tail")
async def tail_logs(
    call: Calling,
    wanted: Wanted,
    after: Annotated[int | None, Query(ge=0, le=INT8, description="left out: the newest ones")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> LogTail:
    """Read the log records that arrived after one."""
    logs = Logs(call.database)
    if after is None:
        last, found = await logs.last_id(), await logs.latest(wanted, limit)
    else:
        last, found = after, await logs.after(after, wanted, limit)
    items = [LogRecord(**{name: getattr(each, name) for name in LogRecord.model_fields}) for each in found]
    return LogTail(items=items, last_id=max((last, *(each.id for each in items))))


@router.get(
    "/export",
    response_class=Response,
    responses={200: {"description": "one record per line", "content": {"application/x-ndjson": {}}}},
)
async def export_logs(
    call: Calling, wanted: Wanted, limit: Annotated[int, Query(ge=1, le=MOST_EXPORTED)] = MOST_EXPORTED
) -> Response:
    """Download the newest log records that match, the oldest of them first, as NDJSON."""
    found = await Logs(call.database).latest(wanted, limit)
    lines = (json.dumps(asdict(each), ensure_ascii=False, default=_plain) for each in found)
    name = f"postroom-logs-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.ndjson"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response("".join(f"{line}\n" for line in lines), headers=headers, media_type="application/x-ndjson")


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
