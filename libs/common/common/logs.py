"""Log records: what services shipped, kept by the api, and found by service, level, post, job, trace, text and time.

Used by the REST API and by the command line.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

from common.postgres import Database, Queries

Level = Literal["debug", "info", "warning", "error", "critical"]
LEVELS: tuple[Level, ...] = ("debug", "info", "warning", "error", "critical")  # the least serious first

SQL = Queries.load("common", "logs.sql")
OWN = ("timestamp", "service", "level", "event", "post_id", "job_id", "trace_id", "span_id")  # not in `fields`
LONGEST_NAME = 500  # characters of a service or an id
LATE_IDS = 1000  # ids are given before they are committed: so many before the last one are looked at again


@dataclass(frozen=True, slots=True)
class LogRecord:
    """One record. `fields` has whatever else was said; `id` is None where it was not kept (yet)."""

    at: datetime
    service: str
    level: str
    event: str
    post_id: UUID | None = None
    job_id: str | None = None  # <consumer>/<event id>
    trace_id: str | None = None
    fields: dict[str, Any] = field(default_factory=dict)
    id: int | None = None

    @property
    def key(self) -> tuple[object, ...]:
        """What it has in common with the same record as it was written elsewhere."""
        return self.at, self.service, self.event, self.job_id


@dataclass(frozen=True, slots=True)
class LogFilter:
    """Which records are meant: all that match everything given. `since` is included, `until` is not."""

    service: str | None = None
    level: Level | None = None  # this one, or a more serious one
    post_id: UUID | None = None
    job_id: str | None = None
    trace_id: str | None = None
    text: str | None = None  # any part of event, error or traceback, in whatever case
    since: datetime | None = None
    until: datetime | None = None

    @property
    def levels(self) -> Sequence[str] | None:
        """The levels that are meant; None: all."""
        return None if self.level in (None, "debug") else LEVELS[LEVELS.index(self.level) :]

    def arguments(self) -> tuple[Any, ...]:
        """Return it as the statements take it."""
        pattern = None if self.text is None else f"%{_literal(self.text)}%"
        return (
            self.service, self.levels, self.post_id, self.job_id, self.trace_id, pattern, self.since, self.until,
        )  # fmt: skip

    def matches(self, record: LogRecord) -> bool:
        """Return whether a record is meant that is not in the database."""
        return (
            (self.service is None or record.service == self.service)
            and (self.levels is None or record.level in self.levels)
            and (self.post_id is None or record.post_id == self.post_id)
            and (self.job_id is None or record.job_id == self.job_id)
            and (self.trace_id is None or record.trace_id == self.trace_id)
            and (self.text is None or self.text.lower() in searched(record.event, record.fields).lower())
            and (self.since is None or record.at >= self.since)
            and (self.until is None or record.at < self.until)
        )


class Logs:
    """Finds records."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def latest(self, wanted: LogFilter, limit: int) -> list[LogRecord]:
        """Return the newest so many, the oldest of them first."""
        rows = await self._database.fetch(SQL["latest_logs"], limit, *wanted.arguments())
        return [_record(row) for row in reversed(rows)]

    async def last_id(self) -> int:
        """Return the id of the record that arrived last; 0 where there is none."""
        row = await self._database.fetchrow(SQL["last_log"])
        assert row
        return int(row["id"])

    async def after(self, record_id: int, wanted: LogFilter, limit: int = 1000) -> list[LogRecord]:
        """Return what arrived after a record, and shortly before it, in the order of arrival."""
        rows = await self._database.fetch(
            SQL["logs_after"], record_id - LATE_IDS, limit + LATE_IDS, *wanted.arguments()
        )
        return [_record(row) for row in rows]


def record_of(said: Mapping[str, Any], *, service: str, at: datetime) -> LogRecord:
    """Return what a service wrote as a record, whatever it is; with this service and time where it names none."""
    event, level = str(said.get("event") or ""), said.get("level")
    return LogRecord(
        at=_moment(said.get("timestamp")) or at,
        service=_name(said.get("service")) or service,
        level=level if level in LEVELS else "info",
        event=event,
        post_id=_id(said.get("post_id")),
        job_id=_name(said.get("job_id")),
        trace_id=_name(said.get("trace_id")),
        fields={name: value for name, value in said.items() if name not in OWN},
    )


def searched(event: str, fields: dict[str, Any]) -> str:
    """Return where a search for text looks: what was said, and what went wrong."""
    return "\n".join(str(each) for each in (event, fields.get("error"), fields.get("exception")) if each)


def _record(row: Any) -> LogRecord:
    return LogRecord(**{name: row[name] for name in LogRecord.__slots__})


def _moment(given: object) -> datetime | None:
    with suppress(ValueError, OverflowError):
        return datetime.fromisoformat(str(given)).astimezone(UTC)
    return None


def _id(given: object) -> UUID | None:
    with suppress(ValueError):
        return UUID(str(given))
    return None


def _name(given: object) -> str | None:
    return str(given)[:LONGEST_NAME] if given else None


def _literal(text: str) -> str:
    """Return a text as a pattern of LIKE that means just that."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
