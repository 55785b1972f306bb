"""Jobs: the ledger of all work. What can be done to one can be done to all that match a filter: `operations`."""

from dataclasses import asdict
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Path, Query
from pydantic import Field, JsonValue

from api.http.calls import Call, Calling
from api.http.paging import Page, Paged
from api.http.routes import resource
from api.http.values import Answer, Given, Line, Moment, Utc
from common.jobs import COUNTED, JobFilter, Status

router = resource("jobs")

Word = Annotated[str | None, Query(min_length=1, max_length=300)]
Consumer = Annotated[str, Path(max_length=100)]
EventId = Annotated[str, Path(max_length=300)]


class Job(Answer):
    """One event for one consumer."""

    consumer: str
    event_id: str
    queue: str
    subject: str
    post_id: UUID | None
    status: str
    attempts: int = Field(description="runs; those that are `excused` and `crashes` do not count")
    excused: int
    crashes: int
    error_class: str | None
    last_error: str | None
    trace_id: str | None
    created_at: Utc
    started_at: Utc = Field(description="its latest run")
    finished_at: Utc | None
    due_at: Utc | None = Field(description="while it is queued: when it runs again")


class Run(Answer):
    """A run that did not simply succeed."""

    attempt: int
    started_at: Utc | None = Field(description="null of one that crashed")
    ended_at: Utc
    outcome: str = Field(description="failed, retry, skipped, drained, crashed or cancelled")
    error_class: str | None
    error: str | None


class OpenJob(Job):
    """A job with its runs, and with the message that it was made of."""

    run_seconds: float | None = Field(description="of its latest run")
    total_seconds: float | None = Field(description="from its first run's beginning to its end")
    runs: list[Run] = Field(description="those that did not simply succeed")
    payload: JsonValue = Field(description="text where it is not JSON; null where it is not kept any more")
    headers: dict[str, str]
    sequence: int | None = Field(description="of the message in its stream")
    letter: int | None = Field(description="the number of its dead letter")


class JobCounts(Answer):
    """How many jobs there are of each status."""

    queued: int
    in_progress: int
    succeeded: int = Field(description=f"counted to {COUNTED:,}")
    failed: int
    cancelled: int


class Cancellation(Given):
    """Why a job is cancelled."""

    reason: Line = ""


NO_REASON = Cancellation()


def _wanted(
    queue: Word = None,
    consumer: Word = None,
    status: Status | None = None,
    post_id: UUID | None = None,
    error: Annotated[str | None, Query(min_length=1, max_length=300, description="a part of its text")] = None,
    error_class: Word = None,
    created_from: Moment | None = None,
    created_until: Moment | None = None,
) -> JobFilter:
    return JobFilter(
        queue=queue,
        consumer=consumer,
        status=status,
        post_id=post_id,
        error=error,
        error_class=error_class,
        created_from=created_from,
        created_until=created_until,
    )


Wanted = Annotated[JobFilter, Depends(_wanted)]


@router.get("")
async def list_jobs(page: Paged, wanted: Wanted) -> Page[Job]:
    """List jobs."""
    return await page.of(Job, wanted.listing(), *wanted.columns())


@router.get("/counts")
async def count_jobs(call: Calling, wanted: Wanted) -> JobCounts:
    """Count the jobs that match, by status; that of the filter is left out of account."""
    return JobCounts.model_validate(await call.jobs.counts(wanted))


@router.get("/{consumer}/{event_id:path}")
async def get_job(consumer: Consumer, event_id: EventId, call: Calling) -> OpenJob:
    """Read a job."""
    return call.tagged(await _read(call, consumer, event_id))


@router.post("/{consumer}/{event_id:path}/retry")
async def retry_job(consumer: Consumer, event_id: EventId, call: Calling) -> OpenJob:
    """Let a job run again that failed or was cancelled, or now where it waits for its time."""
    call.changing(await _read(call, consumer, event_id))
    await call.jobs.retry(consumer, event_id)
    return call.tagged(await _read(call, consumer, event_id))


@router.post("/{consumer}/{event_id:path}/cancel")
async def cancel_job(consumer: Consumer, event_id: EventId, call: Calling, given: Cancellation = NO_REASON) -> OpenJob:
    """End a job without a result. What its run under way has done outside is not taken back."""
    call.changing(await _read(call, consumer, event_id))
    await call.jobs.cancel(consumer, event_id, by=call.actor, reason=given.reason)
    return call.tagged(await _read(call, consumer, event_id))


async def _read(call: Call, consumer: str, event_id: str) -> OpenJob:
    found = await call.system.jobs.within(call.database, call.rails).get(consumer, event_id)
    return OpenJob(
        **asdict(found.job),
        run_seconds=found.job.run_seconds,
        total_seconds=found.job.total_seconds,
        runs=[Run(**asdict(run)) for run in found.runs],
        payload=found.shown,
        headers=found.headers or {},
        sequence=found.sequence,
        letter=found.letter,
    )
