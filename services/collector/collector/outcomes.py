"""How a run of a source ends: what happens next, what is remembered, what is counted."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from collector.collect import Collected
from collector.metering import CollectorMetrics
from collector.ports import RateLimited
from collector.store import SourceStates
from common.events import NotifyRequested
from common.failures import Reject, Retry, Skip
from common.messaging import Job
from common.telegram.health import SessionDead
from common.telegram.holding import NotHeld

log = logging.getLogger(__name__)

STAND_BY_SECONDS = 2.0


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
            self._states.advance(job, collected.source.id, collected.page)
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
