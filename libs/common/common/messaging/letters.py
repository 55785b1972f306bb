"""Dead letters as they are read: one, a list, groups of one error, and what they are chosen by."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import asyncpg
from pydantic import AwareDatetime, Field, StringConstraints

from common.messaging.dead_letters import place
from common.operations import Filter

Word = Annotated[str, StringConstraints(min_length=1, max_length=300)]
Time = Annotated[AwareDatetime, Field(ge=datetime(1970, 1, 1, tzinfo=UTC), lt=datetime(2200, 1, 1, tzinfo=UTC))]
Number = Annotated[int, Field(ge=1, lt=2**63)]


class LetterFilter(Filter):
    """Which dead letters; all that it says must hold, so that an empty one means all."""

    consumer: Word | None = None
    queue: Word | None = None
    fingerprint: Word | None = Field(default=None, description="of a group")
    error_class: Word | None = None
    error: Word | None = Field(default=None, description="a part of the error's text, in any case")
    post_id: UUID | None = None
    died_from: Time | None = None
    died_until: Time | None = Field(default=None, description="not itself included")
    numbers: Annotated[tuple[Number, ...], Field(min_length=1, max_length=1000)] | None = None

    def columns(self) -> tuple[object, ...]:
        """Return it as the arguments of dead_letters_matching."""
        return (
            self.consumer,
            self.queue,
            self.fingerprint,
            self.error_class,
            self.error,
            self.post_id,
            self.died_from,
            self.died_until,
            None if self.numbers is None else list(self.numbers),
        )


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """What is known of one dead letter. `number` is how people name it."""

    number: int
    died_at: datetime
    consumer: str
    queue: str
    event_id: str
    stream: str
    sequence: int  # of the message in its stream
    subject: str  # of the message
    post_id: UUID | None
    attempts: int
    error_class: str
    error: str
    fingerprint: str
    edited_at: datetime | None
    edited_by: str | None

    @property
    def place(self) -> str:
        """The subject under which the letter itself lies."""
        return place(self.stream, self.consumer, self.sequence)

    @classmethod
    def of(cls, row: asyncpg.Record) -> "DeadLetter":
        """Return a row of dead_letters."""
        return cls(**{field.name: row[field.name] for field in fields(cls)})

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        values = asdict(self) | {"died_at": self.died_at.isoformat()}
        values["post_id"] = None if self.post_id is None else str(self.post_id)
        values["edited_at"] = None if self.edited_at is None else self.edited_at.isoformat()
        return values


@dataclass(frozen=True, slots=True)
class Contents:
    """What the letter itself holds: the message as it was, with headers that say how it died."""

    headers: Mapping[str, str]
    payload: bytes

    @property
    def shown(self) -> Any:
        """The payload as JSON where it is that, else as text; bytes that are not UTF-8 are escaped."""
        try:
            return json.loads(self.payload)
        except ValueError:
            return self.text

    @property
    def text(self) -> str:
        """The payload as text; bytes that are not UTF-8 are escaped."""
        return self.payload.decode(errors="backslashreplace")


@dataclass(frozen=True, slots=True)
class LetterGroup:
    """The letters of one error. `error` is that of the newest, whose number is `example`."""

    fingerprint: str
    count: int
    consumer: str
    queue: str
    error_class: str
    error: str
    first_at: datetime
    last_at: datetime
    example: int

    @classmethod
    def of(cls, row: asyncpg.Record) -> "LetterGroup":
        """Return a row of the groups."""
        return cls(**{field.name: row[field.name] for field in fields(cls)})
