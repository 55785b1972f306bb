"""Pull requests to a durable consumer: always open for as many messages as there is room for."""

import asyncio
import json
import logging

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js import JetStreamContext

from common.messaging.delivery import Delivery
from common.messaging.streams import TopologyError, verify_consumer

log = logging.getLogger(__name__)

EXPIRES_SECONDS = 30.0
HEARTBEAT_SECONDS = 5.0
SILENCE_SECONDS = 2.5 * HEARTBEAT_SECONDS  # then a restarted server has forgotten our requests
# Status headers of a pull request (ADR-37 of NATS): 100 is a heartbeat, 404 no messages, 408 expired.
IDLE, ENDED = "100", ("404", "408")


class Pull:
    """Brings the messages of a durable to its delivery. No request ever waits for a handler."""

    def __init__(self, client: Client, stream: JetStreamContext, delivery: Delivery) -> None:
        self._client = client
        self._stream = stream
        self._delivery = delivery
        self._queue = delivery.queue
        self._asked = 0  # messages requested and not yet arrived
        self._heard = 0.0  # when the server last said anything
        self._tasks: set[asyncio.Task[None]] = set()
        self.problem: str | None = None  # why no messages come, for the health endpoint

    @property
    def behind(self) -> bool:
        """Whether messages wait for a free place."""
        return self._delivery.behind

    async def start(self) -> None:
        """Begin to pull. Raises TopologyError when the durable is missing or differs from its contract."""
        durable = self._queue.durable
        await verify_consumer(self._stream, durable)
        self._inbox = self._client.new_inbox()
        self._next = f"$JS.API.CONSUMER.MSG.NEXT.{durable.stream}.{durable.name}"
        self._subscription = await self._client.subscribe(
            self._inbox, cb=self._arrived, pending_msgs_limit=-1, pending_bytes_limit=-1
        )
        self._asking = asyncio.create_task(self._ask())

    async def missing(self) -> str | None:
        """Say that the durable is missing on the server, or None. Nothing else tells: its requests stay unanswered."""
        try:
            await verify_consumer(self._stream, self._queue.durable)
        except TopologyError as error:
            return str(error)
        return None

    def reconnected(self) -> None:
        """Ask again at once: the requests of the old connection are gone."""
        self._heard = 0.0
        self._delivery.changed.set()

    async def stop(self, grace: float) -> None:
        """Stop: what was only prefetched goes back at once; what is running may finish within `grace` seconds."""
        self._delivery.draining = True
        self._asking.cancel()
        try:
            await self._subscription.drain()  # type: ignore[no-untyped-call] # what is on its way still arrives, and is nak'd
        except NatsError as error:
            log.warning("%s: drain: %r", self._queue.durable.name, error)
        await self._delivery.drained(grace)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _arrived(self, message: Msg) -> None:
        self._heard = asyncio.get_running_loop().time()
        if message.reply:
            self._asked -= 1
            task = asyncio.create_task(self._delivery.process(message))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        else:
            self._request_ended(message.headers or {})
        self._delivery.changed.set()

    def _request_ended(self, headers: dict[str, str]) -> None:
        status = headers.get("Status")
        if status == IDLE:
            return
        self._asked -= int(headers.get("Nats-Pending-Messages", self._asked))
        if status not in ENDED:  # 409 and 503: look at the consumer before asking again
            log.warning("%s: %s %s", self._queue.durable.name, status, headers.get("Description"))
            self._heard = 0.0

    async def _ask(self) -> None:
        loop = asyncio.get_running_loop()
        self._heard = loop.time()
        while True:
            try:
                if loop.time() - self._heard > SILENCE_SECONDS:
                    await verify_consumer(self._stream, self._queue.durable)
                    self._asked, self._heard = 0, loop.time()
                self.problem = None
                await self._request()
                self._delivery.changed.clear()
                async with asyncio.timeout(1.0):
                    await self._delivery.changed.wait()
            except TimeoutError:
                continue
            except (NatsError, TopologyError, OSError, RuntimeError) as error:
                self.problem = str(error) or repr(error)
                log.warning("%s: %r", self._queue.durable.name, error)
                await asyncio.sleep(0.5)

    async def _request(self) -> None:
        if self._delivery.stopped():
            return
        limit = self._queue.settings.concurrency + self._queue.prefetch
        room = limit - self._delivery.waiting - self._asked
        if room > 0 and (self._asked < limit // 4 or room > limit // 2):
            self._asked += room
            wanted = {
                "batch": room,
                "expires": int(EXPIRES_SECONDS * 1e9),
                "idle_heartbeat": int(HEARTBEAT_SECONDS * 1e9),
            }
            await self._client.publish(self._next, json.dumps(wanted).encode(), self._inbox)
