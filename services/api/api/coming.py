"""What rules and routes still bring on some days, read from what is stored of them."""

import logging
from collections.abc import Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import ValidationError

from api.statements import statement
from common.planning.refusals import NotPlannable
from common.planning.schedules import read_schedule
from common.planning.series import Coming, free_slots, runs
from common.planning.slots import Slots
from common.planning.targets import Targets, target_of
from common.planning.wall_clock import Day
from common.postgres import Database, Queries

log = logging.getLogger(__name__)

MOST = 100  # rules, and routes: a calendar with more of them could not be read


@dataclass(frozen=True, slots=True)
class Series:
    """What a rule, or the slots of a route, still bring on each of the days."""

    kind: Literal["rule", "slots"]
    id: UUID
    name: str
    targets: Sequence[str]
    days: Sequence[Coming]


class ComingSeries:
    """Reads the series; `most` bounds the times of each on a day. Without `targets` those of all targets."""

    def __init__(
        self, database: Database, days: Sequence[Day], now: datetime, most: int, targets: Set[str] | None
    ) -> None:
        self._database = database
        self._days = days
        self._now = now
        self._most = most
        self._wanted = targets
        self._targets = Targets(database)
        self._sql = Queries.load("common", "planning.sql")

    async def __call__(self) -> list[Series]:
        """Return what comes of rules, and then of the slots of routes."""
        if self._days[-1].ends <= self._now:
            return []
        return [*await self._of_rules(), *await self._of_slots()]

    async def _of_rules(self) -> list[Series]:
        found = []
        for row in await self._database.fetch(statement("calendar", "rules"), self._days[-1].ends, MOST):
            targets = [await self._resolved(each) for each in row["platforms"]]
            if not self._is_wanted(targets):
                continue
            try:
                schedule = read_schedule(row["schedule_type"], row["schedule_config"])
            except (ValidationError, KeyError):  # its next run will say so
                log.warning("what is stored of rule %s can't be read", row["id"])
                continue
            coming = runs(schedule, str(row["id"]), self._days, self._now, self._most)
            found.append(Series("rule", row["id"], row["name"], targets, coming))
        return found

    async def _of_slots(self) -> list[Series]:
        found = []
        for row in await self._database.fetch(statement("calendar", "routes_with_slots"), MOST):
            slots = Slots.model_validate(row["slots"])
            for target in map(target_of, row["targets"]):
                if self._is_wanted([target]):
                    coming = free_slots(slots, await self._taken(target, slots), self._days, self._now, self._most)
                    found.append(Series("slots", row["id"], row["name"], [target], coming))
        return found

    async def _taken(self, target: str, slots: Slots) -> list[datetime]:
        begin = max(self._now, self._days[0].begins) - slots.distance
        return [row["scheduled_time"] for row in await self._database.fetch(self._sql["occupied"], target, begin)]

    async def _resolved(self, platform: str) -> str:
        try:
            return await self._targets.resolve(platform)
        except NotPlannable:  # it has no default destination any more: its next run will say so
            return platform

    def _is_wanted(self, targets: Sequence[str]) -> bool:
        return self._wanted is None or not self._wanted.isdisjoint(targets)
