"""The figures of a window, as `postroom status` shows them."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from common.metrics import QueueFigures
from common.queues.standing import QueueStanding
from postroom.output import print_table


def queue_row(queue: QueueStanding, measured: QueueFigures) -> dict[str, Any]:
    """Return how a queue stands now, and what it did in the window."""
    now = {name: getattr(queue, name) for name in ("priority", "waiting", "in_flight", "redelivered", "oldest_seconds")}
    pause, behind = queue.pause, queue.behind
    return {
        "queue": queue.queue,
        **now,
        "eta_seconds": queue.eta_seconds,
        "behind": behind.behind if behind else 0,
        "pause": asdict(pause) if pause else None,
        **{name: value for name, value in asdict(measured).items() if name != "queue"},
    }


def print_queues(rows: Sequence[dict[str, Any]], window: str) -> None:
    """Print how the queues stand, and the average run time, average retries and share of failures of the window."""
    ended = f"ended in {window}"
    print_table(
        ("Queue", "waiting", "in flight", "behind", "oldest s", ended, "failed", "avg s", "p95 s", "avg retries"),
        (
            (row["queue"], row["waiting"], row["in_flight"], row["behind"], _whole(row["oldest_seconds"]),
             row["ended"], _share(row["failure_share"]), row["average_run_seconds"], row["seconds"]["p95"],
             row["average_retries"])
            for row in rows
        ),
        gap=True,
    )  # fmt: skip


def print_models(rows: Sequence[dict[str, Any]], window: str) -> None:
    """Print what model calls took and cost in the window."""
    print_table(
        ("Model", "route", f"calls in {window}", "failed", "tokens", "USD"),
        (
            (row["model"], row["route"] or "–", row["calls"], row["failed"],
             row["prompt_tokens"] + row["completion_tokens"], f"{row['cost_usd']:.4f}")
            for row in rows
        ),
        gap=True,
    )  # fmt: skip


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.1%}"
