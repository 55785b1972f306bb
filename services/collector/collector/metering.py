"""What the collector measures."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry

from common.posts import Brought
from common.telemetry import names


class CollectorMetrics:
    """Posts that came in, sources that could not be read, and waits."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._collected = names.COLLECTED.on(registry)
        self._failed = names.COLLECT_FAILURES.on(registry)
        self._waits = names.COLLECT_WAIT_SECONDS.on(registry)

    def collected(self, kind: str, brought: Iterable[Brought]) -> None:
        """Count posts that were not there before."""
        for each in brought:
            if each.added:
                self._collected.labels(kind, "no" if each.duplicate_of is None else "yes").inc()

    def failed(self, kind: str) -> None:
        """Count a source that could not be read."""
        self._failed.labels(kind).inc()

    def waited(self, seconds: float) -> None:
        """Count a wait that a platform asked for."""
        self._waits.inc(seconds)
