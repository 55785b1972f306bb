"""What becomes of requests for images and of the images kept, for Prometheus."""

from prometheus_client import CollectorRegistry

from common.media.keeping import Swept
from common.telemetry import names


class ImageMetrics:
    """The metrics of images."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._ended = names.IMAGES.on(registry)
        self._deleted = names.IMAGES_DELETED.on(registry)
        self._freed = names.IMAGES_FREED.on(registry)

    def ended(self, outcome: str) -> None:
        """Count a request that ended; `outcome` is generated, refused or failed."""
        self._ended.labels(outcome).inc()

    def swept(self, swept: Swept) -> None:
        """Count what a sweep deleted."""
        self._deleted.labels("unused").inc(swept.unused)
        self._deleted.labels("outdated").inc(swept.outdated)
        self._deleted.labels("orphan").inc(swept.orphans)
        self._freed.inc(swept.size_bytes)
