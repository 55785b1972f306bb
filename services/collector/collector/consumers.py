"""Subjects and the use cases that they call."""

from collections.abc import Sequence

from collector.collect import CollectSource
from collector.metering import CollectorMetrics
from collector.outcomes import Outcomes
from collector.settings import QUEUE_DEFAULTS
from collector.store import SourceStates
from common.events import CollectRequested, Event
from common.messaging import Job
from common.service import Service


def register(service: Service, collect: CollectSource, states: SourceStates, metrics: CollectorMetrics) -> None:
    """Let the service consume."""
    outcomes = Outcomes(states, metrics)

    async def collect_requested(event: CollectRequested, job: Job) -> Sequence[Event]:
        """Read what is new in a source."""
        async with outcomes.of(event.source_id):
            collected = await collect(event.source_id, trace_id=job.trace_id)
        outcomes.record(job, collected)
        return collected.events

    service.consume("collector", collect_requested, QUEUE_DEFAULTS)
