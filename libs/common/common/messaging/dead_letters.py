"""Dead letters: what could not be worked on, kept with all that is needed to understand and replay it."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from common.contracts import Durable
from common.events import Emitted
from common.events.envelope import ID, MESSAGE_ID
from common.postgres import Queries

STREAM = "DEADLETTER"
CONSUMER, SUBJECT, ORIGIN, SEQUENCE = "dl-consumer", "dl-subject", "dl-stream", "dl-sequence"
ATTEMPTS, ERROR_CLASS, ERROR, FINGERPRINT = "dl-attempts", "dl-error-class", "dl-error", "dl-fingerprint"
# What differs between two occurrences of one error: addresses, names and mail addresses, quoted values, ids, numbers.
VARIABLE = re.compile(
    r"""[a-z][a-z0-9+.-]*://\S+|[\w.+-]*@[\w.-]+|'[^']*'|"[^"]*"|0x[0-9a-f]+|[0-9a-f]{8}-[0-9a-f-]{27}|\d+""",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Dead:
    """A message that is given up. It becomes a letter in the stream, and a row that lists and groups are made of."""

    durable: Durable
    sequence: int  # of the message in its stream
    subject: str
    event_id: str
    post_id: UUID | None
    headers: Mapping[str, str]
    payload: bytes
    attempts: int
    error_class: str
    error: str

    def row(self) -> tuple[object, ...]:
        """Return its row for the statement `keep`."""
        return (
            self.durable.name,
            self.event_id,
            self.durable.queue,
            self.durable.stream,
            self.sequence,
            self.subject,
            self.post_id,
            self.attempts,
            self.error_class,
            one_line(self.error),
            fingerprint(self.durable.name, self.error),
        )

    def letter(self, *, emitted_by: str | None = None, cause_id: str | None = None) -> Emitted:
        """Return the outbox row that carries it to the dead letters.

        Its `Nats-Msg-Id` is made of stream, consumer and sequence, so that a message which two paths give up (a handler
        and the server's max-deliver advisory) arrives once. Headers of the NATS server are left out: a stale
        `Nats-Expected-Stream` would be obeyed.
        """
        kept = {name: value for name, value in self.headers.items() if not name.startswith("Nats-")}
        message_id = f"dlq:{self.durable.stream}:{self.durable.name}:{self.sequence}"
        kept |= {
            MESSAGE_ID: message_id,
            ID: self.event_id,
            ORIGIN: self.durable.stream,
            CONSUMER: self.durable.name,
            SEQUENCE: str(self.sequence),
            SUBJECT: self.subject,
            ATTEMPTS: str(self.attempts),
            ERROR_CLASS: self.error_class,
            ERROR: one_line(self.error),
            FINGERPRINT: fingerprint(self.durable.name, self.error),
        }
        return Emitted(
            message_id,
            emitted_by or self.durable.name,
            cause_id or self.event_id,
            place(self.durable.stream, self.durable.name, self.sequence),
            kept,
            self.payload,
        )


def place(stream: str, consumer: str, sequence: int) -> str:
    """Return the subject of a letter: no other letter has it, so that it is found without a search."""
    return f"dlq.{stream}.{consumer}.{sequence}"


def keep() -> str:
    """Return the statement that notes dead letters; for `Job.write`."""
    return statements()["keep"]


def statements() -> Queries:
    """Return the statements about dead letters."""
    return Queries.load(__package__, "dead_letters.sql")


def fingerprint(consumer: str, error: str) -> str:
    """Return what the occurrences of one error have in common, as 12 hex digits."""
    return hashlib.sha256(f"{consumer}/{VARIABLE.sub('#', error)}".encode()).hexdigest()[:12]


def one_line(text: str) -> str:
    """Return text that fits into a header: a line break would end it (RFC 9112, section 5)."""
    return " ".join(text.split())
