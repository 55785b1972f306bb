"""FastStream in front: it declares, documents, starts and stops; our own pull brings the messages to delivery.

The only file that touches FastStream's private names (docs/adr/0001-front-c.md); its version is pinned, and
tests/messaging/test_faststream.py fails where an upgrade moves them.
"""

import inspect
import typing
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeAlias, TypeVar

from faststream import AckPolicy
from faststream.nats import JStream, NatsBroker, PullSub
from faststream.nats.subscriber.usecases.stream_pull_subscriber import PullStreamSubscriber
from nats.aio.client import Client
from nats.js import JetStreamContext

from common.events import Event
from common.messaging.delivery import Delivery
from common.messaging.job import Job
from common.messaging.pull import Pull
from common.messaging.queue import Queue

Payload = TypeVar("Payload", bound=Event)
Handler: TypeAlias = Callable[[Payload, Job], Awaitable[Sequence[Event] | None]]

GRACE_SECONDS = 15.0


class QueueSubscriber(PullStreamSubscriber):
    """A FastStream subscriber whose messages are pulled and carried by delivery."""

    make_delivery: Callable[[], Delivery]
    pull: Pull | None

    async def _create_subscription(self) -> None:
        pull = Pull(self.connection, self.jetstream, self.make_delivery())
        await pull.start()
        self.pull = pull

    async def drain(self) -> None:
        """Take no more messages: what was prefetched goes back, what runs may finish."""
        if self.pull is not None:
            pull, self.pull = self.pull, None
            await pull.stop(GRACE_SECONDS)

    async def stop(self) -> None:
        """Drain, then let FastStream forget the subscriber."""
        await self.drain()
        await super().stop()


def subscribe(
    broker: NatsBroker,
    queue: Queue,
    handler: "Handler[Any]",
    make_delivery: Callable[[Queue, "Handler[Any]"], Delivery],
) -> QueueSubscriber:
    """Declare `handler` as the subscriber of a queue; its messages take the path of delivery."""
    durable = queue.durable
    declared = broker.subscriber(
        durable.subject,
        stream=JStream(durable.stream, declare=False),
        durable=durable.name,
        pull_sub=PullSub(),
        ack_policy=AckPolicy.MANUAL,
        no_reply=True,
        title=durable.name,
    )
    declared(_documented(handler))
    subscriber = typing.cast("QueueSubscriber", declared)
    subscriber.__class__ = QueueSubscriber
    subscriber.make_delivery = lambda: make_delivery(queue, handler)
    subscriber.pull = None
    return subscriber


def jetstream(broker: NatsBroker) -> JetStreamContext:
    """Return the JetStream context of a connected broker."""
    return typing.cast("JetStreamContext", broker.config.connection_state.stream)


def client(broker: NatsBroker) -> Client:
    """Return the NATS client of a connected broker."""
    return typing.cast("Client", broker.config.connection_state.connection)


def payload_type(handler: "Handler[Any]") -> type[Event]:
    """Return the event that a handler takes: the annotation of its first parameter."""
    first = next(iter(inspect.signature(handler).parameters))
    return typing.cast("type[Event]", typing.get_type_hints(handler)[first])


def _documented(handler: "Handler[Any]") -> Callable[..., Any]:
    """Return what FastStream sees: the payload only. It is never called; delivery calls the handler itself."""

    async def handle(event: Any) -> None:  # noqa: ARG001 - for its annotation
        raise AssertionError("messages of a queue are carried by delivery")

    handle.__annotations__ = {"event": payload_type(handler), "return": None}
    handle.__name__, handle.__doc__ = getattr(handler, "__name__", "handle"), handler.__doc__
    return handle
