"""The calendar: what goes out on which day, what has gone out, and what rules and routes still have to come."""

from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import Query
from pydantic import Field

from api.coming import ComingSeries, Series
from api.http import etags
from api.http.calls import Call, Calling
from api.http.problems import Problem
from api.http.routes import resource
from api.http.values import Answer, Utc
from api.resources.scheduled_posts import ScheduledPost
from api.statements import statement
from common.planning.schedules import Zone
from common.planning.targets import platform_of, target_of
from common.planning.wall_clock import Day, days

router = resource("calendar")

LONGEST_DAYS = 62
LATE = timedelta(minutes=5)  # what waits longer than that after its time was missed
EARLIEST_DATE, LATEST_DATE = date(1970, 1, 2), date(2199, 1, 1)

State = Literal["planned", "due", "publishing", "published", "failed", "missed"]


class CalendarPost(Answer):
    """A post at its time."""

    at: Utc = Field(description="the time that it is planned for, or when it was published if it never was planned")
    state: State = Field(description="due: since less than five minutes; missed: since longer, and nobody took it")
    title: str
    excerpt: str = Field(description="the first 200 characters")
    image: str | None = Field(description="the hash of an image")
    post_id: UUID
    platform: str
    target: str
    url: str | None
    scheduled: ScheduledPost | None = Field(description="null: it was published without having been planned")
    etag: str | None = Field(description="of the scheduled post, for If-Match")


class CalendarSeries(Answer):
    """What is to come of a rule or of a route's slots on a day; nothing of it is made or taken yet."""

    kind: Literal["rule", "slots"]
    id: UUID = Field(description="of the rule or the route")
    name: str
    targets: list[str]
    times: list[Utc]
    more: bool = Field(description="it has further times on this day")


class CalendarDay(Answer):
    """A day."""

    date: date
    begins: Utc
    ends: Utc = Field(description="23 or 25 hours later where the clocks change")
    posts: list[CalendarPost] = Field(description="the first ones, in their order")
    count: int = Field(description="of all posts of the day")
    series: list[CalendarSeries]


class CalendarTarget(Answer):
    """Where posts go."""

    target: str
    title: str


class Calendar(Answer):
    """Some days."""

    timezone: str
    days: list[CalendarDay]
    targets: list[CalendarTarget] = Field(description="all that a calendar of these days can be narrowed to")


@router.get("")
async def get_calendar(
    call: Calling,
    since: Annotated[date, Query(alias="from", description="the first day")],
    until: Annotated[date, Query(description="the day after the last one; 62 days later at most")],
    timezone: Annotated[Zone, Query(description="whose days these are")] = "UTC",
    target: Annotated[list[str] | None, Query(max_length=50, description="only these; left out: all")] = None,
    per_day: Annotated[int, Query(ge=1, le=200, description="posts of a day, and times of a series on a day")] = 50,
) -> Calendar:
    """Read some days: posts that are planned, went out or failed, and what rules and free slots still bring."""
    zone, now = ZoneInfo(timezone), datetime.now(UTC)
    asked = _asked(since, until, zone)
    wanted = frozenset(map(target_of, target)) if target else None
    posts, counts = await _posts(call, asked, per_day, wanted, now)
    series = await ComingSeries(call.database, asked, now, per_day, wanted)()
    targets = await call.database.fetch(statement("calendar", "targets"), asked[0].begins, asked[-1].ends)
    return Calendar(
        timezone=timezone,
        days=[
            CalendarDay(
                date=day.date,
                begins=day.begins,
                ends=day.ends,
                posts=posts.get(number, []),
                count=counts.get(number, 0),
                series=_series(series, number),
            )
            for number, day in enumerate(asked)
        ],
        targets=[CalendarTarget(**dict(row)) for row in targets],
    )


def _asked(since: date, until: date, zone: ZoneInfo) -> list[Day]:
    if not EARLIEST_DATE <= since < until <= LATEST_DATE or (until - since).days > LONGEST_DAYS:
        detail = f"it must be later than `from` by {LONGEST_DAYS} days at most, both between 1970 and 2199"
        errors = [{"in": "query", "parameter": "until", "detail": detail}]
        raise Problem("invalid", f"until: {detail}", errors=errors)
    return days(since, until, zone)


async def _posts(
    call: Call, asked: Sequence[Day], per_day: int, wanted: Set[str] | None, now: datetime
) -> tuple[dict[int, list[CalendarPost]], dict[int, int]]:
    """Return the posts of the days, by their number, and how many each day has."""
    edges = [*(day.begins for day in asked), asked[-1].ends]
    targets = sorted(wanted) if wanted is not None else None
    posts, counts = defaultdict[int, list[CalendarPost]](list), {}
    for row in await call.database.fetch(statement("calendar", "posts"), edges, per_day, targets):
        number = row["day"] - 1
        posts[number].append(_post(dict(row), now))
        counts[number] = row["of_day"]
    return posts, counts


def _post(row: Mapping[str, Any], now: datetime) -> CalendarPost:
    scheduled = ScheduledPost(**row["scheduled"]) if row["scheduled"] else None
    return CalendarPost(
        at=row["at"],
        state=_state(scheduled, now) if scheduled else "published",
        title=row["title"],
        excerpt=row["excerpt"],
        image=row["image"],
        post_id=row["shown_post_id"],
        platform=platform_of(row["shown_target"]),
        target=row["shown_target"],
        url=row["shown_url"],
        scheduled=scheduled,
        etag=etags.etag_of(scheduled) if scheduled else None,
    )


def _state(scheduled: ScheduledPost, now: datetime) -> State:
    match scheduled.status:
        case "publishing" | "published" | "failed":
            return scheduled.status
        case _ if scheduled.due_at > now:
            return "planned"
        case _:
            return "due" if now - scheduled.due_at < LATE else "missed"


def _series(series: Sequence[Series], number: int) -> list[CalendarSeries]:
    return [
        CalendarSeries(
            kind=each.kind,
            id=each.id,
            name=each.name,
            targets=list(each.targets),
            times=list(coming.times),
            more=coming.more,
        )
        for each in series
        if (coming := each.days[number]).times
    ]
