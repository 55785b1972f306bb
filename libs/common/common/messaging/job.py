"""One message under way, as the handler sees it and as delivery settles it."""

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from nats.aio.msg import Msg
from opentelemetry import trace
from pydantic import ValidationError

from common.events import Emitted, Event, NotifyRequested, derive, emitted
from common.events.envelope import ID, MESSAGE_ID, POST
from common.messaging.dead_letters import Dead, fingerprint, keep, one_line
from common.messaging.queue import Queue
from common.telemetry.propagation import trace_headers

Status = Literal["queued", "in_progress", "succeeded", "failed", "cancelled"]
Outcome = Literal["failed", "retry", "skipped", "drained"]
ERROR_LENGTH = 1000  # characters kept of an error's text


@dataclass(slots=True, eq=False)
class Job:
    """A claimed message. A handler reads it, adds `write`s and returns the events it emits; delivery does the rest."""

    queue: Queue
    message: Msg
    event_id: str
    post_id: UUID | None = None
    trace_id: str | None = None  # 32 hex digits: the message's own trace, or the one that begins here
    tracer: trace.Tracer = field(default_factory=trace.NoOpTracer, repr=False)
    attempt: int = 0  # which claim this is: fences out a holder that was given up
    counted: int = 0  # attempts that failed or are under way; a Retry is excused
    crashes: int = 0  # attempts whose holder died
    age: float = 0.0  # seconds from the first claim to this one
    waited: float = 0.0  # those of them that count against the deadline
    bounded: bool = True  # whether the wait does by which this run ended
    taken: float = 0.0  # when this run began, on the monotonic clock
    status: Status = "in_progress"
    error: str | None = None
    error_class: str | None = None
    outcome: Outcome | None = None  # of this run; None where it succeeded
    excused: int = 0
    delay: float | None = None  # seconds until the message is to come back
    writes: list[tuple[str, tuple[Any, ...]]] = field(default_factory=list)
    emits: list[Emitted] = field(default_factory=list)
    # Constraints whose violation says that what was read has changed since: then the job is repeated, as no attempt.
    outdated_by: set[str] = field(default_factory=set)

    @property
    def key(self) -> tuple[str, str]:
        """What the ledger knows it by: consumer and event id."""
        return self.queue.durable.name, self.event_id

    @property
    def seconds(self) -> float:
        """Seconds from the first claim until now."""
        return self.age + time.monotonic() - self.taken

    @property
    def headers(self) -> Mapping[str, str]:
        """The message's headers, or none."""
        return self.message.headers or {}

    @property
    def last_attempt(self) -> bool:
        """Whether a failure now would end the job."""
        return self.counted >= self.queue.settings.max_attempts

    def write(self, statement: str, *row: Any) -> None:
        """Add a row to a statement that takes its columns as arrays (`… FROM unnest($1::…[], …)`).

        It is committed with the job's result, together with the rows of other jobs.
        """
        self.writes.append((statement, row))

    def emit(self, events: Iterable[Event], *, run: int | None = None) -> None:
        """Add events to the outbox. The same job always gives the same ids, whatever run of it this is.

        What is told of one run only, such as its failure, takes the number of that run into its ids, and what is told
        once for all runs the number 0.
        """
        ordinals: Counter[str] = Counter()
        consumer = self.queue.durable.name
        scope = (self.event_id, consumer) if run is None else (self.event_id, consumer, "run", run)
        for event in events:
            name = event.wire_name()
            event_id = str(event.identity() or derive(*scope, name, ordinals[name]))
            ordinals[name] += 1
            self.emits.append(
                emitted(
                    event,
                    event_id=event_id,
                    consumer=consumer,
                    cause_id=self.event_id,
                    trace=trace_headers(event, self.tracer),
                )
            )

    def finish(
        self, status: Status, error: BaseException | None = None, *, delay: float | None = None, excused: int = 0
    ) -> None:
        """Set how this run ended. Only a success keeps its writes and events."""
        self.status, self.delay, self.excused = status, delay, excused
        self.error = None if error is None else describe(error)
        self.error_class = None if error is None else type(error).__name__
        self.outcome = self._outcome()
        if status != "succeeded":
            self.writes.clear()
            self.emits.clear()

    def _outcome(self) -> Outcome | None:
        match self.status:
            case "succeeded":
                return None
            case "cancelled":
                return "skipped"
            case "queued" if self.excused:
                return "retry" if self.error else "drained"
            case _:
                return "failed"

    def bury(self, error: BaseException) -> None:
        """End the job as failed, and put its message into the outbox for the dead-letter stream, with a notice."""
        self.finish("failed", error)
        self.emit([*notices(self, error)], run=self.attempt)
        dead = Dead(
            self.queue.durable,
            sequence=self.message.metadata.sequence.stream,
            subject=self.message.subject,
            event_id=self.event_id,
            post_id=self.post_id,
            headers=self.headers,
            payload=self.message.data,
            attempts=self.counted,
            error_class=type(error).__name__,
            error=self.error or "",
        )
        self.write(keep(), *dead.row())
        self.emits.append(dead.letter())


def notices(job: Job, error: BaseException) -> Iterator[NotifyRequested]:
    """Yield what people are told of a dead letter: nothing where the message is such a notice itself."""
    if job.message.subject != NotifyRequested.subject:
        yield NotifyRequested(
            kind="delivery.dead_letter",
            severity="error",
            title=f"{job.queue.durable.queue}: {one_line(said(error)) or type(error).__name__}"[:200],
            detail=f"{job.error} (consumer {job.queue.durable.name}, event {job.event_id})",
            fingerprint=f"dead/{fingerprint(job.queue.durable.name, job.error or '')}",
            post_id=job.post_id,
        )


def describe(error: BaseException) -> str:
    """Return the class and the text of an error, shortened."""
    return f"{type(error).__name__}: {said(error)}"[:ERROR_LENGTH]


def said(error: BaseException) -> str:
    """Return the text of an error; of a payload that does not validate, each field with what is wrong about it."""
    if not isinstance(error, ValidationError):
        return str(error)
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    return "; ".join(
        ": ".join(filter(None, (".".join(map(str, each["loc"])), each["msg"].removeprefix("Value error, "))))
        for each in problems
    )


def event_id_of(message: Msg) -> str:
    """Return the id of a message: its own, or one derived from where it lies, for a message typed by a person.

    The time of storage is part of it, because a stream that was deleted and made again counts from one.
    """
    headers = message.headers or {}
    if found := headers.get(ID) or headers.get(MESSAGE_ID):
        return found
    metadata = message.metadata
    return derived_id(metadata.stream, metadata.sequence.stream, metadata.timestamp)


def derived_id(stream: str, sequence: int, stored_at: datetime) -> str:
    """Return the id of a message that brought none. In whole seconds: clients round the fraction differently."""
    return str(derive(stream, sequence, int(stored_at.timestamp())))


def post_of(message: Msg) -> UUID | None:
    """Return the post that the headers name, if they name one."""
    try:
        return UUID((message.headers or {})[POST])
    except (KeyError, ValueError):
        return None
