"""Prometheus metrics. Each service has a registry of its own, so that several can share a process."""

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from common.contracts import Durable
from common.telemetry import names


class QueueMetrics:
    """The metrics of one durable, their labels resolved once."""

    def __init__(
        self, ended: Counter, in_flight: Gauge, seconds: Histogram, attempts: Histogram, labels: tuple[str, str]
    ):
        self._ended = {
            status: ended.labels(*labels, status) for status in ("queued", "succeeded", "failed", "cancelled")
        }
        self._in_flight = in_flight.labels(*labels)
        self._seconds = seconds.labels(*labels)
        self._attempts = attempts.labels(*labels)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Count a handler as in flight."""
        self._in_flight.inc()
        try:
            yield
        finally:
            self._in_flight.dec()

    def ended(self, status: str, attempts: int, age: float) -> None:
        """Record the end of a run; `queued` means that the message will come back. `age` is in seconds."""
        self._ended[status].inc()
        if status != "queued":
            self._seconds.observe(age)
            self._attempts.observe(attempts)


class DeliveryMetrics:
    """What delivery measures, for all queues of a service."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._ended = names.JOBS.on(registry)
        self._in_flight = names.JOBS_IN_FLIGHT.on(registry)
        self._seconds = names.JOB_SECONDS.on(registry)
        self._attempts = names.JOB_ATTEMPTS.on(registry)

    def of(self, durable: Durable) -> QueueMetrics:
        """Return the metrics of one durable."""
        return QueueMetrics(self._ended, self._in_flight, self._seconds, self._attempts, (durable.queue, durable.name))
