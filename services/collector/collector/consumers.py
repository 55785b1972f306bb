"""Subjects and the use cases that they call."""

from collections.abc import Sequence

from collector.collect import CollectSource
from collector.fetch_media import FetchMedia
from collector.metering import CollectorMetrics
from collector.outcomes import Outcomes, patience, put_back
from collector.settings import MEDIA_QUEUE_DEFAULTS, QUEUE_DEFAULTS
from collector.store import SourceStates
from common.events import CollectRequested, Event, MediaRequested
from common.messaging import Job
from common.service import Service


def register(
    service: Service, collect: CollectSource, fetch: FetchMedia, states: SourceStates, metrics: CollectorMetrics
) -> None:
    """Let the service consume."""
    outcomes = Outcomes(states, metrics)

    async def collect_requested(event: CollectRequested, job: Job) -> Sequence[Event]:
        """Read what is new in a source."""
        async with outcomes.of(event.source_id):
            collected = await collect(event.source_id, trace_id=job.trace_id)
        outcomes.record(job, collected)
        return collected.events

    async def media_requested(event: MediaRequested, job: Job) -> Sequence[Event]:
        """Fetch the media of a post that came in."""
        with put_back(event.source_id, metrics):
            return await fetch(event, patience(job))

    service.consume("collector", collect_requested, QUEUE_DEFAULTS)
    service.consume("collector-media", media_requested, MEDIA_QUEUE_DEFAULTS)
