"""The last net: messages that the server itself has given up go to the dead letters.

JetStream says so in advisories only: https://docs.nats.io/nats-concepts/jetstream/consumers#maxdeliver
"""

import logging
from collections.abc import Sequence
from typing import ClassVar
from uuid import UUID

from nats.js import JetStreamContext
from nats.js.api import RawStreamMsg
from nats.js.errors import NotFoundError

from common.contracts import Topology
from common.events import Event, NotifyRequested
from common.events.envelope import ID, MESSAGE_ID, POST
from common.failures import Skip
from common.messaging.dead_letters import Dead, fingerprint, keep
from common.messaging.job import Job, derived_id
from common.messaging.ledger import Ledger

log = logging.getLogger(__name__)


class GivenUp(Event):
    """The server's advisory: max deliveries were reached, or a message was terminated."""

    subject: ClassVar[str] = "$JS.EVENT.ADVISORY.CONSUMER.>"

    type: str
    stream: str
    consumer: str
    stream_seq: int
    deliveries: int = 0
    reason: str = ""


class Undertaker:
    """Writes the dead letter that delivery itself would have written, under the same id."""

    def __init__(self, stream: JetStreamContext, ledger: Ledger, topology: Topology) -> None:
        self._stream = stream
        self._ledger = ledger
        self._topology = topology

    async def __call__(self, advisory: GivenUp, job: Job) -> Sequence[Event]:
        """Bury the message that an advisory names."""
        try:
            durable = self._topology.durable(advisory.consumer)
        except KeyError:
            raise Skip(f"{advisory.consumer} is not one of ours") from None
        message = await self._message(advisory)
        if message.time is None and (status := await self._ledger.ended_of(durable.name, advisory.stream_seq)):
            # A server that is killed may forget an acknowledgement after it has let go of the message.
            raise Skip(f"its job had ended, {status}, when the server lost the acknowledgement")
        headers = message.headers or {}
        event_id = headers.get(ID) or headers.get(MESSAGE_ID) or self._derived(advisory, message)
        error = f"{advisory.type.rpartition('.')[2]} after {advisory.deliveries} deliveries {advisory.reason}".strip()
        subject = message.subject or durable.subject
        job.write(
            self._ledger.give_up,
            durable.name,
            event_id,
            durable.queue,
            subject,
            _uuid(headers.get(POST)),
            "GivenUp",
            error,
        )
        dead = Dead(
            durable,
            sequence=advisory.stream_seq,
            subject=subject,
            event_id=event_id,
            post_id=_uuid(headers.get(POST)),
            headers=headers,
            payload=message.data or b"",
            attempts=advisory.deliveries,
            error_class="GivenUp",
            error=error,
        )
        told = {"job_id": f"{durable.name}/{event_id}", "post_id": headers.get(POST)}  # it ended without a run
        log.warning("%s %s: %s", durable.name, event_id, error, extra=told)
        job.write(keep(), *dead.row())
        job.emits.append(dead.letter(emitted_by=job.queue.durable.name, cause_id=job.event_id))
        return [
            NotifyRequested(
                kind="delivery.given_up",
                severity="error",
                title=f"{durable.queue}: the server gave up a message",
                detail=f"{error} (consumer {durable.name}, event {event_id})",
                fingerprint=f"dead/{fingerprint(durable.name, error)}",
            )
        ]

    async def _message(self, advisory: GivenUp) -> RawStreamMsg:
        try:
            return await self._stream.get_msg(advisory.stream, advisory.stream_seq)
        except NotFoundError:  # a terminated message leaves an interest stream; what is known of it is still kept
            return RawStreamMsg()

    @staticmethod
    def _derived(advisory: GivenUp, message: RawStreamMsg) -> str:
        if message.time is None:
            return f"{advisory.stream}:{advisory.stream_seq}"
        return derived_id(advisory.stream, advisory.stream_seq, message.time)


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
