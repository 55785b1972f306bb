"""A queue: one durable, and how its messages are worked on."""

import random
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

from common.contracts import Durable


class QueueSettings(BaseModel):
    """How a queue is worked on: `<QUEUE>_CONCURRENCY`, `<QUEUE>_MAX_ATTEMPTS` and so on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    concurrency: int = Field(default=50, ge=1, le=1000, description="handlers at once")
    max_attempts: int = Field(default=5, ge=1, le=100, description="then the message goes to the dead letters")
    max_crashes: int = Field(default=3, ge=1, le=1000, description="deaths of its worker; then it goes there as well")
    backoff_base_seconds: float = Field(default=2.0, gt=0, description="base to the power of the attempt")
    backoff_cap_seconds: float = Field(default=300.0, gt=0)
    timeout_seconds: float = Field(default=30.0, gt=0, description="for one run of the handler")
    deadline_seconds: float = Field(default=86_400.0, gt=0, description="bounds Retry, which is not an attempt")


# A net only: waits, drains and busy answers are deliveries too. The ledger counts attempts.
MAX_DELIVER = 1000
MAX_ACK_PENDING = 5000


@dataclass(frozen=True, slots=True)
class Queue:
    """A durable with its settings."""

    durable: Durable
    settings: QueueSettings

    @property
    def ack_wait(self) -> float:
        """Seconds until the server delivers again; also the lease of a claim."""
        return self.durable.ack_wait

    @property
    def prefetch(self) -> int:
        """How many messages may wait here for a free place: as many as run, so that no place stays empty."""
        return self.settings.concurrency

    def backoff(self, attempt: int) -> float:
        """Return the pause in seconds after the given failed attempt (1 for the first), with jitter of a quarter."""
        pause = min(self.settings.backoff_cap_seconds, self.settings.backoff_base_seconds**attempt)
        return pause * random.uniform(0.75, 1.25)
