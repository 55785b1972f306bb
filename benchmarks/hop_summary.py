"""What the rounds of the hop come to: medians, of ratios between runs that were neighbours."""

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.hop_run import HopFigures, Mode


@dataclass(frozen=True, slots=True)
class Round:
    """Both variants, one straight after the other, so that what else the machine does touches both."""

    number: int
    mode: Mode
    sync_always: bool
    bare: HopFigures
    full: HopFigures

    @property
    def ratio(self) -> float:
        """How many times as many messages the full hop carries as the bare one."""
        return self.full.messages_per_second / self.bare.messages_per_second

    def __str__(self) -> str:
        sync = ", sync always" if self.sync_always else ""
        if self.mode == "idle":
            return f"idle{sync}: p50 bare {self.bare.latency_p50_ms} ms, full {self.full.latency_p50_ms} ms"
        rates = f"bare {self.bare.messages_per_second:,.0f}/s, full {self.full.messages_per_second:,.0f}/s"
        return f"{self.mode}{sync}: {rates}, ratio {self.ratio:.2f}"

    def to_json(self) -> dict[str, Any]:
        """Return the figures of both."""
        return {
            "round": self.number,
            "mode": self.mode,
            "sync_always": self.sync_always,
            "ratio": round(self.ratio, 3),
            "bare": self.bare.model_dump(exclude={"variant", "mode"}, exclude_none=True),
            "full": self.full.model_dump(exclude={"variant", "mode"}, exclude_none=True),
        }


def summarise(rounds: Sequence[Round]) -> dict[str, Any]:
    """Return the median figures, flat; those with every message flushed to disk end with `_sync_always`."""
    figures: dict[str, Any] = {}
    for sync_always, suffix in ((False, ""), (True, "_sync_always")):
        mine = [pair for pair in rounds if pair.sync_always is sync_always]
        steady = [pair for pair in mine if pair.mode == "steady"]
        slow = [pair for pair in mine if pair.mode == "slow"]
        figures |= {
            f"hop_ratio{suffix}": median(steady, lambda pair: pair.ratio, 3),
            f"hop_ratio_slow{suffix}": median(slow, lambda pair: pair.ratio, 3),
            f"hop_messages_per_second{suffix}": median(steady, lambda pair: pair.full.messages_per_second),
            f"bare_messages_per_second{suffix}": median(steady, lambda pair: pair.bare.messages_per_second),
            f"hop_messages_per_second_slow{suffix}": median(slow, lambda pair: pair.full.messages_per_second),
            f"bare_messages_per_second_slow{suffix}": median(slow, lambda pair: pair.bare.messages_per_second),
            f"hop_cpu_us_per_message{suffix}": median(steady, lambda pair: pair.full.cpu_us_per_message),
            f"bare_cpu_us_per_message{suffix}": median(steady, lambda pair: pair.bare.cpu_us_per_message),
        }
        for pair in (pair for pair in mine if pair.mode == "idle"):
            figures |= {
                f"hop_latency_p50_ms{suffix}": pair.full.latency_p50_ms,
                f"hop_latency_p99_ms{suffix}": pair.full.latency_p99_ms,
                f"bare_latency_p50_ms{suffix}": pair.bare.latency_p50_ms,
                f"bare_latency_p99_ms{suffix}": pair.bare.latency_p99_ms,
            }
    return figures


def median(rounds: Iterable[Round], figure: Callable[[Round], float], digits: int = 1) -> float:
    """Return the median of a figure over rounds."""
    return round(statistics.median(map(figure, rounds)), digits)
