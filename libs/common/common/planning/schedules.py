"""When a rule runs, as people write it: once, in intervals, daily, weekly, or by a cron line."""

from collections.abc import Container, Mapping
from datetime import UTC, datetime, time, timedelta
from functools import cache, cached_property
from typing import Annotated, Any, Literal, TypeAlias
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from common.planning.cron import Cron, InvalidCron, parse_cron

ScheduleType: TypeAlias = Literal["once", "interval", "daily", "weekly", "cron"]

EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
LONGEST_JITTER_SECONDS = 24 * 3600
YEAR_MINUTES = 366 * 24 * 60


@cache
def zones() -> frozenset[str]:
    """Return the names of all time zones, https://data.iana.org/time-zones/"""
    return frozenset(available_timezones())


def _zone(name: str) -> str:
    if name not in zones():
        raise ValueError(f"there is no time zone {name!r}; one is called Europe/Moscow, for example")
    return name


def _bounded(moment: datetime) -> datetime:
    if not EARLIEST <= moment < LATEST:
        raise ValueError(f"it must be between {EARLIEST:%Y} and {LATEST:%Y}")
    return moment.astimezone(UTC)


def _cron_line(line: str) -> str:
    try:
        parse_cron(line)
    except InvalidCron as error:
        raise ValueError(str(error)) from None
    return line


Moment = Annotated[AwareDatetime, AfterValidator(_bounded)]
Zone = Annotated[str, Field(max_length=64, examples=["Europe/Moscow"]), AfterValidator(_zone)]
Clock = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", examples=["12:05"])]
Weekday = Annotated[int, Field(ge=1, le=7)]
CronText = Annotated[str, Field(max_length=200, examples=["5 12 * * mon-fri"]), AfterValidator(_cron_line)]


class _Schedule(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Once(_Schedule):
    """At one time."""

    at: Moment


class _Recurring(_Schedule):
    jitter_seconds: int = Field(
        default=0, ge=0, le=LONGEST_JITTER_SECONDS, description="each run is up to so much later; also `jitter`"
    )

    @model_validator(mode="before")
    @classmethod
    def _jitter(cls, given: Any) -> Any:
        if isinstance(given, Mapping) and "jitter" in given and "jitter_seconds" not in given:
            return {"jitter_seconds" if name == "jitter" else name: value for name, value in given.items()}
        return given


class Interval(_Recurring):
    """Every so many minutes, counted from a time: by default from when the rule was made."""

    every_minutes: int = Field(ge=1, le=YEAR_MINUTES)
    start: Moment | None = Field(default=None, alias="from")

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True, serialize_by_alias=True)


class _OnTheClock(_Recurring):
    timezone: Zone = "UTC"

    @cached_property
    def zone(self) -> ZoneInfo:
        """The time zone."""
        return ZoneInfo(self.timezone)


class Daily(_OnTheClock):
    """Every day at these times."""

    times: Annotated[tuple[Clock, ...], Field(min_length=1, max_length=96)]

    def wall_after(self, moment: datetime) -> datetime | None:
        """Return the first time on the wall clock that is later than `moment`."""
        return _next_at(self.times, range(1, 8), moment)


class Weekly(_OnTheClock):
    """At these times on these days of the week; 1 is Monday."""

    times: Annotated[tuple[Clock, ...], Field(min_length=1, max_length=96)]
    days_of_week: Annotated[tuple[Weekday, ...], Field(min_length=1, max_length=7)]

    def wall_after(self, moment: datetime) -> datetime | None:
        """Return the first time on the wall clock that is later than `moment`."""
        return _next_at(self.times, self.days_of_week, moment)


class CronLine(_OnTheClock):
    """By a cron line of five fields: minute, hour, day of the month, month, day of the week (0 and 7 are Sunday)."""

    expression: CronText

    def wall_after(self, moment: datetime) -> datetime | None:
        """Return the first time on the wall clock that is later than `moment`."""
        return self.parsed.after(moment)

    @cached_property
    def parsed(self) -> Cron:
        """The line as it is worked with."""
        return parse_cron(self.expression)


Schedule: TypeAlias = Once | Interval | Daily | Weekly | CronLine
KINDS: Mapping[str, type[Schedule]] = {
    "once": Once, "interval": Interval, "daily": Daily, "weekly": Weekly, "cron": CronLine,
}  # fmt: skip
_ADAPTERS: Mapping[str, TypeAdapter[Schedule]] = {name: TypeAdapter(kind) for name, kind in KINDS.items()}


def read_schedule(kind: str, config: Mapping[str, Any]) -> Schedule:
    """Return a schedule as it is stored. Raises pydantic's ValidationError."""
    return _ADAPTERS[kind].validate_python(dict(config))


def _next_at(times: tuple[str, ...], weekdays: Container[int], moment: datetime) -> datetime | None:
    clocks = sorted({time.fromisoformat(each) for each in times})
    for days in range(9):
        day = moment.date() + timedelta(days=days)
        if day.isoweekday() in weekdays:
            for clock in clocks:
                if (found := datetime.combine(day, clock)) > moment:
                    return found
    return None
