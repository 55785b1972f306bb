"""The collection clock: asks for each source by its cron schedule, and for a new source at once.

Every replica runs one. They don't agree beforehand: the same source and the same minute give the same event id, so that
the stream and the inbox drop the second request.
"""

import asyncio
import logging
from datetime import UTC, datetime
from uuid import UUID

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger

from common.catalog import Source
from common.postgres import UNREACHABLE
from scheduler.beats import WorkerBeats
from scheduler.ports import RequestCollection, Sources

log = logging.getLogger(__name__)

MISFIRE_GRACE_SECONDS = 60  # a run that is later than that is left out; the next one reads everything anyway


class CollectionClock:
    """Keeps the cron jobs in step with the catalog."""

    def __init__(
        self, sources: Sources, request: RequestCollection, *, poll: float, beats: WorkerBeats | None = None
    ) -> None:
        self._sources = sources
        self._request = request
        self._poll = poll
        self._beats = beats
        self._asked: set[UUID] = set()
        self._schedules: dict[UUID, str] = {}

    async def run(self) -> None:
        """Run for ever, looking at the catalog every `poll` seconds."""
        cron = AsyncIOScheduler(timezone=UTC)
        cron.start()
        try:
            while True:
                try:
                    await self._keep_step(cron)
                    if self._beats:
                        self._beats.next_run = min((job.next_run_time for job in cron.get_jobs()), default=None)
                except UNREACHABLE as error:
                    log.warning("catalog: %r", error)
                except Exception:  # whatever it is, the sources that have jobs must go on being read
                    log.exception("this look at the catalog failed")
                await asyncio.sleep(self._poll)
        finally:
            cron.shutdown(wait=False)

    async def tick(self, source: Source) -> None:
        """Ask for a source, because its minute has come."""
        minute = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M")
        await self._request(source, f"collect/{source.id}/{minute}")

    async def _keep_step(self, cron: AsyncIOScheduler) -> None:
        sources = {source.id: source for source in await self._sources.sources()}
        wanted = {source.id: source.schedule for source in sources.values() if source.schedule}
        for source_id in self._schedules.keys() - wanted.keys():
            _remove(cron, source_id)
            del self._schedules[source_id]
        for source_id, schedule in wanted.items():
            if self._schedules.get(source_id) != schedule:
                _remove(cron, source_id)
                self._add(cron, sources[source_id], schedule)
                self._schedules[source_id] = schedule  # a wrong one too: it is reported once
        for source_id in await self._sources.unread() - self._asked:
            source = sources.get(source_id)
            if source is None:  # added since the first query; the next look knows it
                continue
            await self._request(source, f"collect/{source_id}/first")
            self._asked.add(source_id)

    def _add(self, cron: AsyncIOScheduler, source: Source, schedule: str) -> None:
        try:
            trigger = CronTrigger.from_crontab(schedule, timezone=UTC)
        except ValueError as error:
            log.warning("source %s: the schedule %r is not a cron line: %s", source.address, schedule, error)
            return
        cron.add_job(
            self.tick,
            trigger,
            args=[source],
            id=str(source.id),
            coalesce=True,
            max_instances=1,
            misfire_grace_time=MISFIRE_GRACE_SECONDS,
        )


def _remove(cron: AsyncIOScheduler, source_id: UUID) -> None:
    """Remove the job of a source; one whose schedule is wrong has none."""
    if cron.get_job(str(source_id)):
        cron.remove_job(str(source_id))
