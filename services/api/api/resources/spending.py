"""Spending: what calls to models cost."""

from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import Query

from api.http.calls import Calling
from api.http.problems import Problem
from api.http.routes import resource
from api.http.values import Answer, Moment, Utc
from common.planning.schedules import Zone
from common.spending.calls import Kind
from common.spending.report import By, Which, report, total_of

router = resource("spending")

DAYS = 30
LONGEST = timedelta(days=366)

Word = Annotated[str | None, Query(max_length=200)]


class Spent(Answer):
    """What calls took together."""

    calls: int
    failed: int
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float
    seconds: float | None


class SpentBy(Spent):
    """What calls took that have something in common."""

    key: str | None
    name: str | None


class Spending(Answer):
    """What was spent in a time, together and by what was asked for."""

    since: Utc
    until: Utc
    total: Spent
    groups: list[SpentBy]


@router.get("")
async def get_spending(
    call: Calling,
    by: By = "day",
    since: Annotated[Moment | None, Query(description=f"{DAYS} days before `until` where it is not given")] = None,
    until: Annotated[Moment | None, Query(description="not included; now where it is not given")] = None,
    timezone: Annotated[Zone, Query(description="in which days begin")] = "UTC",
    route_id: UUID | None = None,
    post_id: UUID | None = None,
    model: Word = None,
    service: Word = None,
    kind: Kind | None = None,
    profile_id: UUID | None = None,
) -> Spending:
    """Read what calls to models cost. A group that is null holds calls for no route, or with no profile."""
    end = until or datetime.now(UTC)
    begin = since or end - timedelta(days=DAYS)
    if not timedelta() < end - begin <= LONGEST:
        where = {
            "in": "query",
            "parameter": "since",
            "detail": f"it must be before until, by {LONGEST.days} days at most",
        }
        raise Problem("invalid", "the time is not valid", errors=[where])
    found = await report(
        call.database, Which(begin, end, route_id, post_id, model, service, kind, profile_id), by, timezone=timezone
    )
    return Spending(
        since=begin,
        until=end,
        total=Spent.model_validate(total_of(found), from_attributes=True),
        groups=[SpentBy.model_validate(each, from_attributes=True) for each in found],
    )
