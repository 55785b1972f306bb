"""What broadcasting measures."""

from prometheus_client import CollectorRegistry

from common.telemetry import names


class BroadcastMetrics:
    """The metrics of one process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.ended = names.BROADCAST_SENDS.on(registry)
        self.seconds = names.BROADCAST_SEND_SECONDS.on(registry)
        self.open = names.BROADCAST_TASKS_OPEN.on(registry)
