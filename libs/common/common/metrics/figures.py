"""What is measured. Shares are from 0 to 1, times in seconds, and None where nothing was there to be measured."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from common.metrics.window import Window


@dataclass(frozen=True, slots=True)
class Distribution:
    """How long something took."""

    average: float | None = None
    p50: float | None = None
    p95: float | None = None
    p99: float | None = None


@dataclass(frozen=True, slots=True)
class QueueFigures:
    """The jobs of a queue that ended in a window; `queue` is None for all queues together.

    `seconds` is from the first claim of a job to its end, `run_seconds` the run that ended it: both of those that
    succeeded. A retry is a claim after the first one, be it for an error, a wait or a crash.
    """

    queue: str | None
    ended: int = 0
    succeeded: int = 0
    failed: int = 0
    cancelled: int = 0
    per_second: float = 0.0
    failure_share: float | None = None
    average_retries: float | None = None
    average_run_seconds: float | None = None
    seconds: Distribution = Distribution()


@dataclass(frozen=True, slots=True)
class Funnel:
    """What each stage did in a window; a post that came in before it may have been published in it."""

    collected: int
    duplicates: int
    rewritten: int
    refused: int
    illustrated: int
    published: int
    not_published: int
    broadcast_messages: int


@dataclass(frozen=True, slots=True)
class ModelFigures:
    """What model calls for a route took and cost; `route_id` is None for contents and for what names no route."""

    route_id: UUID | None
    route: str | None
    model: str
    kind: str  # chat or image
    calls: int
    failed: int
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float
    average_seconds: float | None


@dataclass(frozen=True, slots=True)
class WaitFigures:
    """How long publications at a destination waited for their turn and its pace, from request to first try."""

    destination: str
    publications: int
    seconds: Distribution


@dataclass(frozen=True, slots=True)
class Lateness:
    """By how much scheduled posts were published after their time; `overdue` are due now and not under way."""

    published: int
    seconds: Distribution
    overdue: int
    oldest_overdue_at: datetime | None


@dataclass(frozen=True, slots=True)
class Figures:
    """All numbers of a window."""

    window: Window
    total: QueueFigures
    queues: tuple[QueueFigures, ...]
    funnel: Funnel
    models: tuple[ModelFigures, ...]
    waits: tuple[WaitFigures, ...]
    lateness: Lateness
