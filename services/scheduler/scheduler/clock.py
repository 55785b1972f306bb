"""The collection clock: asks for each source by its cron schedule, and for a new source at once.

Every replica runs one. They don't agree beforehand: the same source and the same minute give the same event id, so that
the stream and the inbox drop the second request.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from common.catalog import Source
from common.planning.cron import Cron, InvalidCron, parse_cron
from common.postgres import UNREACHABLE
from scheduler.beats import WorkerBeats
from scheduler.ports import RequestCollection, Sources

log = logging.getLogger(__name__)

LATE_SECONDS = 0.01  # after a minute has begun


@dataclass(slots=True)
class _Schedule:
    """A source's schedule, and when it is asked for next, on the wall clock of UTC; `cron` is None for a wrong line."""

    line: str
    cron: Cron | None
    upcoming: datetime | None = None

    def due(self, now: datetime) -> datetime | None:
        """Return the minute that has come; of several that were missed, because the process stood still, the first."""
        return self.upcoming if self.upcoming and self.upcoming <= now else None

    def move_on(self, now: datetime) -> None:
        """Find the next minute after `now`."""
        self.upcoming = self.cron.after(now) if self.cron else None


class CollectionClock:
    """Goes by the schedules of the catalog. `now` stands for the clock, in tests."""

    def __init__(
        self,
        sources: Sources,
        request: RequestCollection,
        *,
        poll: float,
        beats: WorkerBeats | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._sources = sources
        self._request = request
        self._poll = poll
        self._beats = beats
        self._now = now
        self._asked: set[UUID] = set()
        self._schedules: dict[UUID, _Schedule] = {}
        self._looked_at: datetime | None = None

    async def run(self) -> None:
        """Run for ever, looking at the catalog every `poll` seconds, and whenever a source's minute has come."""
        while True:
            try:
                await self.look()
                self._fails(False)
            except UNREACHABLE as error:
                self._fails(True)
                log.warning("catalog: %r", error)
            except Exception:  # whatever it is, what is due later must be asked for
                self._fails(True)
                log.exception("this look at the catalog failed")
            await asyncio.sleep(self._pause())

    async def look(self) -> None:
        """Ask for every source whose minute has come since the last look, and for those that are new."""
        sources = {source.id: source for source in await self._sources.sources()}
        now = self._now().astimezone(UTC).replace(tzinfo=None)
        self._keep_step(sources, now)
        for source_id, schedule in self._schedules.items():
            if minute := schedule.due(now):
                await self._ask(sources[source_id], f"{minute:%Y-%m-%dT%H:%M}")
                schedule.move_on(now)
        for source_id in await self._sources.unread() - self._asked:
            if source := sources.get(source_id):  # else it was added since the first query; the next look knows it
                await self._ask(source, "first")
                self._asked.add(source_id)

    async def _ask(self, source: Source, occasion: str) -> None:
        await self._request(source, f"collect/{source.id}/{occasion}")

    def _keep_step(self, sources: dict[UUID, Source], now: datetime) -> None:
        for source_id in self._schedules.keys() - sources.keys():
            del self._schedules[source_id]
        back = self._looked_at is not None and now < self._looked_at  # the clock was put right
        self._looked_at = now
        for source in sources.values():
            known = self._schedules.get(source.id)
            if not source.schedule:
                self._schedules.pop(source.id, None)
            elif known is None or known.line != source.schedule:
                self._schedules[source.id] = found = _read(source, source.schedule)
                found.move_on(now)
            elif back:
                known.move_on(now)

    def _fails(self, failing: bool) -> None:
        if self._beats:
            self._beats.failing = failing

    def _pause(self) -> float:
        upcoming = min((each.upcoming for each in self._schedules.values() if each.upcoming), default=None)
        if self._beats:
            self._beats.next_run = upcoming.replace(tzinfo=UTC) if upcoming else None
        if upcoming is None:
            return self._poll
        left = (upcoming.replace(tzinfo=UTC) - self._now()).total_seconds()
        return min(self._poll, left + LATE_SECONDS) if left > 0 else self._poll  # what is due already has just failed


def _read(source: Source, line: str) -> _Schedule:
    """Return a schedule; a wrong one is reported, once, and never comes."""
    try:
        return _Schedule(line, parse_cron(line))
    except InvalidCron as error:
        log.warning("source %s: the schedule %r is not a cron line: %s", source.address, line, error)
        return _Schedule(line, None)
