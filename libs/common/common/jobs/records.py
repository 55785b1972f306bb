"""Jobs as they are read: in a list, and one with everything that is known of it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg


@dataclass(frozen=True, slots=True)
class JobSummary:
    """A job in a list: one event for one consumer."""

    consumer: str
    event_id: str
    queue: str
    subject: str
    post_id: UUID | None
    status: str
    attempts: int  # claims; `excused` and `crashes` of them count for nothing
    excused: int
    crashes: int
    error_class: str | None
    last_error: str | None
    trace_id: str | None
    created_at: datetime
    started_at: datetime  # its latest run
    finished_at: datetime | None
    due_at: datetime | None  # while it is queued: when it runs again

    @property
    def key(self) -> str:
        """How people and records name it."""
        return f"{self.consumer}/{self.event_id}"

    @property
    def run_seconds(self) -> float | None:
        """How long its latest run took."""
        return None if self.finished_at is None else (self.finished_at - self.started_at).total_seconds()

    @property
    def total_seconds(self) -> float | None:
        """How long it took from its first claim to its end."""
        return None if self.finished_at is None else (self.finished_at - self.created_at).total_seconds()

    @classmethod
    def of(cls, row: asyncpg.Record) -> "JobSummary":
        """Return a row of jobs."""
        return cls(**{field.name: row[field.name] for field in fields(JobSummary)})


@dataclass(frozen=True, slots=True)
class Attempt:
    """A run that did not simply succeed: failed, retry, skipped, drained, crashed or cancelled."""

    attempt: int
    started_at: datetime | None
    ended_at: datetime
    outcome: str
    error_class: str | None
    error: str | None


@dataclass(frozen=True, slots=True)
class JobDetails:
    """One job with its runs and the message it was made of. What is forgotten by now is None."""

    job: JobSummary
    runs: tuple[Attempt, ...]
    payload: bytes | None
    headers: dict[str, str] | None
    sequence: int | None  # of the message in its stream
    letter: int | None  # the number of its dead letter

    @property
    def shown(self) -> Any:
        """The payload as JSON where it is that, else as text; bytes that are not UTF-8 are escaped."""
        if self.payload is None:
            return None
        try:
            return json.loads(self.payload)
        except ValueError:
            return self.payload.decode(errors="backslashreplace")

    @classmethod
    def of(cls, row: asyncpg.Record, runs: Sequence[asyncpg.Record]) -> "JobDetails":
        """Return a row of the statement `get`, with its runs."""
        return cls(
            JobSummary.of(row),
            tuple(Attempt(**dict(run)) for run in runs),
            None if row["payload"] is None else bytes(row["payload"]),
            None if row["headers"] is None else json.loads(row["headers"]),
            row["sequence"],
            row["letter"],
        )
