"""The streams, subjects and durables of the system, read from subjects.yaml."""

from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

# How long the server waits for an answer before it delivers again, and how long a claim is valid. Delivery renews both
# while work goes on, so this is the time until the work of a killed process is taken up again.
ACK_WAIT_SECONDS = 10.0

Priority = Literal["high", "medium", "low"]


class StreamContract(BaseModel):
    """A stream as it must be on the server."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    subjects: tuple[str, ...]
    retention: Literal["interest", "limits"]
    max_bytes: int
    max_age_days: float = 0
    max_age_hours: float = 0
    live: bool = Field(default=False, description="the stream LIVE keeps a copy of each message, for live clients")


class LiveContract(BaseModel):
    """Live events that no message of a work stream says already: who tells them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    producers: tuple[str, ...]


class BucketContract(BaseModel):
    """An object store as it must be on the server."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_bytes: int


class ConsumerContract(BaseModel):
    """A durable: who reads a subject, and through which queue."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    durable: str
    service: str
    queue: str
    ack_wait_seconds: float = ACK_WAIT_SECONDS


class SubjectContract(BaseModel):
    """A subject: who owns its schema, who writes and who reads it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    owner: str
    stream: str
    producers: tuple[str, ...]
    consumers: tuple[ConsumerContract, ...]


class ReaderContract(BaseModel):
    """A durable that reads what a stream keeps, without queue and ledger: who writes it, and who reads it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stream: str
    subject: str
    service: str
    producers: tuple[str, ...]


class QueueContract(BaseModel):
    """A queue, which may have several durables."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    priority: Priority


class ControlContract(BaseModel):
    """A subject of core NATS: who says it and who hears it. It is not kept."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    owner: str
    producers: tuple[str, ...]
    listeners: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Durable:
    """A durable consumer with all that its server needs to know."""

    name: str
    stream: str
    subject: str
    service: str
    queue: str
    ack_wait: float = ACK_WAIT_SECONDS


class Topology(BaseModel):
    """The whole of subjects.yaml."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    streams: dict[str, StreamContract]
    buckets: dict[str, BucketContract] = {}
    queues: dict[str, QueueContract] = {}
    control: dict[str, ControlContract] = {}
    subjects: dict[str, SubjectContract]
    live: dict[str, LiveContract] = {}
    readers: dict[str, ReaderContract] = {}

    def durables(self) -> list[Durable]:
        """Every durable of the system, deployed or not."""
        return [
            Durable(
                consumer.durable, contract.stream, subject, consumer.service, consumer.queue, consumer.ack_wait_seconds
            )
            for subject, contract in self.subjects.items()
            for consumer in contract.consumers
        ]

    def queue_names(self) -> list[str]:
        """Every queue: first those that are declared, in their order."""
        return list(dict.fromkeys([*self.queues, *(durable.queue for durable in self.durables())]))

    def durables_of(self, queue: str) -> list[Durable]:
        """The durables of one queue; none where there is no such queue."""
        return [durable for durable in self.durables() if durable.queue == queue]

    def priority(self, queue: str) -> Priority:
        """How urgent the work of a queue is; one that is not declared is in the middle."""
        return self.queues[queue].priority if queue in self.queues else "medium"

    def durable(self, name: str) -> Durable:
        """Return one durable. Raises KeyError when subjects.yaml does not have it."""
        for durable in self.durables():
            if durable.name == name:
                return durable
        raise KeyError(f"subjects.yaml has no durable {name}")


@lru_cache(maxsize=1)
def topology() -> Topology:
    """Return the contents of subjects.yaml."""
    return Topology.model_validate(yaml.safe_load(files(__package__).joinpath("subjects.yaml").read_text("utf-8")))
