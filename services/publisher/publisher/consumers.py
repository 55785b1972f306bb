"""What the publisher consumes."""

from collections.abc import Sequence

from opentelemetry import propagate

from common.events import Event, ImageRequested, PublishRequested
from common.messaging.job import Job
from common.messaging.queue import QueueSettings
from common.service import Service
from publisher.lanes import Lanes
from publisher.request import Requests
from publisher.store import Store

DURABLE = "publisher"
DEFAULTS = QueueSettings(concurrency=50, max_attempts=5, timeout_seconds=45)


def register(service: Service, requests: Requests, store: Store, lanes: Lanes) -> None:
    """Subscribe the use cases."""

    async def publish(event: PublishRequested, job: Job) -> Sequence[Event]:
        """Store what a request asks for, which the lanes send; or first ask for the image that it is to have."""
        trace: dict[str, str] = {}
        propagate.inject(trace)
        package = await requests.package(event, job.event_id, position_of(job), trace.get("traceparent"))
        job.post_id = package.post_id
        if package.lacks_image:
            image = ImageRequested(post_id=package.post_id, rewrite_id=package.rewrite_id, publish_to=event.targets)
            return [image]
        store.add(job, package)
        lanes.ring()
        result = package.result()
        return [result] if result else []

    service.consume(DURABLE, publish, DEFAULTS)


def position_of(job: Job) -> int:
    """Return the place of a request in the order of all: when its stream took it, in microseconds of the epoch."""
    return int(job.message.metadata.timestamp.timestamp() * 1_000_000)
