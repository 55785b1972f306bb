"""What a service is made of; `create_service` is the one call that a composition root needs."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from faststream.nats import NatsBroker
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from opentelemetry import trace
from prometheus_client import CollectorRegistry, ProcessCollector

from common.contracts import Topology, topology
from common.events import Event
from common.leases import Leases
from common.limits import Pacing
from common.messaging.delivery import Delivery
from common.messaging.faststream import Handler, QueueSubscriber, client, jetstream, payload_type, subscribe
from common.messaging.job import Job
from common.messaging.queue import Queue, QueueSettings
from common.messaging.rails import Rails
from common.postgres import Connection, Database, verify_schema
from common.queues.following import Followed, Follower
from common.queues.settings import layers, misnamed
from common.service.beats import Beats
from common.service.health import Health, HealthServer, Sample
from common.service.settings import ServiceSettings
from common.settings import SettingsError
from common.telemetry.logs import SERVICE
from common.telemetry.metrics import DeliveryMetrics
from common.telemetry.shipping import Shipping
from common.telemetry.tracing import create_tracing

log = logging.getLogger(__name__)

RECONNECT_SECONDS = 1
LAST_LOGS_SECONDS = 2.0  # for the last log records to be shipped
END_SECONDS = 7.0  # a loop may take so long to end once it is cancelled; then it is cancelled again
CONNECT_SECONDS = 10.0  # at the start; a server that goes away later is waited for without end


class NatsUnreachable(ConnectionError):
    """NATS can't be reached; the message says why."""


class Service:
    """A running service: its connections, its consumers, its loops, its health."""

    def __init__(
        self,
        name: str,
        settings: ServiceSettings,
        *,
        database: Database,
        broker: NatsBroker,
        tracer: trace.Tracer,
        registry: CollectorRegistry,
        contracts: Topology,
    ) -> None:
        self.name = name
        self.settings = settings
        self.database = database
        self.broker = broker
        self.tracer = tracer
        self.registry = registry
        self.rails = Rails(self.stream, database, tracer)
        self.leases = Leases(database, self.rails.ledger.holder)
        self.pacing = Pacing(database)
        self.shipping = Shipping(name, self.stream)
        self.follower = Follower(database, self.nats, self.stream, name, self.rails.ledger.holder)
        self.health = Health(
            {"database": self._check_database, "nats": self._check_nats, "consumers": self._check_pulls}
        )
        self._contracts = contracts
        self._metrics = DeliveryMetrics(registry)
        self._subscribers: list[QueueSubscriber] = []
        self._queues: dict[str, Queue] = {}
        self._sweeps: list[str] = []
        self._background: list[Callable[[], Coroutine[Any, Any, None]]] = [self.shipping.run, self.follower.keep]
        self._samples: list[Sample] = []
        ProcessCollector(registry=registry)

    @property
    def nats(self) -> Client:
        """The NATS client."""
        return client(self.broker)

    @property
    def stream(self) -> JetStreamContext:
        """The JetStream context."""
        return jetstream(self.broker)

    def consume(self, durable: str, handler: "Handler[Any]", defaults: QueueSettings | None = None) -> None:
        """Let `handler` work on the messages of a durable of this service, with the settings of its queue."""
        self._subscribers.append(subscribe(self.broker, self.queue(durable, defaults), handler, self._delivery))

    def queue(self, durable: str, defaults: QueueSettings | None = None) -> Queue:
        """Return the queue of a durable of this service, whose settings and pauses follow what people decide."""
        if durable not in self._queues:
            contract = self._contracts.durable(durable)
            found = layers(contract.queue, defaults)
            self._queues[durable] = queue = Queue(contract, found.base)
            self.follower.followed.append(Followed(queue, found))
        return self._queues[durable]

    def sweep_for(self, consumer: str) -> None:
        """Also publish what a crash of `consumer` left behind: of one that is no service, such as the command line."""
        self._sweeps.append(consumer)

    def background(self, loop: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run a loop as long as the service runs; when it ends by an error, so does the service."""
        self._background.append(loop)

    def sampled(self, sample: Sample) -> None:
        """Await `sample` each time before the metrics are read: it sets what is true only at that moment."""
        self._samples.append(sample)

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set, then drain: what was prefetched goes back, what runs may finish."""
        own = [durable.name for durable in self._contracts.durables() if durable.service == self.name]
        self.rails.sweep([*own, self.name, *self._sweeps])
        host, port = self.settings.health_host, self.settings.health_port
        server = HealthServer(self.name, self.health, self.registry, host, port, self._samples)
        beats = Beats(self.database, self.name, self.rails.ledger.holder, server.address, self.health)
        tasks = [asyncio.create_task(server.serve()), asyncio.create_task(beats.keep())]
        try:
            await self.follower.look()  # so that nothing is started of a queue that is paused
            await self.broker.start()
            tasks += [asyncio.create_task(loop()) for loop in self._background]
            log.info("%s is up", self.name, extra={"health": f"http://{server.address}"})
            stopping = asyncio.create_task(stop.wait())
            ended, _ = await asyncio.wait([stopping, *tasks], return_when=asyncio.FIRST_COMPLETED)
            for task in ended - {stopping}:
                task.result()  # raises what ended the loop
        finally:
            log.info("%s stops", self.name)
            # First the messages, as their handlers may need what the loops keep: a Telegram session, for example.
            await asyncio.gather(*(subscriber.drain() for subscriber in self._subscribers))
            await _ended(tasks[2:])
            await self.shipping.drain(LAST_LOGS_SECONDS)
            await self.broker.stop()
            await beats.end()
            await self.follower.leave()
            server.stop()
            tasks[1].cancel()
            await asyncio.gather(*tasks[:2], return_exceptions=True)
            log.info("%s has stopped", self.name)

    async def emit(
        self, events: Sequence[Event], *, cause: str, store: Callable[[Connection], Awaitable[None]] | None = None
    ) -> None:
        """Emit events of a loop, which has no job; as `Rails.tell`."""
        await self.rails.tell(events, consumer=self.name, cause=cause, store=store)

    def behind(self) -> bool:
        """Return whether messages wait here for a free place: there is more work than is done at once."""
        return any(subscriber.pull is not None and subscriber.pull.behind for subscriber in self._subscribers)

    async def reconnected(self) -> None:
        """Ask for messages again at once after the connection to NATS came back."""
        for subscriber in self._subscribers:
            if subscriber.pull:
                subscriber.pull.reconnected()

    def _delivery(self, queue: Queue, handler: "Handler[Any]") -> Delivery:
        model = payload_type(handler)

        async def run(job: Job) -> Sequence[Event] | None:
            event = model.model_validate_json(job.message.data)
            job.post_id = job.post_id or event.about()
            return await handler(event, job)

        return Delivery(queue, self.rails, run, tracer=self.tracer, metrics=self._metrics, shipping=self.shipping)

    async def _check_database(self) -> str | None:
        await self.database.lax.fetchval("SELECT 1")
        return None

    async def _check_nats(self) -> str | None:
        return None if self.nats.is_connected else "not connected"

    async def _check_pulls(self) -> str | None:
        for subscriber in self._subscribers:
            if subscriber.pull is None:
                return "not started"
            # A durable deleted on the server raises nothing by itself: its requests just stay unanswered.
            if problem := subscriber.pull.problem or await subscriber.pull.missing():
                return problem
        return None


@asynccontextmanager
async def create_service(
    name: str, settings: ServiceSettings, contracts: Topology | None = None
) -> AsyncIterator[Service]:
    """Connect everything a service needs; `contracts` are those of subjects.yaml where none are given.

    Raises SettingsError where a variable names a queue that there is not, SchemaError where the database is older than
    this release, and DatabaseUnreachable or NatsUnreachable.
    """
    contracts = contracts or topology()
    if wrong := misnamed(contracts):
        raise SettingsError(wrong)
    SERVICE.set(name)  # for the logs of this task and of those that it starts
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(
            Database.connect(settings.database_url.get_secret_value(), size=settings.database_pool_size)
        )
        await verify_schema(database.strict)
        tracing = create_tracing(name, settings.otel_exporter_otlp_endpoint)
        stack.callback(tracing.shutdown)
        service: Service | None = None

        async def reconnected() -> None:
            log.warning("NATS: connected again")
            if service:
                await service.reconnected()

        problem: Exception = TimeoutError(f"no answer within {CONNECT_SECONDS:g} s")

        async def errored(error: Exception) -> None:
            nonlocal problem
            problem = error
            log.warning("NATS: %r", error)

        broker = NatsBroker(
            settings.nats_url.get_secret_value(),
            logger=None,
            max_reconnect_attempts=-1,
            reconnect_time_wait=RECONNECT_SECONDS,
            reconnected_cb=reconnected,
            error_cb=errored,
            name=f"postroom-{name}",
        )
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await broker.connect()
        except TimeoutError:  # it is asked again and again until then; `problem` is what came of it
            raise NatsUnreachable(f"NATS can't be reached: {problem or type(problem).__name__}") from problem
        except (NatsError, OSError, ValueError) as error:
            raise NatsUnreachable(f"NATS can't be reached: {error}") from error
        stack.push_async_callback(_close, broker)
        service = Service(
            name,
            settings,
            database=database,
            broker=broker,
            tracer=tracing.tracer,
            registry=CollectorRegistry(),
            contracts=contracts,
        )
        stack.callback(service.rails.close)
        stack.enter_context(service.shipping.tapped())
        yield service


async def _ended(loops: Sequence[asyncio.Task[None]]) -> None:
    """Cancel loops until they have ended: before Python 3.12 asyncio.wait_for may swallow a cancellation."""
    while left := [loop for loop in loops if not loop.done()]:
        for loop in left:
            loop.cancel()
        await asyncio.wait(left, timeout=END_SECONDS)
    await asyncio.gather(*loops, return_exceptions=True)


async def _close(broker: NatsBroker) -> None:
    try:
        await broker.stop()
    except (NatsError, OSError) as error:
        log.debug("NATS: %r", error)
