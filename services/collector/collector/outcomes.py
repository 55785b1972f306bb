"""How a run ends: what happens next, what is remembered, what is counted."""

import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from uuid import UUID

from collector.collect import Collected
from collector.fetch_media import Patience
from collector.metering import CollectorMetrics
from collector.ports import STAND_BY_SECONDS, NotNow, RateLimited
from collector.store import SourceStates
from common.events import NotifyRequested
from common.failures import Reject, Retry, Skip
from common.messaging import Job
from common.telegram.health import SessionDead
from common.telegram.holding import NotHeld

log = logging.getLogger(__name__)

OWN_TIME = 0.9  # of a job's time-out, for a run that is to say in order how far it came


def patience(job: Job) -> Patience:
    """Return how much more the run of a media job may ask for."""
    queue = job.queue.settings
    return Patience(queue.timeout_seconds * OWN_TIME, job.last_attempt, job.waited > queue.deadline_seconds)


@contextmanager
def put_back(source_id: UUID, metrics: CollectorMetrics) -> Iterator[None]:
    """Do this for one run of a media job: what is to be tried later is put back, and people are told of a wait."""
    try:
        yield
    except RateLimited as wait:
        log.warning("source %s: %s", source_id, wait, extra={"seconds": wait.seconds})
        metrics.waited(wait.seconds)
        raise Retry(wait.seconds, str(wait), _notice(source_id, wait)) from wait
    except NotNow as later:
        raise Retry(later.seconds, str(later)) from later


class Outcomes:
    """Turns how runs ended into what delivery and the records understand."""

    def __init__(self, states: SourceStates, metrics: CollectorMetrics) -> None:
        self._states = states
        self._metrics = metrics

    @asynccontextmanager
    async def of(self, source_id: UUID) -> AsyncIterator[None]:
        """Do this for one run of a source."""
        try:
            yield
        except Skip:
            raise
        except NotHeld as elsewhere:
            raise Retry(STAND_BY_SECONDS, str(elsewhere)) from elsewhere
        except RateLimited as wait:
            log.warning("source %s: %s", source_id, wait, extra={"seconds": wait.seconds})
            self._metrics.waited(wait.seconds)
            raise Retry(wait.seconds, str(wait), _notice(source_id, wait)) from wait
        except SessionDead as dead:  # only a person can help; the sources are read when the session is back
            await self._states.failed(source_id, f"Telegram session: {dead}")
            raise Reject(f"the Telegram session is dead: {dead}") from dead
        except Exception as error:
            await self._states.failed(source_id, f"{type(error).__name__}: {error}")
            raise

    def record(self, job: Job, collected: Collected) -> None:
        """Write with the job's result how far the source is read, or why it can't be."""
        if collected.page is not None:
            self._states.advance(job, collected.source.id, collected.page, collected.brought)
            self._metrics.collected(collected.source.kind, collected.brought)
        elif collected.error is not None:
            self._states.fail(job, collected.source.id, collected.error)
            self._metrics.failed(collected.source.kind)


def _notice(source_id: UUID, wait: RateLimited) -> NotifyRequested:
    return NotifyRequested(
        kind="collector.rate_limited",
        severity="warning",
        title=str(wait)[:200],
        detail=f"Source {source_id}: {wait}. It is read when {wait.seconds:g} s are over.",
        fingerprint=f"collector.rate_limited/{source_id}",
    )
