"""The hop: rounds of both variants, interleaved, on the same servers, with and without a disk flush per message."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.hop_run import HopFigures, HopRun, Mode, Variant
from benchmarks.hop_servers import HopServers
from benchmarks.hop_summary import Round, summarise

IDLE_MESSAGES = 100
SLOW_SHARE = 0.6  # of the messages of a steady run, because the bare hop takes long for them
RUN_SECONDS = 900.0


class RunFailed(Exception):
    """A measured run ended with an error; the message is what it said."""


def measure_hop(*, rounds: int, messages: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Measure everything about one hop; return the medians, flat, and beneath them the rounds. Raises RunFailed."""
    measured: list[Round] = []
    for sync_always in (False, True):
        with HopServers.running(sync_always=sync_always) as servers:
            for number in range(1, rounds + 1):
                modes: Sequence[Mode] = ("steady", "slow", "idle") if number == 1 else ("steady", "slow")
                for mode in modes:
                    measured.append(measure_round(servers, number, mode, messages))
                    say(f"hop, round {number} of {rounds}, {measured[-1]}")
    return summarise(measured) | {"hop_rounds": [pair.to_json() for pair in measured]}


def measure_round(servers: HopServers, number: int, mode: Mode, messages: int) -> Round:
    """Run both variants; which one goes first changes from round to round."""
    count = {"steady": messages, "slow": round(messages * SLOW_SHARE), "idle": IDLE_MESSAGES}[mode]
    order: Sequence[Variant] = ("bare", "full") if number % 2 else ("full", "bare")
    figures: dict[Variant, HopFigures] = {}
    for variant in order:
        with servers.clean_slate() as (nats_url, database_url):
            run = HopRun(variant=variant, mode=mode, messages=count, nats_url=nats_url, database_url=database_url)
            figures[variant] = in_own_process(run)
    return Round(number, mode, servers.sync_always, figures["bare"], figures["full"])


def in_own_process(run: HopRun) -> HopFigures:
    """Carry out one run in a new process. Raises RunFailed."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.hop_run", run.model_dump_json()],
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS,
        check=False,
    )
    if done.returncode:
        raise RunFailed(f"the {run.variant} hop failed ({run.mode}):\n{done.stderr.strip()}")
    return HopFigures.model_validate_json(done.stdout.splitlines()[-1])
