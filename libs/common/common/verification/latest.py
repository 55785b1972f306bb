"""What is known without looking again: the latest verification, and how the canary is."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from common.postgres import Database, Queries


@dataclass(frozen=True, slots=True)
class Latest:
    """The latest verification. `report` is as `Verified.to_json` has it."""

    at: datetime
    balanced: bool
    findings: int
    mended: int
    report: dict[str, Any]


@dataclass(frozen=True, slots=True)
class CanaryState:
    """How the canary is. Times are in seconds; those that are not known are None.

    `seconds` is how long the last one took that ended, `outcome` what came of it, and `detail` why; `waiting_seconds`
    how long one has been under way. `paused`: somebody lets a queue stand still.
    """

    seconds: float | None
    outcome: str | None
    detail: str
    waiting_seconds: float | None
    limit_seconds: float
    paused: bool = False

    @property
    def late(self) -> bool:
        """Whether one has been under way for too long; while a queue is paused it may be."""
        return not self.paused and self.waiting_seconds is not None and self.waiting_seconds > self.limit_seconds

    @property
    def well(self) -> bool:
        """Whether the whole way is open, as far as the canary tells."""
        return not self.late and self.outcome in (None, "published")


async def latest_verification(database: Database) -> Latest | None:
    """Return the latest verification, or None where there was none."""
    row = await database.fetchrow(Queries.load("common", "verification.sql")["latest"])
    return Latest(**dict(row)) if row else None


async def canary_state(database: Database) -> CanaryState | None:
    """Return how the canary is, or None where none was ever sent."""
    row = await database.fetchrow(Queries.load("common", "verification.sql")["canary"])
    return CanaryState(**dict(row)) if row else None
