"""What it costs to watch: the full hop with traces and metrics, and with its logs too, against the hop without any."""

import statistics
from collections.abc import Callable
from typing import Any

from benchmarks.hop import in_own_process
from benchmarks.hop_run import HopFigures, HopRun, Variant
from benchmarks.hop_servers import HopServers

VARIANTS: tuple[Variant, ...] = ("unwatched", "traced", "watched")


def measure_observability(*, rounds: int, messages: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Measure all three in each round, in turns; return the medians of the ratios, and the rounds. Raises RunFailed."""
    measured: list[dict[Variant, HopFigures]] = []
    with HopServers.running(sync_always=False) as servers:
        for number in range(rounds):
            turn = number % len(VARIANTS)
            figures: dict[Variant, HopFigures] = {}
            for variant in (*VARIANTS[turn:], *VARIANTS[:turn]):
                with servers.clean_slate() as (nats_url, database_url):
                    run = HopRun(
                        variant=variant, mode="steady", messages=messages, nats_url=nats_url, database_url=database_url
                    )
                    figures[variant] = in_own_process(run)
            measured.append(figures)
            rates = ", ".join(f"{name} {figures[name].messages_per_second:,.0f}/s" for name in VARIANTS)
            say(f"observability, round {number + 1} of {rounds}: {rates}")
    return {
        "observability_ratio": _ratio(measured, "traced"),
        "observability_ratio_with_logs": _ratio(measured, "watched"),
        **{f"{name}_cpu_us_per_message": _cpu(measured, name) for name in VARIANTS},
        "observability_rounds": [
            {name: figures[name].model_dump(exclude={"variant", "mode"}, exclude_none=True) for name in VARIANTS}
            for figures in measured
        ],
    }


def _ratio(rounds: list[dict[Variant, HopFigures]], of: Variant) -> float:
    ratios = [each[of].messages_per_second / each["unwatched"].messages_per_second for each in rounds]
    return round(statistics.median(ratios), 3)


def _cpu(rounds: list[dict[Variant, HopFigures]], of: Variant) -> float:
    return round(statistics.median(each[of].cpu_us_per_message for each in rounds), 1)
