"""A queue: one durable, and how its messages are worked on."""

import math
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pydantic import BaseModel, ConfigDict, Field

from common.contracts import Durable


class QueueSettings(BaseModel):
    """How a queue is worked on and watched: `<QUEUE>_CONCURRENCY`, `<QUEUE>_MAX_ATTEMPTS` and so on."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    concurrency: int = Field(default=50, ge=1, le=1000, description="handlers at once")
    max_attempts: int = Field(default=5, ge=1, le=100, description="then the message goes to the dead letters")
    max_crashes: int = Field(default=3, ge=1, le=1000, description="deaths of its worker; then it goes there as well")
    backoff_base_seconds: float = Field(default=2.0, gt=0, description="base to the power of the attempt")
    backoff_cap_seconds: float = Field(default=300.0, gt=0, description="the longest pause between attempts")
    timeout_seconds: float = Field(default=30.0, gt=0, description="for one run of the handler")
    deadline_seconds: float = Field(default=86_400.0, gt=0, description="bounds Retry, which is not an attempt")
    alert_failures: int = Field(default=20, ge=0, description="failed jobs within the window call for help; 0: never")
    alert_window_seconds: float = Field(default=300.0, gt=0, description="the window in which failures are counted")
    alert_oldest_seconds: float = Field(default=900.0, ge=0, description="so old a message calls for help; 0: never")


# A net only: waits, drains and busy answers are deliveries too. The ledger counts attempts.
MAX_DELIVER = 1000
MAX_ACK_PENDING = 5000


class Queue:
    """A durable, how its messages are worked on, and whether they are.

    All of it may change at any time, as people decide: read it when it is needed, and `watch` to hear of changes.
    """

    def __init__(self, durable: Durable, settings: QueueSettings) -> None:
        self.durable = durable
        self.settings = settings
        self.paused = False  # nothing new is started; what runs may finish
        self.running = 0  # handlers, and sends of what stands behind the queue
        self.ended = 0  # jobs, since the start of this process
        self._watchers: list[Callable[[], None]] = []

    def watch(self, changed: Callable[[], None]) -> None:
        """Have `changed` called after each change of the settings or of `paused`."""
        self._watchers.append(changed)

    def change(self, settings: QueueSettings, *, paused: bool) -> None:
        """Work from now on as people decided."""
        if (settings, paused) == (self.settings, self.paused):
            return
        self.settings, self.paused = settings, paused
        for changed in self._watchers:
            changed()

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Count what runs in a block."""
        self.running += 1
        try:
            yield
        finally:
            self.running -= 1

    @property
    def ack_wait(self) -> float:
        """Seconds until the server delivers again; also the lease of a claim."""
        return self.durable.ack_wait

    def timeout(self) -> float:
        """Seconds for one run, as they are now; for those who ask again with each call."""
        return self.settings.timeout_seconds

    @property
    def prefetch(self) -> int:
        """How many messages may wait here for a free place: as many as run, so that no place stays empty."""
        return self.settings.concurrency

    def backoff(self, attempt: int) -> float:
        """Return the pause in seconds after the given failed attempt (1 for the first), with jitter of a quarter."""
        base, cap = self.settings.backoff_base_seconds, self.settings.backoff_cap_seconds
        # As logarithms, because a large base to the power of a late attempt is no float any more.
        pause = cap if attempt * math.log(base) >= math.log(cap) else base**attempt
        return pause * random.uniform(0.75, 1.25)
