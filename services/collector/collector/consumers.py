"""Subjects and the use cases that they call."""

from collections.abc import Sequence

from collector.check import CheckSource, NothingToRead
from collector.collect import CollectSource
from collector.fetch_media import FetchMedia
from collector.metering import CollectorMetrics
from collector.outcomes import Outcomes, patience, put_back
from collector.ports import STAND_BY_SECONDS
from collector.settings import CHECK_QUEUE_DEFAULTS, MEDIA_QUEUE_DEFAULTS, QUEUE_DEFAULTS
from collector.store import SourceChecks, SourceStates
from common.events import CheckRequested, CollectRequested, Event, MediaRequested
from common.failures import Retry
from common.messaging import Job
from common.service import Service
from common.telegram.holding import NotHeld

HOLDER_SECONDS = 12.0  # somebody holds the session by then, as a lease lasts ten; else nobody will


def register(
    service: Service,
    collect: CollectSource,
    fetch: FetchMedia,
    check: CheckSource,
    states: SourceStates,
    metrics: CollectorMetrics,
) -> None:
    """Let the service consume."""
    outcomes, checks = Outcomes(states, metrics), SourceChecks()

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

    async def check_requested(event: CheckRequested, job: Job) -> None:
        """Look what there is to read at an address."""
        try:
            found = await check(event)
        except NotHeld as elsewhere:
            if job.waited < HOLDER_SECONDS:
                raise Retry(STAND_BY_SECONDS, str(elsewhere)) from elsewhere
            found = NothingToRead("no_session", f"no collector has the Telegram session: {elsewhere}")
        checks.answer(job, event.check_id, found)

    service.consume("collector", collect_requested, QUEUE_DEFAULTS)
    service.consume("collector-media", media_requested, MEDIA_QUEUE_DEFAULTS)
    service.consume("collector-checks", check_requested, CHECK_QUEUE_DEFAULTS)
