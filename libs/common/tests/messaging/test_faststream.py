"""The private names of FastStream that faststream.py touches: this fails where an upgrade moves them."""

from collections.abc import Sequence

from faststream.nats import NatsBroker
from faststream.nats.subscriber.usecases.stream_pull_subscriber import PullStreamSubscriber

from common.events import Event, PostCollected
from common.messaging import Job, Queue
from common.messaging.faststream import QueueSubscriber, client, jetstream, payload_type, subscribe
from common.messaging.queue import QueueSettings
from common.service import ServiceSettings
from common.testing.trial import CONTRACTS


async def handler(event: PostCollected, job: Job) -> Sequence[Event]:
    """A handler."""
    raise AssertionError("not called here")


def test_the_payload_is_the_first_parameter() -> None:
    assert payload_type(handler) is PostCollected


async def test_the_names_are_where_they_were(service_settings: ServiceSettings) -> None:
    assert hasattr(PullStreamSubscriber, "_create_subscription")
    broker = NatsBroker(service_settings.nats_url.get_secret_value(), logger=None)
    queue = Queue(CONTRACTS.durable("first"), QueueSettings())
    declared = subscribe(broker, queue, handler, lambda *_: None)  # type: ignore[arg-type, return-value]
    assert isinstance(declared, QueueSubscriber)
    assert declared in broker.subscribers
    await broker.connect()
    try:
        assert client(broker).is_connected
        assert (await jetstream(broker).stream_info("TRIAL")).config.name == "TRIAL"
        assert declared.jetstream is jetstream(broker)
    finally:
        await broker.stop()
