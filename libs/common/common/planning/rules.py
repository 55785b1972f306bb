"""Rules that make posts by themselves: at its times a rule asks for a content and schedules it on its platforms.

A run is one transaction: its slot, the content with the request to write it, the scheduled posts, and the rule's next
time. So no rule runs twice for one slot, whoever runs it, and no run happens by half.
"""

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from common.events import NotifyRequested
from common.messaging.within import Emitting
from common.planning.contents import Brief, Contents, NoSuchProfile
from common.planning.recurrence import following, latest
from common.planning.refusals import NotPlannable
from common.planning.schedules import Interval, Once, Schedule, read_schedule
from common.planning.targets import Targets, platform_of
from common.postgres import Database, Queries
from common.telemetry.propagation import current_trace

log = logging.getLogger(__name__)

LATE = timedelta(minutes=1)  # what runs later than that after its slot is scheduled for now
ERROR_LENGTH = 1000
UNREADABLE = (
    ValueError,
    TypeError,
    KeyError,
)  # what reading something raises that nobody wrote through these use cases


class NoSuchRule(Exception):
    """There is no rule with this id."""


class RuleExists(Exception):
    """There is a rule of this name."""


class UnreadableRule(Exception):
    """What is stored of a rule can't be read."""

    def __init__(self, rule_id: UUID, message: str) -> None:
        super().__init__(message)
        self.rule_id = rule_id


class WrongRule(Exception):
    """The rule can't work; `field` is what is wrong with it, as a JSON pointer."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class RuleValues:
    """What people say of a rule. `platforms` are platforms, whose default destinations are meant, or targets."""

    name: str
    schedule_type: str
    schedule: Schedule
    content: Brief
    platforms: tuple[str, ...]
    is_active: bool = True


@dataclass(frozen=True, slots=True)
class Due:
    """A rule that is to run. Nobody else runs or changes it until the transaction ends."""

    id: UUID
    values: RuleValues
    next_execution_at: datetime | None
    now: datetime


@dataclass(frozen=True, slots=True)
class Execution:
    """A run. `slot` is the time that it is for; `asked_by` is None where it was the clock."""

    slot: datetime
    asked_by: str | None
    status: str
    content_id: UUID | None
    error: str | None
    executed_at: datetime


class Rules:
    """The rules, inside a transaction of the caller's. `now` stands for the database's clock, in tests."""

    def __init__(self, database: Database, rails: Emitting, *, consumer: str, now: datetime | None = None) -> None:
        self._database = database
        self._rails = rails
        self._consumer = consumer
        self._now = now
        self._targets = Targets(database)
        self._contents = Contents(database, rails, consumer=consumer)
        self._sql = Queries.load("common", "rules.sql")

    async def add(self, values: RuleValues, *, by: str) -> UUID:
        """Add a rule. Raises RuleExists, WrongRule."""
        rule_id, now = uuid4(), self._now or datetime.now(UTC)
        values = await self._checked(values, now)
        upcoming = self._upcoming(rule_id, values, now)
        row = await self._database.strict_fetch(self._sql["add"], rule_id, *_columns(values), upcoming, by)
        if not row:
            raise RuleExists(f"there is a rule named {values.name!r} already")
        return rule_id

    async def change(self, rule_id: UUID, values: RuleValues) -> None:
        """Replace what people say of a rule, also of one that can't be read.

        Raises NoSuchRule, RuleExists, WrongRule.
        """
        row = await self._row(rule_id)
        values = await self._checked(values, row["now"])
        try:
            was: RuleValues | None = _due(row).values
        except UNREADABLE:
            was = None
        same = was is not None and (was.schedule, was.is_active) == (values.schedule, values.is_active)
        upcoming = row["next_execution_at"] if same else self._upcoming(rule_id, values, row["now"])
        try:
            await self._database.strict_fetch(self._sql["change"], rule_id, *_columns(values), upcoming)
        except asyncpg.UniqueViolationError:
            raise RuleExists(f"there is another rule named {values.name!r}") from None

    async def activate(self, rule_id: UUID, *, active: bool) -> None:
        """Let a rule run from now on, or not any more: what it has missed while it did not is not made up.

        Raises NoSuchRule, WrongRule, UnreadableRule.
        """
        due = await self._lock(rule_id)
        if due.values.is_active == active:
            return
        values = replace(due.values, is_active=active)
        upcoming = self._upcoming(rule_id, values, due.now)
        await self._database.strict_fetch(self._sql["change"], rule_id, *_columns(values), upcoming)

    async def remove(self, rule_id: UUID) -> None:
        """Remove a rule; what it has made stays. Raises NoSuchRule."""
        if not await self._database.strict_fetch(self._sql["remove"], rule_id):
            raise NoSuchRule(f"there is no rule {rule_id}")

    async def run_now(self, rule_id: UUID, *, by: str) -> Execution:
        """Run a rule, active or not, beside its times. Raises NoSuchRule, UnreadableRule."""
        due = await self._lock(rule_id)
        done = await self._run(due, due.now, asked_by=by)
        assert done, "no slot is taken to the microsecond"
        return done

    async def take_due(self, but: Sequence[UUID] = ()) -> Due | None:
        """Take a rule that is due, and that nobody else runs or changes; None where there is none.

        Raises UnreadableRule.
        """
        row = await self._database.fetchrow(self._sql["due"], self._now, list(but))
        if row is None:
            return None
        try:
            return _due(row)
        except UNREADABLE as error:
            raise UnreadableRule(row["id"], str(error)) from None

    async def run_due(self, due: Due) -> Execution | None:
        """Run a rule for the latest of its times that have come; None where it has run for that before."""
        assert due.next_execution_at is not None
        schedule, seed = due.values.schedule, str(due.id)
        slot = latest(schedule, due.next_execution_at, due.now, seed)
        done = await self._run(due, slot)
        await self._database.execute(self._sql["move_on"], due.id, following(schedule, due.now, seed))
        return done

    async def give_up(self, rule_id: UUID, error: str) -> None:
        """Record that a due rule could not be run, for a reason that nobody expected, and set its next time.

        Where not even its times can be read, it has none any more.
        """
        row = await self._database.fetchrow(self._sql["lock"], rule_id, self._now)
        if row is None or row["next_execution_at"] is None or row["next_execution_at"] > row["now"]:
            return
        try:
            due = _due(row)
            slot = latest(due.values.schedule, row["next_execution_at"], row["now"], str(rule_id))
            upcoming = following(due.values.schedule, row["now"], str(rule_id))
        except UNREADABLE as wrong:
            slot, upcoming = row["next_execution_at"], None
            error = f"{error}; its next time can't be told: {type(wrong).__name__}"
        await self._fail(rule_id, row["name"], slot, None, row["now"], error)
        await self._database.execute(self._sql["move_on"], rule_id, upcoming)

    async def come_back(self) -> None:
        """Set the next times of rules again that ran while the clock was ahead; no slot is run twice for that."""
        for row in await self._database.fetch(self._sql["ahead"], self._now):
            try:
                upcoming = following(_due(row).values.schedule, row["now"], str(row["id"]))
            except UNREADABLE:  # its run will say so
                continue
            if upcoming is not None and upcoming < row["next_execution_at"]:
                await self._database.execute(self._sql["move_on"], row["id"], upcoming)

    async def seconds_left(self) -> float | None:
        """Return the seconds until the next rule is due, None where none will be."""
        row = await self._database.fetchrow(self._sql["next"], self._now)
        return row["seconds"] if row else None

    async def _run(self, due: Due, slot: datetime, *, asked_by: str | None = None) -> Execution | None:
        values = due.values
        taken = await self._database.strict_fetch(self._sql["begin"], due.id, slot, asked_by, due.now)
        if not taken:
            return None
        try:  # nothing is written or told before all of these have passed
            targets = await self._resolved(values.platforms)
            content = await self._contents.request(values.content, by=f"rule:{values.name}", rule_id=due.id)
        except (NotPlannable, NoSuchProfile) as error:
            await self._fail(due.id, values.name, slot, asked_by, due.now, str(error))
            return Execution(slot, asked_by, "failed", None, str(error), due.now)
        at = slot if due.now - slot < LATE else due.now
        for target in targets:
            key = f"rule/{due.id}/{slot.astimezone(UTC).isoformat()}/{target}"
            named = f"rule:{values.name}"
            row = content.post_id, content.id, due.id, platform_of(target), target, at, key, named
            await self._database.execute(self._sql["plan"], *row, current_trace())
        await self._database.execute(self._sql["succeeded"], due.id, slot, content.id)
        log.info("rule %s ran for %s: content %s", values.name, slot.isoformat(), content.id)
        return Execution(slot, asked_by, "succeeded", content.id, None, due.now)

    async def _fail(
        self, rule_id: UUID, name: str, slot: datetime, asked_by: str | None, now: datetime, error: str
    ) -> None:
        error = error[:ERROR_LENGTH]
        await self._database.execute(self._sql["failed"], rule_id, slot, asked_by, now, error)
        notice = NotifyRequested(
            kind="scheduler.rule_failed",
            severity="error",
            title=f"The rule {name} could not be run: {error}"[:200],
            detail=f"{error} (rule {rule_id}, for {slot.isoformat()})",
            fingerprint=f"scheduler.rule_failed/{rule_id}",
        )
        await self._rails.tell([notice], consumer=self._consumer, cause=f"rule/{rule_id}/{slot.isoformat()}/failed")

    async def _lock(self, rule_id: UUID) -> Due:
        row = await self._row(rule_id)
        try:
            return _due(row)
        except UNREADABLE as error:
            raise UnreadableRule(rule_id, f"what is stored of rule {rule_id} can't be read: change it first") from error

    async def _row(self, rule_id: UUID) -> asyncpg.Record:
        row = await self._database.fetchrow(self._sql["lock"], rule_id, self._now)
        if row is None:
            raise NoSuchRule(f"there is no rule {rule_id}")
        return row

    async def _checked(self, values: RuleValues, now: datetime) -> RuleValues:
        """Return the values as they are stored. Raises WrongRule."""
        try:
            await self._resolved(values.platforms)
        except NotPlannable as error:
            raise WrongRule("/platforms", str(error)) from None
        try:
            await self._contents.check(values.content)
        except NoSuchProfile as error:
            raise WrongRule("/content_config/profile", str(error)) from None
        schedule = values.schedule
        if isinstance(schedule, Interval) and schedule.start is None:
            schedule = schedule.model_copy(update={"start": now.replace(microsecond=0)})
        return replace(values, schedule=schedule)

    async def _resolved(self, platforms: Sequence[str]) -> list[str]:
        """Return the targets, each once. Raises NotPlannable."""
        return list(dict.fromkeys([await self._targets.resolve(each) for each in platforms]))

    @staticmethod
    def _upcoming(rule_id: UUID, values: RuleValues, now: datetime) -> datetime | None:
        """Return the next time of an active rule. Raises WrongRule where it has passed."""
        if not values.is_active:
            return None
        upcoming = following(values.schedule, now, str(rule_id))
        if upcoming is None and isinstance(values.schedule, Once):
            raise WrongRule("/schedule_config/at", f"{values.schedule.at:%Y-%m-%d %H:%M:%S} UTC has passed")
        return upcoming


def rule_statements() -> Queries:
    """Return the statements, for who shows pages of rules."""
    return Queries.load("common", "rules.sql")


def _columns(values: RuleValues) -> tuple[Any, ...]:
    schedule = values.schedule.model_dump(mode="json", by_alias=True, exclude_none=True)
    return values.name, values.schedule_type, schedule, asdict(values.content), list(values.platforms), values.is_active


def _due(row: asyncpg.Record) -> Due:
    schedule = read_schedule(row["schedule_type"], row["schedule_config"])
    values = RuleValues(
        name=row["name"],
        schedule_type=row["schedule_type"],
        schedule=schedule,
        content=Brief(**row["content_config"]),
        platforms=tuple(row["platforms"]),
        is_active=row["is_active"],
    )
    return Due(row["id"], values, row["next_execution_at"], row["now"])
