"""The outbox: committed events on their way into the streams."""

import asyncio
import logging
import random
from collections.abc import Sequence

from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import PubAck

from common.events import Emitted
from common.messaging.job import Job
from common.messaging.ledger import Ledger
from common.postgres import UNREACHABLE, Database

log = logging.getLogger(__name__)

PAGE = 500


class NotPublished(Exception):
    """The events are safe in the database, but their stream has not taken them yet."""


class Outbox:
    """Publishes events, each with its acknowledgement awaited, and deletes them afterwards."""

    def __init__(self, stream: JetStreamContext, ledger: Ledger, database: Database, *, timeout: float = 5.0) -> None:
        self._stream = stream
        self._ledger = ledger
        self._database = database
        self._timeout = timeout

    async def publish_jobs(self, jobs: list[Job]) -> list[Exception | None]:
        """Publish the events of a group of jobs; NotPublished for a job whose events are not all taken."""
        sent = await self.publish([event for job in jobs for event in job.emits])
        return [None if sent.issuperset(event.id for event in job.emits) else NotPublished() for job in jobs]

    async def publish(self, emits: Sequence[Emitted]) -> set[str]:
        """Publish stored events, forget those that their stream acknowledged, and return their ids."""
        sent = await self.send(emits)
        if sent:
            await self._ledger.forget(event for event in emits if event.id in sent)
        return sent

    async def send(self, emits: Sequence[Emitted]) -> set[str]:
        """Publish page by page and return the ids that were acknowledged, each page within the bound.

        Where a page gets no acknowledgement at all, the stream is away, and the rest is not tried.
        """
        sent: set[str] = set()
        for start in range(0, len(emits), PAGE):
            page = await self._send_page(emits[start : start + PAGE])
            if not page:
                break
            sent |= page
        return sent

    async def _send_page(self, emits: Sequence[Emitted]) -> set[str]:
        waits: dict[asyncio.Future[PubAck], str] = {}
        try:
            # One bound for the page. `wait_stall` would bound each message, at the price of a task and of a turn of the
            # event loop for each: with a hundred handlers under way a page took more than a second to leave.
            async with asyncio.timeout(self._timeout):
                for event in emits:
                    future = await self._stream.publish_async(event.subject, event.payload, headers=dict(event.headers))
                    waits[future] = event.id
        except (NatsError, OSError) as error:
            log.warning("publish: %r", error)
        if not waits:
            return set()
        done, late = await asyncio.wait(waits, timeout=self._timeout)
        for future in late:  # they would never resolve by themselves: https://github.com/nats-io/nats.py/issues/985
            future.cancel()
        for future in done:
            if not future.cancelled() and (failed := future.exception()):
                log.warning("publish %s: %r", waits[future], failed)
        return {waits[future] for future in done if not future.cancelled() and future.exception() is None}

    async def sweep(self, consumers: Sequence[str], *, every: float = 5.0, older: float = 10.0) -> None:
        """Publish, again and again, what a crash of one of `consumers` left behind; times in seconds."""
        full = False
        while True:
            if not full:  # while pages are full there is more to do
                await asyncio.sleep(every * random.uniform(0.8, 1.2))
            full = False
            try:
                full = await self.sweep_once(consumers, older) == PAGE
            except (*UNREACHABLE, NatsError) as error:
                log.warning("sweeper: %r", error)

    async def sweep_once(self, consumers: Sequence[str], older: float) -> int:
        """Publish one page of stranded events and return how many were sent."""
        async with self._database.transaction() as connection:
            stranded = await self._ledger.stranded(connection, consumers, older, PAGE)
            if not stranded:
                return 0
            sent = await self.send(stranded)
            await self._ledger.discard(connection, [event for event in stranded if event.id in sent])
        log.warning("sweeper: %d of %d stranded events sent", len(sent), len(stranded))
        return len(sent)
