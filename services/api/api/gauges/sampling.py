"""Reads the figures of the whole system when Prometheus asks, but not at every question."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from api.gauges.reading import Reading
from common.telemetry import names
from common.telemetry.register import GaugeMetric, Values

log = logging.getLogger(__name__)

EVERY_SECONDS = 5.0
LEDGER_EVERY_SECONDS = 60.0  # it reads every post
SHARE = 0.05  # of the time, at most, goes into reading a part: on a large database it is read more rarely
PATIENCE_SECONDS = 4.0  # of a question; Prometheus waits for ten

Read: TypeAlias = Callable[[], Awaitable[Mapping[GaugeMetric, Values]]]


@dataclass(slots=True)
class Part:
    """Some of the figures, which are read together and fail together."""

    name: str
    read: Read
    every: float
    due: float = 0.0
    readings: Mapping[GaugeMetric, Values] = field(default_factory=dict)
    known: bool = False  # also where there was nothing to read
    task: "asyncio.Task[None] | None" = None

    async def renew(self) -> None:
        """Read it anew. What can't be read is left out: an old figure would say that all is as it was."""
        began = time.monotonic()
        try:
            self.readings, self.known = await self.read(), True
        except Exception as error:  # of the database, of NATS, or of what they answer: the next time may be better
            log.warning("figures of %s: %r", self.name, error)
            self.readings, self.known = {}, False
        ended = time.monotonic()
        self.due = began + max(self.every, (ended - began) / SHARE)


def parts_of(reading: Reading) -> list[Part]:
    """Return what is read, each part at its pace."""
    return [
        Part("queues", reading.queues, EVERY_SECONDS),
        Part("records", reading.records, EVERY_SECONDS),
        Part("alerts", reading.alerts, EVERY_SECONDS),
        Part("canary", reading.canary, EVERY_SECONDS),
        Part("spending", reading.spending, EVERY_SECONDS),
        Part("ledger", reading.ledger, LEDGER_EVERY_SECONDS),
    ]


class SystemGauges(Collector):
    """Each replica of the api tells the same, whichever is asked."""

    def __init__(self, parts: Sequence[Part], registry: CollectorRegistry) -> None:
        self._parts = parts
        registry.register(self)

    async def sample(self) -> None:
        """Read what is due, for a bounded time: what takes longer is told at a later question."""
        for part in self._parts:
            if part.task is None and time.monotonic() >= part.due:
                part.task = asyncio.create_task(part.renew())
        if tasks := [part.task for part in self._parts if part.task]:
            await asyncio.wait(tasks, timeout=PATIENCE_SECONDS)
        for part in self._parts:
            if part.task and part.task.done():
                part.task = None

    async def run(self) -> None:
        """Stop reading when the service stops."""
        try:
            await asyncio.Event().wait()
        finally:
            tasks = [part.task for part in self._parts if part.task]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Name nothing beforehand, so that registering reads nothing."""
        return []

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Return the figures of the last sample."""
        yield names.SAMPLED.of({(part.name,): float(part.known) for part in self._parts})
        for part in self._parts:
            for metric, values in part.readings.items():
                yield metric.of(values)
