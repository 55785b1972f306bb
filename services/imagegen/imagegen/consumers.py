"""Subjects and the use cases that they call."""

from collections.abc import Sequence

from common.events import Event, ImageRequested
from common.media.store import MediaStore
from common.messaging import Job
from common.service import Service
from imagegen.illustrate import Chance, IllustratePost
from imagegen.metering import ImageMetrics
from imagegen.settings import QUEUE_DEFAULTS
from imagegen.store import Store


def register(
    service: Service, illustrate: IllustratePost, store: Store, media: MediaStore, metrics: ImageMetrics
) -> None:
    """Let the service consume."""

    async def illustrate_requested(event: ImageRequested, job: Job) -> Sequence[Event]:
        """Have an image made, and attach it to its post."""
        overdue = job.waited > job.queue.settings.deadline_seconds
        made = await illustrate(event, job.event_id, Chance(job.counted, job.last_attempt, overdue))
        store.add(job, made)
        if made.image:
            media.attach(job, event.post_id, made.place, made.image)
        metrics.ended(made.outcome)
        return made.events()

    service.consume("imagegen", illustrate_requested, QUEUE_DEFAULTS)
