"""An operation, and what it takes to be a kind of operation."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Protocol, TypeAlias
from uuid import UUID

import asyncpg
from pydantic import BaseModel, ConfigDict

ENDED = ("done", "failed", "cancelled")
GONE = "it is not there any more"
"""The refusal of what is no longer there. After a death it is taken for done: it was us."""

Outcome: TypeAlias = str | None
"""Why one was refused; None where it was done."""


class Filter(BaseModel):
    """What an operation is to be done to; all that it says must hold. What it does not know is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    def to_json(self) -> dict[str, Any]:
        """Return what it says as JSON values."""
        said: dict[str, Any] = json.loads(self.model_dump_json(exclude_unset=True))
        return said


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation as it stands. `total` matched when it was asked for."""

    id: UUID
    kind: str
    filter: dict[str, Any]
    reason: str
    status: str  # pending, running, done, failed, cancelled
    total: int
    done: int
    refused: int
    refusals: list[dict[str, str]]  # the first of them: key and reason
    position: str | None
    step: list[str]
    error: str | None
    created_by: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    cancelled_by: str | None

    @property
    def ended(self) -> bool:
        """Whether nothing more will come of it."""
        return self.status in ENDED

    @classmethod
    def of(cls, row: asyncpg.Record | Mapping[str, Any]) -> "Operation":
        """Return a row of bulk_operations."""
        return cls(**{field.name: row[field.name] for field in fields(cls)})


class Kind(Protocol):
    """One thing that can be done to many.

    A key names one of those many. It is a text of the kind's own making, and keys have an order: `page` returns them
    in it, and is asked for what comes after a key.
    """

    @property
    def name(self) -> str:
        """How people and records name it: dead_letters.replay."""

    @property
    def filter(self) -> type[Filter]:
        """What it can be told to be done to."""

    async def count(self, wanted: Any) -> int:
        """Return how many match a filter."""

    async def page(self, wanted: Any, *, until: datetime, after: str | None, limit: int) -> Sequence[str]:
        """Return the keys of those that match, in order, after a key; only what was there at `until`.

        What an operation does may bring about what matches again, such as a letter of a job that failed once more:
        without that bound it would never end.
        """

    async def act(self, keys: Sequence[str], operation: Operation) -> Sequence[Outcome]:
        """Do it, and return for each key why it was refused, None where it was done, in the order of the keys.

        It must be repeatable: after a death the same keys are given once more. What is not there any more is GONE.
        Whatever it raises that says that a server is away makes it be asked again; anything else fails the operation.
        """
