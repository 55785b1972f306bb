"""What was spent on models: calls added up over a time, by day, route, model and so on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias, get_args
from uuid import UUID

from common.postgres import Database, Queries
from common.spending.calls import Kind

By: TypeAlias = Literal["day", "route", "profile", "model", "service", "kind", "outcome", "purpose"]
GROUPINGS: tuple[By, ...] = get_args(By)


@dataclass(frozen=True, slots=True)
class Spent:
    """What calls took together. `key` is what they have in common, and `name` that of a route or profile."""

    key: str | None
    name: str | None
    calls: int
    failed: int
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float
    seconds: float | None  # of a call, on average


@dataclass(frozen=True, slots=True)
class Which:
    """Which calls; all that it says must hold."""

    since: datetime
    until: datetime
    route_id: UUID | None = None
    post_id: UUID | None = None
    model: str | None = None
    service: str | None = None
    kind: Kind | None = None
    profile_id: UUID | None = None


async def report(database: Database, which: Which, by: By, *, timezone: str = "UTC") -> Sequence[Spent]:
    """Return what was spent, the most first; by day the newest first, as days are in the time zone."""
    sql = Queries.load(__package__, "spending.sql")
    rows = await database.fetch(
        sql["report"], which.since, which.until, which.route_id, which.post_id, which.model, which.service, which.kind,
        by, timezone, which.profile_id,
    )  # fmt: skip
    return [Spent(**dict(row) | {"cost_usd": float(row["cost_usd"])}) for row in rows]


def total_of(groups: Sequence[Spent]) -> Spent:
    """Return all of it as one."""
    calls = sum(each.calls for each in groups)
    seconds = sum((each.seconds or 0.0) * each.calls for each in groups)
    return Spent(
        key=None,
        name=None,
        calls=calls,
        failed=sum(each.failed for each in groups),
        prompt_tokens=sum(each.prompt_tokens for each in groups),
        completion_tokens=sum(each.completion_tokens for each in groups),
        cost_usd=round(sum(each.cost_usd for each in groups), 6),
        seconds=seconds / calls if calls else None,
    )
