"""Streams and durables: made and updated by `postroom migrate`, verified by every service at its start.

Never by FastStream's declaration: it silently ignores a changed configuration of a durable that exists.
"""

from nats.js import JetStreamContext
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DiscardPolicy,
    RePublish,
    RetentionPolicy,
    StorageType,
    StreamConfig,
)
from nats.js.errors import NotFoundError

from common.contracts import Durable, Topology
from common.contracts.topology import BucketContract, ReaderContract, StreamContract
from common.live import PREFIX as LIVE_PREFIX
from common.messaging.queue import MAX_ACK_PENDING, MAX_DELIVER

DUPLICATE_WINDOW_SECONDS = 600.0
READER_ACK_WAIT_SECONDS = 30.0
CONSUMER_FIELDS = ("filter_subject", "ack_policy", "ack_wait", "max_deliver", "max_ack_pending")


class TopologyError(Exception):
    """A stream or durable is missing or differs from its contract; the message says what to do."""


def stream_config(name: str, contract: StreamContract, replicas: int) -> StreamConfig:
    """Return the configuration of a stream on files, with as many replicas as asked for."""
    return StreamConfig(
        name=name,
        subjects=list(contract.subjects),
        retention=RetentionPolicy(contract.retention),
        storage=StorageType.FILE,
        max_bytes=contract.max_bytes,
        max_age=contract.max_age_days * 86_400.0 + contract.max_age_hours * 3600.0,
        # A work stream that is full refuses, visibly; the dead letters give up their oldest.
        discard=DiscardPolicy.NEW if contract.retention == "interest" else DiscardPolicy.OLD,
        duplicate_window=DUPLICATE_WINDOW_SECONDS,
        num_replicas=replicas,
        allow_direct=contract.retention == "limits",  # what is kept can be read without a consumer
        republish=RePublish(src=">", dest=f"{LIVE_PREFIX}>") if contract.live else None,
    )


def consumer_config(durable: Durable) -> ConsumerConfig:
    """Return the configuration of a durable pull consumer."""
    return ConsumerConfig(
        durable_name=durable.name,
        filter_subject=durable.subject,
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=durable.ack_wait,
        max_deliver=MAX_DELIVER,
        max_ack_pending=MAX_ACK_PENDING,
    )


def reader_config(name: str, reader: ReaderContract) -> ConsumerConfig:
    """Return the configuration of a durable that only reads. What it can't read it says so of, and acknowledges."""
    return ConsumerConfig(
        durable_name=name,
        filter_subject=reader.subject,
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=READER_ACK_WAIT_SECONDS,
        max_ack_pending=MAX_ACK_PENDING,
    )


async def migrate_topology(stream: JetStreamContext, topology: Topology, *, replicas: int = 1) -> list[str]:
    """Create or update every stream and durable; return what was created, by name."""
    created = []
    for name, contract in topology.streams.items():
        wanted = stream_config(name, contract, replicas)
        try:
            await stream.stream_info(name)
            await stream.update_stream(wanted)
        except NotFoundError:
            await stream.add_stream(wanted)
            created.append(name)
    for name, bucket in topology.buckets.items():
        if await migrate_bucket(stream, name, bucket, replicas):
            created.append(name)
    for durable in topology.durables():
        try:
            await stream.consumer_info(durable.stream, durable.name)
        except NotFoundError:
            created.append(durable.name)
        await stream.add_consumer(durable.stream, consumer_config(durable))  # creates or updates
    for name, reader in topology.readers.items():
        try:
            await stream.consumer_info(reader.stream, name)
        except NotFoundError:
            created.append(name)
        await stream.add_consumer(reader.stream, reader_config(name, reader))
    return created


async def migrate_bucket(stream: JetStreamContext, name: str, contract: BucketContract, replicas: int) -> bool:
    """Create or update an object store, and return whether it was created."""
    try:
        config = (await stream.stream_info(f"OBJ_{name}")).config
    except NotFoundError:
        await stream.create_object_store(
            name, max_bytes=contract.max_bytes, storage=StorageType.FILE, replicas=replicas
        )
        return True
    await stream.update_stream(config, max_bytes=contract.max_bytes, num_replicas=replicas)
    return False


async def verify_consumer(stream: JetStreamContext, durable: Durable) -> None:
    """Raise TopologyError where a durable is missing, or is not what its contract says."""
    try:
        have = (await stream.consumer_info(durable.stream, durable.name)).config
    except NotFoundError:
        raise TopologyError(f"the durable {durable.name} is missing: run `postroom migrate`") from None
    wanted = consumer_config(durable)
    for name in CONSUMER_FIELDS:
        if getattr(have, name) != getattr(wanted, name):
            raise TopologyError(
                f"the durable {durable.name} has {name} = {getattr(have, name)!r}, wanted {getattr(wanted, name)!r}: "
                "run `postroom migrate`"
            )
