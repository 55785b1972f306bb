"""Shipping: serious records, and one for each job that ended, go to the stream LOGS, and never hold up the work."""

import asyncio
import json
import logging
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, NamedTuple, Protocol
from uuid import UUID, uuid4

from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from pydantic_core import PydanticSerializationError, to_json
from structlog.typing import EventDict

from common.telemetry.logs import About, Redact, json_lines

log = logging.getLogger(__name__)

SUBJECT = "logs.{}"
MESSAGE_ID = "Nats-Msg-Id"
JOB_ENDED = "job ended"  # the event of a job's record

ROOM = 10_000  # records that may wait: a few MB
ROOM_FOR_JOBS = 8_000  # the rest is for what is serious
BATCH_RECORDS, BATCH_BYTES = 200, 512 * 2**10  # NATS takes messages of 1 MiB
LONGEST_TEXT = 16 * 2**10  # characters of any one value, such as a traceback
LONGEST_LINE = 64 * 2**10  # bytes; of a longer record only what every record has is kept
ALWAYS = ("timestamp", "level", "service", "event", "job_id", "post_id", "trace_id", "request_id")
EVERY_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 10.0
ANSWER_SECONDS = 5.0


class EndedJob(About, Protocol):
    """A job that ended."""

    @property
    def queue(self) -> Any:
        """Its queue."""

    @property
    def trace_id(self) -> str | None:
        """Its trace."""

    @property
    def status(self) -> str:
        """How it ended."""

    @property
    def attempt(self) -> int:
        """Which claim this was."""

    @property
    def error(self) -> str | None:
        """Why it did not succeed."""

    @property
    def seconds(self) -> float:
        """Since its first claim."""


class JobRecord(NamedTuple):
    """What is kept of a job until its record is rendered, so that this costs the job next to nothing."""

    at: float
    key: tuple[str, str]
    queue: str
    post_id: UUID | None
    trace_id: str | None
    status: str
    attempt: int
    seconds: float
    error: str | None

    def event(self, service: str, redact: Redact) -> EventDict:
        """Return it as a record of the logs."""
        record = {
            "timestamp": datetime.fromtimestamp(self.at, UTC),
            "level": "error" if self.status == "failed" else "info",
            "service": service,
            "event": JOB_ENDED,
            "queue": self.queue,
            "consumer": self.key[0],
            "job_id": "/".join(self.key),
            "post_id": self.post_id,
            "trace_id": self.trace_id,
            "status": self.status,
            "attempt": self.attempt,
            "seconds": round(self.seconds, 3),
        }
        return record | {"error": redact.clean(self.error)} if self.error else record


class Shipping:
    """What a service ships. A record waits here for half a second, or until the stream takes messages again.

    What there is no room for is dropped, counted, and told of in a record of its own. What waits when the process is
    killed is lost: these are logs, not the ledger.
    """

    def __init__(self, service: str, stream: JetStreamContext, *, room: int = ROOM) -> None:
        self._service = service
        self._stream = stream
        self._room, self._room_for_jobs = room, room * ROOM_FOR_JOBS // ROOM
        self._waiting: deque[EventDict | JobRecord] = deque()  # any thread may append
        self._batch: tuple[str, bytes] | None = None  # rendered and not taken yet: its id, and its lines
        self._dropped = 0

    @contextmanager
    def tapped(self) -> Iterator[None]:
        """Take the serious records of this service from the logs of the process, for a block."""
        output = json_lines()
        if output is None:
            yield
            return
        with output.tapped(self._service, self.record):
            yield

    def record(self, event: EventDict) -> None:
        """Take a record of the logs. Its secrets are redacted already."""
        self._take(event, self._room)

    def job_ended(self, job: EndedJob) -> None:
        """Take the record of a job."""
        record = JobRecord(
            time.time(),
            job.key,
            job.queue.durable.queue,
            job.post_id,
            job.trace_id,
            job.status,
            job.attempt,
            job.seconds,
            job.error,
        )
        self._take(record, self._room_for_jobs)

    async def run(self) -> None:
        """Ship for ever."""
        pause = EVERY_SECONDS
        while True:
            await asyncio.sleep(pause)
            try:
                await self.ship()
                pause = EVERY_SECONDS
            except Exception as error:  # whatever it is, the service goes on, and this is tried again
                if pause == EVERY_SECONDS:
                    log.warning("log records wait, as they can't be shipped: %r", error)
                pause = min(LONGEST_PAUSE_SECONDS, pause * 2)

    async def drain(self, seconds: float) -> None:
        """Ship what waits at the end, for up to so long."""
        try:
            async with asyncio.timeout(seconds):
                await self.ship()
        except (NatsError, OSError, TimeoutError) as error:
            log.debug("%d log records were not shipped: %r", len(self._waiting), error)

    async def ship(self) -> None:
        """Ship what waits now. Raises what NATS raises; what was not taken then is shipped the next time."""
        left = len(self._waiting)
        while self._batch or left > 0 or self._dropped:
            if self._batch is None:
                before = len(self._waiting)
                self._batch = (uuid4().hex, b"\n".join(self._render()))
                left -= before - len(self._waiting)
            identity, lines = self._batch
            headers = {MESSAGE_ID: identity}  # where only the answer was lost it is not stored twice
            await self._stream.publish(SUBJECT.format(self._service), lines, timeout=ANSWER_SECONDS, headers=headers)
            self._batch = None

    def _take(self, record: EventDict | JobRecord, room: int) -> None:
        if len(self._waiting) < room:
            self._waiting.append(record)
        else:
            self._dropped += 1

    def _render(self) -> list[bytes]:
        """Take the next batch, as lines of JSON; those of jobs are also written where all logs go."""
        output = json_lines()
        redact = output.redact if output else Redact(())
        lines: list[bytes] = []
        jobs: list[bytes] = []
        size = 0
        while self._waiting and len(lines) < BATCH_RECORDS and size < BATCH_BYTES:
            record = self._waiting.popleft()
            if isinstance(record, JobRecord):
                jobs.append(line(record.event(self._service, redact)))
                lines.append(jobs[-1])
            else:
                lines.append(line(record))
            size += len(lines[-1])
        if self._dropped:
            dropped, self._dropped = self._dropped, 0
            lines.append(line(self._lost(dropped)))
        if jobs and output and logging.getLogger().isEnabledFor(logging.INFO):
            output.write(jobs)
        return lines

    def _lost(self, count: int) -> EventDict:
        return {
            "timestamp": datetime.now(UTC),
            "level": "warning",
            "service": self._service,
            "event": f"{count} records were dropped: more came than could be shipped",
            "dropped": count,
        }


def line(record: EventDict) -> bytes:
    """Return a record as a line of JSON: long texts are cut, None is left out, what JSON does not know becomes text."""
    short = {
        key: value[:LONGEST_TEXT] if isinstance(value, str) else value
        for key, value in record.items()
        if value is not None
    }
    try:
        found = to_json(short, fallback=str)
    except (PydanticSerializationError, ValueError):  # half of a surrogate pair, bytes that are no UTF-8
        found = json.dumps(short, default=str).encode()
    if len(found) <= LONGEST_LINE:
        return found
    return line({key: str(short[key])[:1000] for key in ALWAYS if key in short} | {"cut": len(found)})
