"""The two hops that are compared. Each is ready to consume, begins when its `start` is awaited, and then drains."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

from faststream import AckPolicy
from faststream.nats import JStream, NatsBroker, PullSub
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from prometheus_client import CollectorRegistry

from benchmarks.hop_messages import CONTRACTS, RESULT, SLOW_SECONDS, Arrived, follow
from common.events import Event
from common.messaging import Job
from common.messaging.queue import QueueSettings
from common.postgres import Database
from common.service import Service, ServiceSettings

AT_ONCE = 100  # messages: the bare hop's batch, and the full hop's concurrency

Start = Callable[[], Awaitable[None]]


class Nowhere(SpanExporter):
    """Takes finished spans and drops them, so that recording is paid for and no collector is measured."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Drop them."""
        return SpanExportResult.SUCCESS


@asynccontextmanager
async def bare_hop(settings: ServiceSettings, *, slow: bool) -> AsyncIterator[Start]:
    """Consume, publish with the acknowledgement awaited, ack: FastStream alone, a batch of 100 handled at once."""
    broker = NatsBroker(settings.nats_url.get_secret_value(), logger=None)

    @broker.subscriber(
        Arrived.subject,
        stream=JStream("BENCH", declare=False),
        durable="worker",
        pull_sub=PullSub(batch_size=AT_ONCE, timeout=1.0),
        ack_policy=AckPolicy.NACK_ON_ERROR,
    )
    async def handle(event: Arrived) -> None:
        if slow and event.slow:
            await asyncio.sleep(SLOW_SECONDS)
        answer = follow(event)
        await broker.publish(answer, answer.subject, stream="BENCH")

    try:
        yield broker.start
    finally:
        await broker.stop()


@asynccontextmanager
async def full_hop(
    settings: ServiceSettings,
    *,
    slow: bool,
    tracer: trace.Tracer | None = None,
    prepare: Callable[[Service], None] = lambda _service: None,
) -> AsyncIterator[Start]:
    """The same with inbox, ledger, a result row, outbox and tracing: a service as production runs it.

    Without a `tracer` of the caller's, spans are recorded and exported to nowhere. `prepare` may change the service.
    """

    async def handle(event: Arrived, job: Job) -> Sequence[Event]:
        if slow and event.slow:
            await asyncio.sleep(SLOW_SECONDS)
        job.write(RESULT, job.event_id, event.text)
        return [follow(event)]

    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(Nowhere()))
    broker = NatsBroker(settings.nats_url.get_secret_value(), logger=None)
    await broker.connect()
    async with Database.connect(settings.database_url.get_secret_value(), size=settings.database_pool_size) as database:
        service = Service(
            "bench",
            settings,
            database=database,
            broker=broker,
            tracer=tracer or provider.get_tracer("postroom"),
            registry=CollectorRegistry(),
            contracts=CONTRACTS,
        )
        prepare(service)
        service.consume("worker", handle, QueueSettings(concurrency=AT_ONCE))
        stop = asyncio.Event()
        running: list[asyncio.Task[None]] = []

        async def start() -> None:
            running.append(asyncio.create_task(service.run(stop)))

        try:
            yield start
        finally:
            stop.set()
            await asyncio.gather(*running)
            service.rails.close()
            provider.shutdown()
