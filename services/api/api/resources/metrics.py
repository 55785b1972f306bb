"""Metrics: the numbers of a window, from the records."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query
from pydantic import Field

from api.http.calls import Calling
from api.http.problems import Problem
from api.http.routes import resource
from api.http.values import Answer, Moment, Utc
from common.metrics import NoWindow, Window, measure

router = resource("metrics")


class MeasuredWindow(Answer):
    """Between which times was measured."""

    start: Utc
    end: Utc
    seconds: float


class Distribution(Answer):
    """How long something took, in seconds; null where nothing was there to be measured."""

    average: float | None
    p50: float | None
    p95: float | None
    p99: float | None


class QueueFigures(Answer):
    """The jobs of a queue that ended in the window; `queue` is null for all queues together."""

    queue: str | None
    ended: int
    succeeded: int
    failed: int
    cancelled: int
    per_second: float
    failure_share: float | None = Field(description="from 0 to 1")
    average_retries: float | None = Field(description="claims after the first one: errors, waits and crashes")
    average_run_seconds: float | None = Field(description="of the run that ended a job, where it succeeded")
    seconds: Distribution = Field(description="from the first claim of a job to its end, where it succeeded")


class Funnel(Answer):
    """What each stage did in the window; a post that came in before it may have been published in it."""

    collected: int
    duplicates: int
    rewritten: int
    refused: int = Field(description="by the model")
    illustrated: int
    published: int = Field(description="publications: a post at two targets counts twice")
    not_published: int = Field(description="publications that failed")
    broadcast_messages: int


class ModelFigures(Answer):
    """What model calls for a route took and cost."""

    route_id: UUID | None = Field(description="null for contents, and for what names no route")
    route: str | None
    model: str
    kind: Literal["chat", "image"]
    calls: int
    failed: int
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float
    average_seconds: float | None


class WaitFigures(Answer):
    """How long publications at a destination waited for their turn and its pace."""

    destination: str
    publications: int
    seconds: Distribution


class Lateness(Answer):
    """By how much scheduled posts were published after their time."""

    published: int
    seconds: Distribution
    overdue: int = Field(description="due now, and not under way")
    oldest_overdue_at: Utc | None


class Metrics(Answer):
    """All numbers of a window. Times are in seconds."""

    window: MeasuredWindow
    total: QueueFigures
    queues: list[QueueFigures]
    funnel: Funnel
    models: list[ModelFigures] = Field(description="the dearest first")
    waits: list[WaitFigures] = Field(description="the longest first")
    lateness: Lateness


@router.get("")
async def get_metrics(
    call: Calling,
    window: Annotated[Literal["5m", "1h", "24h"] | None, Query(description="left out, without `from`: 1h")] = None,
    start: Annotated[Moment | None, Query(alias="from", description="in place of `window`: at most 31 days")] = None,
    end: Annotated[Moment | None, Query(alias="to", description="left out: now")] = None,
) -> Metrics:
    """Measure how long jobs took, how often they were retried and failed, what was spent, and what waited."""
    if (window and (start or end)) or (end and not start):
        raise _wrong("from", "it goes without `window`, and `to` goes with it")
    try:
        asked = Window.between(start, end) if start else Window.last(window or "1h")
    except NoWindow as error:
        raise _wrong("from", str(error)) from None
    return Metrics.model_validate(await measure(call.database, asked), from_attributes=True)


def _wrong(parameter: str, detail: str) -> Problem:
    where = {"in": "query", "parameter": parameter, "detail": detail}
    return Problem("invalid", "a parameter is not valid", errors=[where])
