"""What all events have in common, and how they travel: bare JSON, with CloudEvents attributes as NATS headers.

The attributes are those of CloudEvents 1.0 in the binary mode of its NATS binding, in lower case with the prefix `ce-`:
https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/nats-protocol-binding.md
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

NAMESPACE = uuid.UUID("7f0a4e0e-6c1b-5b5e-9a55-2d6a3a0f1c11")
ID, TYPE, SOURCE, TIME, POST = "ce-id", "ce-type", "ce-source", "ce-time", "ce-subject"
MESSAGE_ID = "Nats-Msg-Id"


class Event(BaseModel):
    """A payload. Frozen, and it ignores fields that it does not know, so that a newer producer can add some."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    subject: ClassVar[str]
    version: ClassVar[int] = 1
    begins_trace: ClassVar[bool] = False  # whether what follows from it is a trace of its own

    @classmethod
    def wire_name(cls) -> str:
        """The stable name of this type on the wire, without prefix: `post.collected.v1`."""
        return f"{cls.subject}.v{cls.version}"

    def about(self) -> uuid.UUID | None:
        """The post that this event is about, if it is about one."""
        return getattr(self, "post_id", None)

    def identity(self) -> uuid.UUID | None:
        """The id that this event has whoever emits it; None where each emission is an event of its own."""
        return None


def derive(*parts: object) -> uuid.UUID:
    """Return the id that the same parts always give: uuid5 over their text."""
    return uuid.uuid5(NAMESPACE, "/".join(map(str, parts)))


@dataclass(frozen=True, slots=True)
class Emitted:
    """An event on its way out: a row of the outbox, then a message."""

    id: str
    consumer: str
    cause_id: str
    subject: str
    headers: Mapping[str, str] = field(repr=False)
    payload: bytes = field(repr=False)


def emitted(
    event: Event, *, event_id: str, consumer: str, cause_id: str, trace: Mapping[str, str] | None = None
) -> Emitted:
    """Return `event` with its headers; `trace` holds the propagation headers of the current span."""
    headers = {
        MESSAGE_ID: event_id,
        ID: event_id,
        TYPE: f"postroom.{event.wire_name()}",
        SOURCE: consumer,
        TIME: datetime.now(UTC).isoformat(timespec="milliseconds"),
        **(trace or {}),
    }
    if post := event.about():
        headers[POST] = str(post)
    return Emitted(event_id, consumer, cause_id, event.subject, headers, event.model_dump_json().encode())
