"""A replica follows what people decided about its queues: pauses, and settings that were changed at run time."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from uuid import UUID

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js import JetStreamContext

from common.messaging.queue import Queue
from common.postgres import UNREACHABLE, Database, Queries
from common.queues.agreeing import agree
from common.queues.records import Pause, QueueRecords
from common.queues.settings import Layers, Origin, by_queue, told

log = logging.getLogger(__name__)

SUBJECT = "control.queues"
EVERY_SECONDS = 3.0  # between looks where nothing was heard: a message of core NATS may be lost
RATE_SECONDS = 60.0
LEAVE_SECONDS = 2.0


@dataclass(slots=True)
class Followed:
    """One queue of this replica, with the layers of its settings."""

    queue: Queue
    layers: Layers
    origins: dict[str, Origin] = field(default_factory=dict)
    samples: deque[tuple[float, int]] = field(default_factory=deque)  # when how many jobs had ended

    def __post_init__(self) -> None:
        """Begin with nothing changed."""
        _, self.origins = self.layers.under({})

    def obey(self, changes: Mapping[str, object], *, paused: bool) -> None:
        """Work from now on as people decided."""
        settings, self.origins = self.layers.under(changes)
        self.queue.change(settings, paused=paused)

    def rate(self) -> float:
        """Return how many jobs ended per second in the last minute."""
        now = time.monotonic()
        self.samples.append((now, self.queue.ended))
        while self.samples[0][0] < now - RATE_SECONDS:
            self.samples.popleft()
        since, ended = self.samples[0]
        return (self.queue.ended - ended) / (now - since) if now > since else 0.0


class Follower:
    """Looks up what was decided, obeys, makes the server agree, and tells how this replica works now."""

    def __init__(
        self, database: Database, client: Client, stream: JetStreamContext, service: str, replica: UUID
    ) -> None:
        self._database = database
        self._client = client
        self._stream = stream
        self._identity = (service, replica)
        self._records = QueueRecords(database)
        self._sql = Queries.load(__package__, "queues.sql")
        self._heard = asyncio.Event()
        self.followed: list[Followed] = []

    async def look(self) -> None:
        """Look, obey and tell, once. Raises what asyncpg raises where the database is away."""
        names = sorted({each.queue.durable.queue for each in self.followed})
        pauses = {pause.queue: pause for pause in await self._records.pauses(names)}
        changes = by_queue(await self._records.changes(names))
        for each in self.followed:
            queue = each.queue.durable.queue
            each.obey(changes.get(queue, {}), paused=queue in pauses)
        await self._tell(self.followed)
        await self._make_the_server_agree(pauses)

    async def keep(self) -> None:
        """Follow for ever."""
        await self._client.subscribe(SUBJECT, cb=self._hear)
        while True:
            self._heard.clear()
            try:
                await self.look()
            except UNREACHABLE as error:
                log.warning("queues: %r", error)
            with suppress(TimeoutError):
                async with asyncio.timeout(EVERY_SECONDS):
                    await self._heard.wait()

    async def leave(self) -> None:
        """Take back what was told: this replica stops in order."""
        try:
            async with asyncio.timeout(LEAVE_SECONDS):
                await self._database.lax.execute(self._sql["leave"], self._identity[1])
        except UNREACHABLE as error:
            log.debug("queues: %r", error)

    async def _hear(self, _message: Msg) -> None:
        self._heard.set()

    async def _tell(self, followed: Sequence[Followed]) -> None:
        queues = [each.queue for each in followed]
        await self._database.lax.execute(
            self._sql["report"],
            *self._identity,
            [queue.durable.name for queue in queues],
            [queue.durable.queue for queue in queues],
            [told(each.queue.settings, each.origins) for each in followed],
            [queue.paused for queue in queues],
            [queue.running for queue in queues],
            [each.rate() for each in followed],
        )

    async def _make_the_server_agree(self, pauses: Mapping[str, Pause]) -> None:
        try:
            for each in self.followed:
                durable = each.queue.durable
                await agree(self._stream, durable, pauses.get(durable.queue))
        except (NatsError, OSError) as error:  # what counts is held here; the next look may be better
            log.warning("queues: %r", error)
