"""What happens to each message of a queue, from its arrival to its acknowledgement."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence

import asyncpg
from nats.aio.msg import Msg
from opentelemetry import propagate, trace
from pydantic import ValidationError

from common.events import Event
from common.failures import Reject, Retry, Skip
from common.messaging.job import Job, event_id_of, post_of
from common.messaging.ledger import Standing
from common.messaging.queue import Queue
from common.messaging.rails import Rails
from common.messaging.slots import Slots
from common.postgres import UNREACHABLE, bounded
from common.telemetry import names
from common.telemetry.logs import JOB
from common.telemetry.metrics import DeliveryMetrics
from common.telemetry.shipping import Shipping

log = logging.getLogger(__name__)

Run = Callable[[Job], Awaitable[Sequence[Event] | None]]

FENCED_PAUSE = 0.5  # seconds until a message whose claim was lost is looked at again
OUTDATED_PAUSE = 0.5  # seconds until a job is repeated whose result did not fit to what changed meanwhile
UNREACHABLE_PAUSE = 2.0  # seconds until a message comes back when the database or the stream is away


class WorkerDied(Exception):
    """Its worker died each time it was worked on."""


class Delivery:
    """Carries the messages of one queue. Never raises: every outcome is an ack or a nak."""

    def __init__(
        self,
        queue: Queue,
        rails: Rails,
        run: Run,
        *,
        tracer: trace.Tracer,
        metrics: DeliveryMetrics,
        shipping: Shipping,
    ) -> None:
        self.queue = queue
        self._rails = rails
        self._run_handler = run
        self._tracer = tracer
        self._metrics = metrics.of(queue.durable)
        self._shipping = shipping
        self._slots = Slots(queue.settings.concurrency)
        self._prefetched: set[asyncio.Task[None]] = set()  # waiting for a free place
        self._held: set[Job] = set()  # everything that is not yet acknowledged, for the heartbeat
        self._heart = asyncio.create_task(self._beat())
        self.waiting = 0  # arrived, not yet running or running: what counts against the prefetch
        self.changed = asyncio.Event()
        self.draining = False
        queue.watch(self._queue_changed)

    def stopped(self) -> bool:
        """Whether nothing new is started: what comes goes back."""
        return self.draining or self.queue.paused

    @property
    def behind(self) -> bool:
        """Whether messages wait for a free place: more has come than is done at once."""
        return bool(self._prefetched)

    async def process(self, message: Msg) -> None:
        """Carry one message through all stations."""
        job = Job(self.queue, message, event_id_of(message), post_of(message), tracer=self._tracer)
        JOB.set(job)  # for the logs: each message has a task of its own, and with it a context
        self._held.add(job)
        try:
            context = propagate.extract(message.headers or {})
            with self._tracer.start_as_current_span(f"{message.subject} process", context=context) as span:
                if (spanned := span.get_span_context()).is_valid:
                    job.trace_id = f"{spanned.trace_id:032x}"
                span.set_attribute("messaging.destination.name", message.subject)
                span.set_attribute("messaging.message.id", job.event_id)
                await self._process(job)
                self._describe(span, job)
        except asyncio.CancelledError:
            await self._answer(message.nak())
            raise
        except Exception as error:
            log.warning("%s %s: %r", self.queue.durable.name, job.event_id, error)
            await self._answer(message.nak(delay=UNREACHABLE_PAUSE))
        finally:
            self._held.discard(job)

    def _describe(self, span: trace.Span, job: Job) -> None:
        """Say in the span what was worked on and how the run ended, so that both can be searched for."""
        span.set_attribute(names.ATTRIBUTE_QUEUE, self.queue.durable.queue)
        span.set_attribute(names.ATTRIBUTE_CONSUMER, self.queue.durable.name)
        if job.post_id:
            span.set_attribute(names.ATTRIBUTE_POST, str(job.post_id))
        if job.error:
            span.set_status(trace.StatusCode.ERROR, job.error)

    async def drained(self, grace: float) -> None:
        """Wait up to `grace` seconds for what is under way. What was only prefetched goes back at once."""
        self.draining = True
        self._give_back_prefetched()
        loop = asyncio.get_running_loop()
        end = loop.time() + grace
        while self._held and loop.time() < end:  # noqa: ASYNC110 - many tasks end, each in its own way
            await asyncio.sleep(0.01)
        self._heart.cancel()

    def _queue_changed(self) -> None:
        self._slots.resize(self.queue.settings.concurrency)
        if self.queue.paused:
            self._give_back_prefetched()
        self.changed.set()

    def _give_back_prefetched(self) -> None:
        for task in self._prefetched:
            task.cancel()  # its message is nak'd

    async def _process(self, job: Job) -> None:
        try:
            standing = await self._in_its_turn(job)
            if standing is None:
                await self._answer(job.message.nak())
            else:
                await self._settle(job, standing)
        finally:  # only now, as a crash before it is settled counts against it
            self._rails.isolation.leave(job)

    async def _in_its_turn(self, job: Job) -> Standing | None:
        """Claim and run once there is a free place; None where the queue is draining or paused by then."""
        if self.stopped():
            return None
        self.waiting += 1
        prefetched = asyncio.current_task()
        assert prefetched
        self._prefetched.add(prefetched)
        try:
            async with self._slots:
                self._prefetched.discard(prefetched)
                return await self._claim_and_run(job)
        finally:
            self._prefetched.discard(prefetched)
            self.waiting -= 1
            self.changed.set()

    async def _claim_and_run(self, job: Job) -> Standing | None:
        """Whether the queue is stopped is asked after each wait: there may be one for a suspect, or of a suspect."""
        if self.stopped():
            return None
        await self._rails.isolation.join(job)
        if self.stopped():
            return None
        with self.queue.at_work():
            standing = await self._rails.claim(job)
            if standing == "suspect":
                await self._rails.isolation.isolate(job)
                if self.stopped():
                    return None
                standing = await self._rails.ledger.claim_suspect(job)
            if standing == "run":
                job.taken = time.monotonic()
                await self._run(job)
            return standing

    async def _settle(self, job: Job, standing: Standing) -> None:
        """Commit, publish, ack: in this order."""
        if standing == "busy":
            return await self._answer(job.message.nak(delay=job.delay or 1.0))
        if standing == "run" and not await self._commit(job):
            return await self._answer(job.message.nak(delay=FENCED_PAUSE))  # the redelivery finds out what holds
        await self._publish(job)
        if standing == "done" or job.delay is None:
            return await self._acknowledge(job)
        return await self._answer(job.message.nak(delay=job.delay))

    async def _publish(self, job: Job) -> None:
        if job.emits:
            await self._rails.publish(job)

    async def _acknowledge(self, job: Job) -> None:
        await self._answer(job.message.ack())

    async def _run(self, job: Job) -> None:
        if job.crashes >= self.queue.settings.max_crashes:
            job.bury(WorkerDied(f"its worker died {job.crashes} times under it"))
            return
        with self._metrics.running():
            try:
                async with asyncio.timeout(self.queue.settings.timeout_seconds):
                    job.emit(await self._run_handler(job) or ())
                job.finish("succeeded")
            except Skip as reason:
                job.finish("cancelled", reason)
            except Retry as later:
                self._retry(job, later)
            except (Reject, ValidationError) as error:
                job.bury(error)
            except asyncio.CancelledError:  # drained: give the claim back
                job.finish("queued", delay=0.0, excused=1)
                await asyncio.shield(self._rails.commit(job))
                raise
            except Exception as error:
                self._failed(job, error)

    def _retry(self, job: Job, later: Retry) -> None:
        if later.bounded and job.waited > self.queue.settings.deadline_seconds:
            job.bury(later)
            return
        job.bounded = later.bounded
        job.finish("queued", later, delay=later.after, excused=1)
        if later.notice:
            job.emit([later.notice], run=0)

    def _failed(self, job: Job, error: Exception) -> None:
        if isinstance(error, TimeoutError) and not str(error):
            error = TimeoutError(f"no result within {self.queue.settings.timeout_seconds:g} s")
        log.warning("%s %s: attempt %d failed: %r", self.queue.durable.name, job.event_id, job.counted, error)
        if job.last_attempt:
            job.bury(error)
        else:
            job.finish("queued", error, delay=self.queue.backoff(job.counted))

    async def _commit(self, job: Job) -> bool:
        try:
            committed = await self._rails.commit(job)
        except asyncpg.PostgresError as error:
            if isinstance(error, UNREACHABLE):
                raise
            if getattr(error, "constraint_name", None) in job.outdated_by:
                self._retry(job, Retry(OUTDATED_PAUSE, f"what was read is outdated: {error}"))
            else:
                self._failed(job, error)  # its own rows were refused: a failed attempt like any other
            committed = await self._rails.commit(job)
        if committed:
            self._metrics.ended(job.status, job.attempt, job.seconds)
            if job.status != "queued":
                self.queue.ended += 1
                self._shipping.job_ended(job)
        return committed

    async def _beat(self) -> None:
        """Keep messages and claims alive while work on them goes on."""
        while True:
            await asyncio.sleep(self.queue.ack_wait / 3)
            held = list(self._held)
            for job in held:
                await self._answer(job.message.in_progress())
            if claimed := [job for job in held if job.attempt]:
                try:
                    await bounded(self._rails.ledger.beat(claimed), self.queue.ack_wait / 3)
                except Exception as error:  # whatever it is, the next beat may be better
                    log.warning("heartbeat: %r", error)

    @staticmethod
    async def _answer(answer: Awaitable[None]) -> None:
        try:
            await answer
        except Exception as error:
            log.debug("answer: %r", error)
