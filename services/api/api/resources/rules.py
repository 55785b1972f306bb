"""Auto-posting rules: what makes posts by itself, and when."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal, TypeAlias
from uuid import UUID

from fastapi import Body, Query
from pydantic import Field, ValidationError, model_validator

from api.http.calls import CONSUMER, Call, Calling, found
from api.http.paging import END_OF_TIME, Page, Paged
from api.http.problems import Problem
from api.http.routes import resource
from api.http.values import Answer, Change, Given, Name, Prose, Utc, Words
from api.resources.scheduled_posts import Status
from common.planning.contents import Brief
from common.planning.recurrence import preview
from common.planning.rules import Rules, RuleValues, UnreadableRule, WrongRule, rule_statements
from common.planning.schedules import (
    CronLine,
    Daily,
    Interval,
    Once,
    Schedule,
    ScheduleType,
    Weekly,
    read_schedule,
)

router = resource("auto-posting/rules")

PREVIEWED = 10
Platforms = Annotated[
    list[Words],
    Field(
        min_length=1,
        max_length=20,
        examples=[["telegram"]],
        description="platforms, whose default destinations are meant, or targets such as telegram:@channel",
    ),
]


class RuleContent(Given):
    """What each of its posts is written from."""

    title: Name
    description: Prose = Field(default="", description="Telegram markdown; what the post is to say")
    profile: Words | None = Field(default=None, description="name or id; how it is to be written")
    illustrate: bool = Field(default=False, description="have an image made for it")


class _NewRule(Given):
    name: Name
    content_config: RuleContent
    platforms: Platforms
    is_active: bool = True


class NewOnceRule(_NewRule):
    """A rule that runs once."""

    schedule_type: Literal["once"]
    schedule_config: Once


class NewIntervalRule(_NewRule):
    """A rule that runs every so many minutes."""

    schedule_type: Literal["interval"]
    schedule_config: Interval


class NewDailyRule(_NewRule):
    """A rule that runs every day."""

    schedule_type: Literal["daily"]
    schedule_config: Daily


class NewWeeklyRule(_NewRule):
    """A rule that runs on some days of the week."""

    schedule_type: Literal["weekly"]
    schedule_config: Weekly


class NewCronRule(_NewRule):
    """A rule that runs by a cron line."""

    schedule_type: Literal["cron"]
    schedule_config: CronLine


NewRule: TypeAlias = Annotated[
    NewOnceRule | NewIntervalRule | NewDailyRule | NewWeeklyRule | NewCronRule, Body(discriminator="schedule_type")
]


class RuleChange(Change):
    """What is to be different. Another `schedule_type` comes with its `schedule_config`."""

    name: Name = ""
    schedule_type: ScheduleType = "daily"
    schedule_config: dict[str, Any] = Field(default={}, description="in place of the whole of it")
    content_config: RuleContent = Field(default=RuleContent(title="-"), description="in place of the whole of it")
    platforms: Platforms = []  # noqa: RUF012 (a default that stands for none)
    is_active: bool = True


class Statistics(Answer):
    """What came of a rule's runs and posts."""

    executions: int
    succeeded: int
    failed: int
    last_executed_at: Utc | None
    last_error: str | None = Field(description="of the last run, where it failed")
    posts_open: int = Field(description="scheduled, or being published")
    posts_published: int
    posts_failed: int
    posts_cancelled: int


class Rule(Answer):
    """A rule."""

    id: UUID
    name: str
    schedule_type: ScheduleType
    schedule_config: dict[str, Any]
    content_config: dict[str, Any]
    platforms: list[str]
    is_active: bool
    next_execution_at: Utc | None
    statistics: Statistics
    version: int
    created_by: str
    created_at: Utc
    updated_at: Utc

    @model_validator(mode="before")
    @classmethod
    def _grouped(cls, row: Any) -> Any:
        return row | {"statistics": row} if isinstance(row, dict) and "statistics" not in row else row


class PlannedByRule(Answer):
    """A post that a run planned, as it is now."""

    id: UUID
    target: str
    scheduled_time: Utc
    status: Status
    url: str | None
    last_error: str | None


class Execution(Answer):
    """A run of a rule, and what it made."""

    slot: Utc = Field(description="the time that it is for")
    asked_by: str | None = Field(description="null: the clock")
    status: Literal["succeeded", "failed"]
    content_id: UUID | None
    error: str | None
    executed_at: Utc
    post_id: UUID | None
    title: str = Field(description="of the content: the model's, once it is written")
    content_status: Literal["requested", "created", "failed", "deleted"] | None
    content_reason: str | None = Field(description="why the content failed")
    posts: list[PlannedByRule]


class Times(Answer):
    """The next times of a schedule."""

    times: list[Utc]


class GivenSchedule(Given):
    """A schedule that is no rule's yet."""

    schedule_type: ScheduleType
    schedule_config: dict[str, Any]


@router.get("")
async def list_rules(page: Paged, is_active: bool | None = None) -> Page[Rule]:
    """List rules."""
    return await page.of(Rule, rule_statements()["list"], is_active)


@router.post("", status_code=201)
async def create_rule(given: NewRule, call: Calling) -> Rule:
    """Add a rule. It runs from its next time on."""
    values = _values(given, given.schedule_type, given.schedule_config)
    try:
        rule_id = await _rules(call).add(values, by=call.actor)
    except WrongRule as error:
        raise _wrong(error.field, str(error)) from None
    call.created(rule_id)
    return await get_rule(rule_id, call)


@router.post("/preview")
async def preview_schedule(given: GivenSchedule) -> Times:
    """Show the next ten times of a schedule. With jitter those of a rule will be others."""
    schedule = _schedule(given.schedule_type, given.schedule_config)
    return Times(times=preview(schedule, datetime.now(UTC), "", PREVIEWED))


@router.get("/{rule_id}")
async def get_rule(rule_id: UUID, call: Calling) -> Rule:
    """Read a rule with its statistics."""
    return call.tagged(await _rule(call, rule_id))


@router.patch("/{rule_id}")
async def change_rule(rule_id: UUID, change: RuleChange, call: Calling) -> Rule:
    """Change a rule: what is left out stays. Another schedule holds from now on."""
    await call.alone_with("rule", rule_id)
    current = await _rule(call, rule_id)
    call.changing(current)
    given = {name: getattr(change, name) for name in change.model_fields_set}
    if "content_config" not in given:
        given["content_config"] = RuleContent.model_construct(**current.content_config)
    merged = current.model_copy(update=given)
    values = _values(merged, merged.schedule_type, _schedule(merged.schedule_type, merged.schedule_config))
    try:
        await _rules(call).change(rule_id, values)
    except WrongRule as error:
        raise _wrong(error.field, str(error)) from None
    return await get_rule(rule_id, call)


@router.delete("/{rule_id}", status_code=204)
async def delete_rule(rule_id: UUID, call: Calling) -> None:
    """Remove a rule with the record of its runs; what it has made stays."""
    await call.alone_with("rule", rule_id)
    call.changing(await _rule(call, rule_id))
    await _rules(call).remove(rule_id)


@router.post("/{rule_id}/activate")
async def activate_rule(rule_id: UUID, call: Calling) -> Rule:
    """Let a rule run from now on; what it has missed is not made up."""
    return await _activate(call, rule_id, active=True)


@router.post("/{rule_id}/deactivate")
async def deactivate_rule(rule_id: UUID, call: Calling) -> Rule:
    """Let a rule run no more."""
    return await _activate(call, rule_id, active=False)


@router.post("/{rule_id}/run")
async def run_rule(rule_id: UUID, call: Calling) -> Execution:
    """Run a rule now, beside its times, whether or not it is active. A run that failed says so."""
    call.before = await _rule(call, rule_id)
    try:
        done = await _rules(call).run_now(rule_id, by=call.actor)
    except UnreadableRule as error:
        raise Problem("conflict", str(error)) from None
    row = await call.database.fetchrow(rule_statements()["executions"], 1, END_OF_TIME, None, rule_id, done.slot)
    return found(Execution.model_validate(dict(row)) if row else None, "run")


@router.get("/{rule_id}/preview")
async def preview_rule(rule_id: UUID, call: Calling, number: Annotated[int, Query(ge=1, le=100)] = PREVIEWED) -> Times:
    """Show the next times of a rule, ten unless said otherwise, whether or not it is active."""
    rule = await _rule(call, rule_id)
    schedule = _schedule(rule.schedule_type, rule.schedule_config)
    return Times(times=preview(schedule, datetime.now(UTC), str(rule_id), number))


@router.get("/{rule_id}/executions")
async def list_executions(rule_id: UUID, page: Paged, call: Calling) -> Page[Execution]:
    """List the runs of a rule."""
    await _rule(call, rule_id)
    return await page.of(Execution, rule_statements()["executions"], rule_id, None)


async def _activate(call: Call, rule_id: UUID, *, active: bool) -> Rule:
    call.before = await _rule(call, rule_id)
    try:
        await _rules(call).activate(rule_id, active=active)
    except WrongRule as error:
        raise Problem("conflict", f"the rule has no time left: {error}") from None
    except UnreadableRule as error:
        raise Problem("conflict", str(error)) from None
    return await get_rule(rule_id, call)


def _rules(call: Call) -> Rules:
    return Rules(call.database, call.rails, consumer=CONSUMER)


async def _rule(call: Call, rule_id: UUID) -> Rule:
    row = await call.database.fetchrow(rule_statements()["get"], rule_id)
    return found(Rule.model_validate(dict(row)) if row else None, "rule")


def _values(given: Any, schedule_type: str, schedule: Schedule) -> RuleValues:
    content = given.content_config
    return RuleValues(
        name=given.name,
        schedule_type=schedule_type,
        schedule=schedule,
        content=Brief(content.title, content.description, content.profile, content.illustrate),
        platforms=tuple(given.platforms),
        is_active=given.is_active,
    )


def _schedule(schedule_type: str, config: dict[str, Any]) -> Schedule:
    """Return a schedule. Raises a problem that says where it is wrong."""
    try:
        return read_schedule(schedule_type, config)
    except ValidationError as error:
        errors = [
            {
                "in": "body",
                "pointer": "/".join(("/schedule_config", *map(str, each["loc"]))),
                "detail": each["msg"].removeprefix("Value error, "),
            }
            for each in error.errors(include_url=False, include_context=False, include_input=False)
        ]
        raise Problem("invalid", f"{errors[0]['pointer']}: {errors[0]['detail']}", errors=errors) from None


def _wrong(pointer: str, detail: str) -> Problem:
    return Problem("invalid", detail, errors=[{"in": "body", "pointer": pointer, "detail": detail}])
