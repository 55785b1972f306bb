"""The dead letters as an operator works with them: read, replay, discard."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from nats.errors import TimeoutError as NatsTimeoutError
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig
from nats.js.errors import NotFoundError, ServerError

from common.events.envelope import ID, MESSAGE_ID, POST
from common.messaging import dead_letters as names
from common.messaging.ledger import Ledger

PAGE = 500
PATIENCE_SECONDS = 5.0


class NoSuchLetter(Exception):
    """There is no dead letter with this number."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One dead letter. `number` is its place in the dead-letter stream, and how an operator names it."""

    number: int
    died_at: datetime
    subject: str
    consumer: str
    event_id: str
    post_id: str | None
    attempts: int
    error_class: str
    error: str
    fingerprint: str
    headers: dict[str, str]
    payload: bytes

    def to_json(self) -> dict[str, Any]:
        """Return everything as JSON values; a payload that is not UTF-8 has its bytes escaped."""
        return {
            "number": self.number,
            "died_at": self.died_at.isoformat(),
            "subject": self.subject,
            "consumer": self.consumer,
            "event_id": self.event_id,
            "post_id": self.post_id,
            "attempts": self.attempts,
            "error_class": self.error_class,
            "error": self.error,
            "fingerprint": self.fingerprint,
            "headers": self.headers,
            "payload": self.payload.decode(errors="backslashreplace"),
        }


class DeadLetters:
    """The dead-letter stream."""

    def __init__(self, stream: JetStreamContext, ledger: Ledger) -> None:
        self._stream = stream
        self._ledger = ledger

    async def letters(
        self, *, consumer: str | None = None, fingerprint: str | None = None
    ) -> AsyncIterator[DeadLetter]:
        """Yield the letters, oldest first: all, those of one consumer, or those with one fingerprint."""
        last = (await self._stream.stream_info(names.STREAM)).state.last_seq
        subject = f"dlq.*.{consumer}" if consumer else "dlq.>"
        reader = await self._stream.pull_subscribe(
            subject, stream=names.STREAM, config=ConsumerConfig(ack_policy=AckPolicy.NONE, inactive_threshold=60.0)
        )
        try:
            pending = (await reader.consumer_info()).num_pending or 0
            while pending > 0:
                messages = await reader.fetch(min(PAGE, pending), timeout=PATIENCE_SECONDS)
                pending -= len(messages)
                for message in messages:
                    metadata = message.metadata
                    if metadata.sequence.stream > last:  # died since we began
                        return
                    letter = _letter(
                        metadata.sequence.stream,
                        metadata.timestamp,
                        message.headers or {},
                        message.data,
                        message.subject,
                    )
                    if fingerprint in (None, letter.fingerprint):
                        yield letter
        except NatsTimeoutError:  # discarded by somebody else meanwhile
            return
        finally:
            await reader.unsubscribe()

    async def get(self, number: int) -> DeadLetter:
        """Return one letter. Raises NoSuchLetter."""
        try:
            message = await self._stream.get_msg(names.STREAM, number)
        except NotFoundError:
            raise NoSuchLetter(f"there is no dead letter {number}; `postroom dead list` shows all") from None
        assert message.time
        return _letter(number, message.time, message.headers or {}, message.data or b"", message.subject or "")

    async def replay(self, letter: DeadLetter, payload: bytes | None = None) -> None:
        """Send a letter back to the consumer that failed, with another payload where one is given.

        Its id stays, so the inboxes of consumers that did not fail drop it; it takes a fresh `Nats-Msg-Id`, because the
        duplicate window would drop the old one. A replay that is interrupted may be repeated: its id is made of the
        letter's number. With another payload it forgets which post it was about: the payload says so itself.
        """
        await self._ledger.reset(letter.consumer, letter.event_id)
        headers = {name: value for name, value in letter.headers.items() if not name.startswith(("dl-", "Nats-"))}
        headers |= {ID: letter.event_id, MESSAGE_ID: f"replay:{letter.number}"}
        if payload is not None:
            headers.pop(POST, None)
        await self._stream.publish(
            letter.subject, letter.payload if payload is None else payload, headers=headers, timeout=PATIENCE_SECONDS
        )
        await self._delete(letter)

    async def discard(self, letter: DeadLetter) -> None:
        """Delete a letter for good. Its job ends as cancelled, with the reason; an interrupted one may be repeated."""
        await self._ledger.call_off(letter.consumer, letter.event_id)
        await self._delete(letter)

    async def _delete(self, letter: DeadLetter) -> None:
        try:
            await self._stream.delete_msg(names.STREAM, letter.number)
        except ServerError:  # it says so too where somebody else was faster
            with contextlib.suppress(NotFoundError):
                await self._stream.get_msg(names.STREAM, letter.number)
                raise


def _letter(number: int, died_at: datetime, headers: dict[str, str], payload: bytes, subject: str) -> DeadLetter:
    return DeadLetter(
        number=number,
        died_at=died_at,
        subject=headers.get(names.SUBJECT, subject),
        consumer=headers.get(names.CONSUMER, subject.rpartition(".")[2]),
        event_id=headers.get(ID, ""),
        post_id=headers.get(POST),
        attempts=int(headers.get(names.ATTEMPTS, "0")),
        error_class=headers.get(names.ERROR_CLASS, ""),
        error=headers.get(names.ERROR, ""),
        fingerprint=headers.get(names.FINGERPRINT, ""),
        headers=headers,
        payload=payload,
    )
