"""How the queues stand: the one source of depth, age, rate and time of arrival for status, API, metrics and alerts."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime

from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

from common.contracts import Durable, Topology, topology
from common.contracts.topology import Priority
from common.postgres import Database
from common.queues.records import Pause, QueueRecords, Replica

BEHIND = {"publish_queue": "publications", "broadcast_queue": "broadcasts"}


@dataclass(frozen=True, slots=True)
class DurableStanding:
    """How a durable stands on the server. `oldest_seconds` is the age of the oldest message without an ack."""

    name: str
    service: str
    subject: str
    waiting: int
    in_flight: int
    redelivered: int
    oldest_seconds: float | None
    paused: bool


@dataclass(frozen=True, slots=True)
class Behind:
    """What stands behind a queue and has left its stream: publications in their lanes, or broadcasts.

    `rate` is how many ended per second in the last five minutes, 0 where that says nothing.
    """

    what: str
    behind: int
    running: int
    oldest_seconds: float | None
    rate: float


@dataclass(frozen=True, slots=True)
class QueueStanding:
    """How a queue stands, over all its durables.

    `waiting` messages were delivered to nobody, `in_flight` ones to somebody who has not acknowledged them, be it that
    they run, wait for a place or for their next attempt; `redelivered` are those of them that were delivered before.
    `oldest_seconds` is the age of the oldest of both; what stands behind the queue may wait for its pace as long as it
    takes, and has its own age. `rate` are jobs that ended per second in the last minute, as the
    replicas that live tell. `eta_seconds` is how long all of it takes at that rate, with what stands behind the queue;
    None where nothing moves.
    """

    queue: str
    priority: Priority
    waiting: int
    in_flight: int
    redelivered: int
    oldest_seconds: float | None
    rate: float
    eta_seconds: float | None
    pause: Pause | None
    behind: Behind | None
    durables: tuple[DurableStanding, ...]
    replicas: tuple[Replica, ...]

    @property
    def backlog(self) -> int:
        """All that is still to be done, also behind the queue."""
        return self.waiting + self.in_flight + (self.behind.behind if self.behind else 0)


async def standing(
    database: Database, stream: JetStreamContext, contracts: Topology | None = None
) -> list[QueueStanding]:
    """Return how each queue stands, in the order of subjects.yaml: the high ones first.

    It asks the server at most two small questions per durable. Raises NotFoundError of nats.js where a durable is
    missing, and what asyncpg and nats raise where a server is away.
    """
    contracts = contracts or topology()
    records = QueueRecords(database)
    durables = contracts.durables()
    found = await asyncio.gather(*(_durable(stream, durable) for durable in durables))
    pauses = {pause.queue: pause for pause in await records.pauses()}
    replicas = await records.replicas()
    names = contracts.queue_names()
    behind = {
        queue: Behind(what=what, **await records.behind(what)) for queue, what in BEHIND.items() if queue in names
    }
    return [
        _queue(
            queue,
            contracts.priority(queue),
            [each for each, durable in zip(found, durables, strict=True) if durable.queue == queue],
            [replica for replica in replicas if replica.queue == queue],
            pauses.get(queue),
            behind.get(queue),
        )
        for queue in names
    ]


def _queue(
    queue: str,
    priority: Priority,
    durables: list[DurableStanding],
    replicas: list[Replica],
    pause: Pause | None,
    behind: Behind | None,
) -> QueueStanding:
    waiting, in_flight = sum(each.waiting for each in durables), sum(each.in_flight for each in durables)
    rate = sum(replica.rate for replica in replicas)
    ages = [each.oldest_seconds for each in durables if each.oldest_seconds is not None]
    seconds = [_seconds(waiting + in_flight, rate)]
    if behind and behind.what == "publications":
        seconds.append(_seconds(behind.behind, behind.rate))
    moving = pause is None and None not in seconds
    return QueueStanding(
        queue=queue,
        priority=priority,
        waiting=waiting,
        in_flight=in_flight,
        redelivered=sum(each.redelivered for each in durables),
        oldest_seconds=max(ages, default=None),
        rate=rate,
        eta_seconds=sum(each for each in seconds if each is not None) if moving else None,
        pause=pause,
        behind=behind,
        durables=tuple(durables),
        replicas=tuple(replicas),
    )


def _seconds(count: int, rate: float) -> float | None:
    return 0.0 if count == 0 else count / rate if rate > 0 else None


async def _durable(stream: JetStreamContext, durable: Durable) -> DurableStanding:
    info = await stream.consumer_info(durable.stream, durable.name)
    waiting, in_flight = info.num_pending or 0, info.num_ack_pending or 0
    oldest = None
    if waiting or in_flight:
        oldest = await _oldest(stream, durable, info.ack_floor.stream_seq if info.ack_floor else 0)
    return DurableStanding(
        name=durable.name,
        service=durable.service,
        subject=durable.subject,
        waiting=waiting,
        in_flight=in_flight,
        redelivered=info.num_redelivered or 0,
        oldest_seconds=oldest,
        paused=bool(info.paused),
    )


async def _oldest(stream: JetStreamContext, durable: Durable, floor: int) -> float | None:
    """Return the age of the first message of a durable's subject above its ack floor: all below it are acknowledged.

    One question to the server, which knows its subjects by sequence; it need not be asked how many there are.
    """
    try:
        message = await stream.get_msg(durable.stream, floor + 1, durable.subject, next=True)
    except NotFoundError:  # it was acknowledged meanwhile
        return None
    return max(0.0, (datetime.now(UTC) - message.time).total_seconds()) if message.time else None
