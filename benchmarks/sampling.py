"""What the processes of a running stack use, looked at again and again from outside."""

import json
import threading
import time
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

EVERY_SECONDS = 0.5
MEMORY_EVERY = 4  # looks: memory that is shared is costly to count


@dataclass(slots=True)
class Usage:
    """What was seen. CPU is in seconds since the start of each process, its ended children included."""

    times: list[float] = field(default_factory=list)  # when it was looked, in seconds since the epoch
    cpu: list[dict[str, float]] = field(default_factory=list)  # by the name of the process, at each of `times`
    peak_memory: dict[str, int] = field(default_factory=dict)  # bytes

    def cpu_between(self, begin: float, end: float) -> dict[str, float]:
        """Return the CPU seconds of each process between two moments, to the nearest looks outside of them."""
        if not self.times:
            return {}
        first = self.cpu[max(0, bisect_left(self.times, begin) - 1)]
        last = self.cpu[min(len(self.times) - 1, bisect_left(self.times, end))]
        return {name: seconds - first.get(name, 0.0) for name, seconds in last.items()}


class Sampler:
    """Looks at the processes that a `running.json` names, and at their children."""

    def __init__(self, running: Path) -> None:
        self.usage = Usage()
        self._running = running
        self._stop = threading.Event()

    @contextmanager
    def sampling(self) -> Iterator[Usage]:
        """Look every half second while a block runs."""
        thread = threading.Thread(target=self._sample, name="sampler")
        thread.start()
        try:
            yield self.usage
        finally:
            self._stop.set()
            thread.join()

    def _sample(self) -> None:
        looks = 0
        while not self._stop.wait(EVERY_SECONDS):
            pids = self._pids()
            now, cpu = time.time(), dict(self.usage.cpu[-1]) if self.usage.cpu else {}
            for name, pid in pids.items():
                with suppress(psutil.Error):
                    process = psutil.Process(pid)
                    cpu[name] = max(cpu.get(name, 0.0), cpu_seconds(process))
                    if looks % MEMORY_EVERY == 0:
                        self.usage.peak_memory[name] = max(self.usage.peak_memory.get(name, 0), memory_bytes(process))
            if cpu:
                looks += 1
                self.usage.times.append(now)
                self.usage.cpu.append(cpu)

    def _pids(self) -> Mapping[str, int]:
        try:
            contents = json.loads(self._running.read_text())
        except (OSError, ValueError):
            return {}
        return {**contents["pids"], "postroom": contents["pid"]}


def cpu_seconds(process: psutil.Process) -> float:
    """Return what a process and its children have used, those that have ended included.

    The supervisor's children are counted under their own names, so of it only itself is counted.
    """
    own = process.cpu_times()
    used = own.user + own.system
    if _is_server(process):
        used += own.children_user + own.children_system
        for child in process.children(recursive=True):
            with suppress(psutil.Error):
                times = child.cpu_times()
                used += times.user + times.system
    return used


def memory_bytes(process: psutil.Process) -> int:
    """Return the resident memory of a process; of a server with children the sum, shared pages counted once."""
    if not _is_server(process):
        return int(process.memory_info().rss)
    total = 0
    for each in (process, *process.children(recursive=True)):
        with suppress(psutil.Error):
            detail = each.memory_full_info()
            total += int(getattr(detail, "pss", detail.uss))
    return total


def _is_server(process: psutil.Process) -> bool:
    return process.name() in ("postgres", "nats-server")
