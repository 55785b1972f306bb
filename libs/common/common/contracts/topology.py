"""The streams, subjects and durables of the system, read from subjects.yaml."""

from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict

# How long the server waits for an answer before it delivers again, and how long a claim is valid. Delivery renews both
# while work goes on, so this is the time until the work of a killed process is taken up again.
ACK_WAIT_SECONDS = 10.0


class StreamContract(BaseModel):
    """A stream as it must be on the server."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    subjects: tuple[str, ...]
    retention: Literal["interest", "limits"]
    max_bytes: int
    max_age_days: float = 0


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
    subjects: dict[str, SubjectContract]

    def durables(self) -> list[Durable]:
        """Every durable of the system, deployed or not."""
        return [
            Durable(
                consumer.durable, contract.stream, subject, consumer.service, consumer.queue, consumer.ack_wait_seconds
            )
            for subject, contract in self.subjects.items()
            for consumer in contract.consumers
        ]

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
