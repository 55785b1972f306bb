"""Dead letters: what could not be worked on, kept with all that is needed to understand and replay it."""

import hashlib
import re
from collections.abc import Mapping

from common.contracts import Durable
from common.events import Emitted
from common.events.envelope import ID, MESSAGE_ID

STREAM = "DEADLETTER"
CONSUMER, SUBJECT, ORIGIN, SEQUENCE = "dl-consumer", "dl-subject", "dl-stream", "dl-sequence"
ATTEMPTS, ERROR_CLASS, ERROR, FINGERPRINT = "dl-attempts", "dl-error-class", "dl-error", "dl-fingerprint"
# What differs between two occurrences of one error: addresses, names and mail addresses, quoted values, ids, numbers.
VARIABLE = re.compile(
    r"""[a-z][a-z0-9+.-]*://\S+|[\w.+-]*@[\w.-]+|'[^']*'|"[^"]*"|0x[0-9a-f]+|[0-9a-f]{8}-[0-9a-f-]{27}|\d+""",
    re.IGNORECASE,
)


def dead_letter(
    durable: Durable,
    *,
    sequence: int,
    subject: str,
    event_id: str,
    headers: Mapping[str, str],
    payload: bytes,
    attempts: int,
    error_class: str,
    error: str,
    emitted_by: str | None = None,
    cause_id: str | None = None,
) -> Emitted:
    """Return the outbox row that carries a message to the dead letters.

    Its `Nats-Msg-Id` is made of stream, consumer and sequence, so that a message which two paths give up (a handler and
    the server's max-deliver advisory) arrives once. Headers of the NATS server are left out: a stale
    `Nats-Expected-Stream` would be obeyed.
    """
    kept = {name: value for name, value in headers.items() if not name.startswith("Nats-")}
    message_id = f"dlq:{durable.stream}:{durable.name}:{sequence}"
    kept |= {
        MESSAGE_ID: message_id,
        ID: event_id,
        ORIGIN: durable.stream,
        CONSUMER: durable.name,
        SEQUENCE: str(sequence),
        SUBJECT: subject,
        ATTEMPTS: str(attempts),
        ERROR_CLASS: error_class,
        ERROR: one_line(error),
        FINGERPRINT: fingerprint(durable.name, error),
    }
    return Emitted(
        message_id,
        emitted_by or durable.name,
        cause_id or event_id,
        f"dlq.{durable.stream}.{durable.name}",
        kept,
        payload,
    )


def fingerprint(consumer: str, error: str) -> str:
    """Return what the occurrences of one error have in common, as 12 hex digits."""
    return hashlib.sha256(f"{consumer}/{VARIABLE.sub('#', error)}".encode()).hexdigest()[:12]


def one_line(text: str) -> str:
    """Return text that fits into a header: a line break would end it (RFC 9112, section 5)."""
    return " ".join(text.split())
