"""What broadcasting measures."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from common.telemetry import names
from common.telemetry.metrics import SECONDS


class BroadcastMetrics:
    """The metrics of one process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.ended = Counter(*names.BROADCAST_SENDS, ("account", "outcome"), registry=registry)
        self.seconds = Histogram(*names.BROADCAST_SEND_SECONDS, ("account",), registry=registry, buckets=SECONDS)
        self.open = Gauge(*names.BROADCAST_TASKS_OPEN, ("account",), registry=registry)
