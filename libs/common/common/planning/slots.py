"""Slots: the times of the week at which the posts of a route go out."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Literal, NamedTuple, TypeAlias
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

from common.planning.schedules import Clock, Zone
from common.planning.targets import platform_of, target_of
from common.postgres import Database, Queries
from common.telemetry.propagation import current_trace

DAYS_AHEAD = 366
Weekday: TypeAlias = Literal["1", "2", "3", "4", "5", "6", "7"]


class NoFreeSlot(Exception):
    """No slot is free within a year."""


class Slots(BaseModel):
    """When the posts of a route go out, as `routes.slots` holds it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    timezone: Zone = "UTC"
    times: dict[Weekday, Annotated[list[Clock], Field(min_length=1, max_length=288)]] = Field(
        min_length=1, description="times such as 09:00, by ISO weekday: 1 is Monday"
    )
    minimum_distance_minutes: int = Field(
        default=0, ge=0, le=7 * 24 * 60, description="between two posts at one target, whoever planned them"
    )

    def after(self, moment: datetime) -> Iterator[datetime]:
        """Yield the slots of the year after a moment, in UTC and in order.

        A time that the clocks skip is moved forward by as much as they skip; of a time that comes twice the first
        counts. Two times that fall together are one slot.
        """
        zone = ZoneInfo(self.timezone)
        first = moment.astimezone(zone).date()
        latest = moment
        for days in range(DAYS_AHEAD + 1):
            for instant in self._of_day(first + timedelta(days), zone):
                if instant > latest:
                    latest = instant
                    yield instant

    @property
    def distance(self) -> timedelta:
        """The least distance between two posts at one target."""
        return timedelta(minutes=self.minimum_distance_minutes)

    def free(self, moment: datetime, taken: Sequence[datetime]) -> Iterator[datetime]:
        """Yield those slots after a moment that are far enough from all the times that are taken, given in order."""
        for at in self.after(moment):
            place = bisect_left(taken, at)
            neighbours = taken[max(0, place - 1) : place + 1]
            if all(at != other and abs(at - other) >= self.distance for other in neighbours):
                yield at

    def _of_day(self, day: date, zone: ZoneInfo) -> Sequence[datetime]:
        given = self.times.get(str(day.isoweekday()), ())  # type: ignore[call-overload]
        # With fold=0 zoneinfo takes the offset from before a change: https://peps.python.org/pep-0495/
        return sorted(datetime.combine(day, time.fromisoformat(each), zone).astimezone(UTC) for each in given)


class Taken(NamedTuple):
    """A slot that a post has now."""

    scheduled_id: UUID
    at: datetime


class SlotTaker:
    """Gives posts the next free slots."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = Queries.load("common", "planning.sql")

    async def find(
        self, slots: Slots, target: str, *, now: datetime, besides: Sequence[datetime] = ()
    ) -> datetime | None:
        """Return the next free slot of a target without taking it, or None; `besides` are taken as well.

        Raises NoTarget.
        """
        rows = await self._database.fetch(self._sql["occupied"], target_of(target), now - slots.distance)
        return next(slots.free(now, sorted([*(row["scheduled_time"] for row in rows), *besides])), None)

    async def take(
        self,
        slots: Slots,
        target: str,
        *,
        post_id: UUID,
        rewrite_id: UUID | None,
        route_id: UUID,
        by: str,
        now: datetime,
    ) -> Taken:
        """Plan a post for the next free slot of a target; one that is planned there already keeps its time.

        Safe to repeat. Raises NoFreeSlot, NoTarget.
        """
        target = target_of(target)
        async with self._database.transaction() as connection:
            await connection.execute(self._sql["alone_at"], target)
            if known := await connection.fetchrow(self._sql["adopt"], post_id, target, rewrite_id):
                return Taken(known["id"], known["scheduled_time"])
            rows = await connection.fetch(self._sql["occupied"], target, now - slots.distance)
            for at in slots.free(now, [row["scheduled_time"] for row in rows]):
                key = f"slot/{target}/{at:%Y-%m-%dT%H:%MZ}"
                planned = post_id, None, rewrite_id, route_id, None, platform_of(target), target, at, key, by
                scheduled_id = await connection.fetchval(self._sql["plan"], *planned, current_trace())
                if scheduled_id:
                    return Taken(scheduled_id, at)
        raise NoFreeSlot(f"no slot of {target} is free within a year")
