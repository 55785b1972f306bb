"""Bringing one publication to its end, however often that takes."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from typing import Literal

from opentelemetry import trace
from prometheus_client import CollectorRegistry

from common.messaging.queue import Queue
from common.sends import (
    Away,
    Doubtful,
    Inconclusive,
    NotSent,
    Reduced,
    Refused,
    SentBefore,
    Trouble,
    Unanswered,
    Wait,
)
from common.telemetry import names
from common.telemetry.propagation import stored_trace
from publisher.endings import Ending
from publisher.pace import LanePace
from publisher.ports import Message, Platform, Progress, Record, Sent
from publisher.store import Store, Task

log = logging.getLogger(__name__)

AWAY_SECONDS = 1.0  # between looks whether the platform is back
CLAIMED = 1000  # messages that are remembered as ours: more than there are results that wait for their transaction
REPEAT_SECONDS, REPEAT_CAP_SECONDS = 0.25, 10.0  # before a send that was not answered is repeated; doubles each time
PATIENCE_SECONDS = 30.0  # until a lane is left to others, where nothing is in doubt
KNOWN = (Wait, Refused, Trouble, Unanswered, Away, SentBefore, Reduced)  # what a send may raise, and so what it means
FINISH_SECONDS = 5.0  # for the send that is under way when its lane is told to stop


class NotNow(Exception):
    """Something stands in the way that is no fault of the publication: it was not sent, and may as well come later."""


class Unusable(Exception):
    """The platform can't be used from here for a while, and nothing is in doubt: another replica may be luckier."""


class LaneMetrics:
    """What lanes measure."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.ended = names.PUBLICATIONS.on(registry)
        self.seconds = names.SEND_SECONDS.on(registry)
        self.waited = names.PACING_SECONDS.on(registry)


class Sending:
    """Sends to one destination. Every ending goes to `ended`, also that of a send that was under way when cancelled."""

    def __init__(
        self,
        destination: str,
        platform: Platform,
        store: Store,
        pace: LanePace,
        queue: Queue,
        *,
        unknown_after: float,
        tracer: trace.Tracer,
        metrics: LaneMetrics,
        ended: Callable[[Ending], None],
    ) -> None:
        self.newest = 0  # the newest message that is known of the destination
        self._oriented = False
        self._claimed: deque[int] = deque(maxlen=CLAIMED)
        self._destination = destination
        self._platform = platform
        self._store = store
        self._pace = pace
        self._queue = queue
        self._unknown_after = unknown_after
        self._tracer = tracer
        self._seconds = metrics.seconds.labels(destination)
        self._ended = ended
        self._counted = metrics.ended

    async def publish(self, task: Task) -> None:
        """Send until it is known how it ended.

        Raises NotNow where it has to wait, or the queue is paused, and it was certainly not sent; one that may have
        been sent is not let go, so that nothing overtakes it. Raises Unusable too.
        """
        started, repeats = time.monotonic() - task.age, 0
        while True:
            if not task.doubtful:  # counted from the first try that may have arrived
                started = time.monotonic()
            if task.doubtful and time.monotonic() - started > self._unknown_after:
                await self._look_for(task, f"no answer within {self._unknown_after:g} s")
                if task.doubtful:  # it has ended
                    return None
            if self._queue.paused and not task.begun:
                raise NotNow
            try:
                with self._queue.at_work():
                    sent = await self._send(task)
                return self._succeed(task, sent)
            except (Wait, Away) as obstacle:
                if isinstance(obstacle, Wait):
                    await self._pace.block(obstacle)
                else:  # perhaps what is to be sent can't be read, which `ready` does not see
                    log.warning("%s: publication %s waits: %s", self._destination, task.id, obstacle)
                    await asyncio.sleep(AWAY_SECONDS)
                if not task.begun:
                    raise NotNow from None
                await self._pace.unblocked()
                await self.ready(doubtful=True)
            except Unanswered as error:
                log.warning("%s: publication %s: %s", self._destination, task.id, error)
                task.doubtful = True
                await asyncio.sleep(min(REPEAT_CAP_SECONDS, REPEAT_SECONDS * 2**repeats))
                repeats += 1
                await self.ready(doubtful=True)
            except Trouble as error:
                task.doubtful = task.doubtful or isinstance(error, Doubtful)
                task.attempts += 1
                if task.attempts >= self._queue.settings.max_attempts:
                    return await self._fail(task, str(error))
                log.warning("%s: publication %s: attempt %d: %s", self._destination, task.id, task.attempts, error)
                await self._store.note_attempt(task, str(error))
                await asyncio.sleep(self._queue.backoff(task.attempts))
                await self.ready(doubtful=task.begun)
            except Refused as error:
                return await self._fail(task, str(error))
            except SentBefore as error:
                task.doubtful = True
                await self._look_for(task, str(error))
                if task.doubtful:
                    return None
            except Reduced as error:
                await self._look_for(task, str(error), otherwise="again")
                if task.doubtful:  # it has ended
                    return None

    async def ready(self, *, doubtful: bool = False) -> None:
        """Wait until the platform can be used. Raises Unusable where that takes long, unless something is in doubt."""
        told, started = False, time.monotonic()
        while True:
            try:
                return await self._platform.ready()
            except Wait as wait:
                await self._pace.block(wait)
                await self._pace.unblocked()
                started = time.monotonic()
            except Away as away:
                if not told:
                    log.warning("%s waits: %s", self._destination, away)
                told = True
                if not doubtful and time.monotonic() - started > PATIENCE_SECONDS:
                    raise Unusable(str(away)) from None
            await asyncio.sleep(AWAY_SECONDS)

    async def orient(self) -> None:
        """Learn which message is the newest there, where none is known: a lost answer is looked for after it."""
        while not (self.newest or self._oriented):
            try:
                self.newest, self._oriented = await self._platform.newest(self._destination.partition(":")[2]), True
            except Refused:  # the send will say why
                return
            except Wait as wait:
                await self._pace.block(wait)
                await self._pace.unblocked()
            except (Away, Trouble, Unanswered) as error:
                log.warning("%s: its newest message: %s", self._destination, error)
                await asyncio.sleep(AWAY_SECONDS)
                await self.ready()

    async def _send(self, task: Task) -> Sent:
        context = stored_trace(task.traceparent)
        with self._tracer.start_as_current_span("publisher send", context=context) as span, self._seconds.time():
            span.set_attribute(names.ATTRIBUTE_POST, str(task.post_id))
            span.set_attribute(names.ATTRIBUTE_DESTINATION, task.destination)
            span.set_attribute(names.ATTRIBUTE_PUBLICATION, str(task.id))
            sending = asyncio.ensure_future(self._platform.send(self._message(task)))
            try:
                return await asyncio.shield(sending)
            except asyncio.CancelledError:
                task.doubtful = True
                await asyncio.wait([sending], timeout=FINISH_SECONDS)
                if sending.done() and not sending.cancelled() and sending.exception() is None:
                    self._succeed(task, sending.result())
                sending.cancel()
                raise
            except KNOWN:
                raise
            except Exception:  # nobody thought of it, so nobody knows what was sent before
                task.doubtful = True
                raise

    async def _fail(self, task: Task, error: str) -> None:
        """End as failed, unless an earlier try, which was not answered, turns out to have arrived."""
        if task.doubtful:
            return await self._look_for(task, error, otherwise="failed")
        return await self._give_up(task, error)

    async def _give_up(self, task: Task, error: str) -> None:
        """End as failed; of a thread, delete the posts that were sent before."""
        while posts := task.progress.posts:
            try:
                await self._platform.delete(task.address, posts)
            except Wait as wait:
                await self._pace.block(wait)
                await self._pace.unblocked()
            except Away:
                await asyncio.sleep(AWAY_SECONDS)
                await self.ready(doubtful=True)
            except (Refused, Trouble, Unanswered) as trouble:
                task.attempts += 1
                if isinstance(trouble, Refused) or task.attempts >= 2 * self._queue.settings.max_attempts:
                    shown = ", ".join(map(str, posts))
                    error = f"{error}; the posts of its thread so far could not be deleted: {shown} ({trouble})"
                    break
                await asyncio.sleep(self._queue.backoff(task.attempts))
            else:
                await self._store.note_progress(task, Progress())
        self._end(task, Ending.of(task, "failed", error=error, failed=True))

    async def _look_for(
        self, task: Task, problem: str, otherwise: Literal["unknown", "failed", "again"] = "unknown"
    ) -> None:
        """Look whether a send that was not answered arrived, and end it; with `again` only where it did, or may have.

        `unknown` means that a person has to decide; so it ends where looking tells nothing. What was certainly not sent
        ends only as `failed`; else it is not doubtful any more.
        """
        try:
            found = await self._found(task)
        except NotSent as error:
            if otherwise == "failed":
                return await self._give_up(task, problem)
            log.info("%s: publication %s: %s", self._destination, task.id, error)
            task.doubtful = False
            return None
        except (Refused, Inconclusive) as error:
            problem = f"{problem}; looking for it: {error}{_beginning(task)}"
            return self._end(task, Ending.of(task, "unknown", error=problem))
        if found:
            return self._succeed(task, found)
        if otherwise == "again":
            task.doubtful = False
            return None
        missing = f"{problem}, and it is not found there"
        if otherwise == "failed":
            return await self._give_up(task, missing)
        return self._end(task, Ending.of(task, otherwise, error=f"{missing}{_beginning(task)}"))

    async def _found(self, task: Task) -> Sent | None:
        while True:
            try:
                message = self._message(task)
                return await self._platform.find(message, await message.record.taken())
            except Wait as wait:
                await self._pace.block(wait)
                await self._pace.unblocked()
            except (Away, Trouble, Unanswered):
                await asyncio.sleep(AWAY_SECONDS)
                await self.ready(doubtful=True)

    def _succeed(self, task: Task, sent: Sent) -> None:
        self.newest = max(self.newest, *sent.message_ids)
        self._claimed.extend(sent.message_ids)
        self._pace.used()
        self._end(task, Ending.of(task, "succeeded", message_ids=sent.message_ids, url=sent.url, error=sent.note))

    def _end(self, task: Task, ending: Ending) -> None:
        task.doubtful = True  # it is no longer for anybody to give it back
        self._counted.labels(self._destination, ending.status).inc()
        if ending.status != "succeeded":
            log.warning("%s: publication %s is %s: %s", self._destination, task.id, ending.status, ending.error)
        self._ended(ending)

    def _message(self, task: Task) -> Message:
        async def write(progress: Progress) -> None:
            await self._store.note_progress(task, progress)

        async def taken() -> frozenset[int]:
            return (await self._store.taken(task)).union(self._claimed)

        return Message(
            task.address,
            task.body,
            task.media,
            task.random_ids,
            task.after,
            task.doubtful,
            task.since,
            Record(task.progress, write, taken),
        )


def _beginning(task: Task) -> str:
    """Name the posts of a thread that are there, for whoever has to decide."""
    return f"; of its thread are there: {', '.join(map(str, task.progress.posts))}" if task.progress.posts else ""
