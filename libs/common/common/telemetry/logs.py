"""Logs: JSON lines on stdout, with the ids of trace, job and post, and with secrets redacted."""

import logging
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from contextvars import ContextVar
from typing import Any, Protocol
from uuid import UUID

import structlog
from opentelemetry import trace
from structlog.contextvars import bound_contextvars
from structlog.typing import EventDict, Processor, WrappedLogger

# What looks like a secret wherever it stands: passwords in URLs, bot tokens, API keys, tokens and webhook secrets of
# our own, string sessions of Telethon.
PATTERNS = re.compile(
    r"(?<=://)(?P<user>[^/@:\s]*):[^/@\s]+(?=@)|\b\d{6,12}:[A-Za-z0-9_-]{30,}\b|\bsk-[A-Za-z0-9_-]{12,}\b"
    r"|\bprt_[A-Za-z0-9_-]{20,}|\bwhsec_[A-Za-z0-9+/=]{20,}|\b1[A-Za-z0-9_-]{300,}=*"
)
REDACTED = "[redacted]"
NOISY = ("uvicorn", "httpx", "httpx2", "httpcore", "openai", "telethon", "faststream", "nats")
SERIOUS = ("warning", "error", "critical")


class About(Protocol):
    """What a record can be about: a job."""

    @property
    def key(self) -> tuple[str, str]:
        """Consumer and event id."""

    @property
    def post_id(self) -> UUID | None:
        """The post that it works on, once it is known."""


# Whose records these are, and of which job. Both are read at the time of a record, as a job may learn its post late.
SERVICE: ContextVar[str] = ContextVar("service")
JOB: ContextVar[About] = ContextVar("job")

Tap = Callable[[EventDict], None]


class Redact:
    """A processor that takes known secrets, and what looks like one, out of everything that is logged."""

    def __init__(self, secrets: Iterable[str]) -> None:
        known = sorted((re.escape(secret) for secret in secrets if len(secret) >= 6), key=len, reverse=True)
        self._known = re.compile("|".join(known)) if known else None

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        return {key: self.clean(value) for key, value in event.items()}

    def clean(self, value: Any) -> Any:
        """Return a value without secrets: text and what contains text; other values stay as they are."""
        if isinstance(value, str):
            value = self._known.sub(REDACTED, value) if self._known else value
            return PATTERNS.sub(
                lambda found: f"{found['user']}:{REDACTED}" if found["user"] is not None else REDACTED, value
            )
        if isinstance(value, dict):
            return {key: self.clean(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.clean(item) for item in value]
        return value


class JsonLines(logging.StreamHandler[Any]):
    """Writes records as JSON lines, and hands those that are serious to the service that they are of."""

    def __init__(self, redact: Redact) -> None:
        super().__init__(sys.stdout)
        self.redact = redact
        self._taps: list[tuple[str, Tap]] = []

    @contextmanager
    def tapped(self, service: str, tap: Tap) -> Iterator[None]:
        """Hand over the serious records of a service, for a block; the first one gets also those of no service."""
        self._taps.append((service, tap))
        try:
            yield
        finally:
            self._taps.remove((service, tap))

    def tell(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        """Hand a record over where it is serious; a processor."""
        if event["level"] in SERIOUS and self._taps:
            taps = dict(reversed(self._taps))
            taps.get(event["service"], self._taps[0][1])(event)
        return event

    def write(self, lines: Iterable[bytes]) -> None:
        """Write lines of JSON that are no record of logging; as with these, what can't be written is let go."""
        with suppress(OSError, ValueError), self.lock or nullcontext():
            self.stream.write(b"".join(line + b"\n" for line in lines).decode())
            self.flush()


def configure_logs(service: str, *, level: str, secrets: Iterable[str]) -> None:
    """Send all logs of this process, also those of libraries, to stdout as JSON lines.

    `service` is whose records these are where no service that runs in the process is known to have made them.
    """

    def add_service(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event.setdefault("service", SERVICE.get(service))
        return event

    handler = JsonLines(Redact(secrets))
    processors: list[Processor] = [
        structlog.contextvars.merge_contextvars,  # what a request or a task binds, such as the request id
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        add_service,
        add_job,
        add_trace,
        structlog.processors.format_exc_info,
        handler.redact,
    ]
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=processors,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                handler.tell,
                structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)


def json_lines() -> JsonLines | None:
    """Return where the logs of this process are written; None where `configure_logs` was not called, as in tests."""
    return next((each for each in logging.getLogger().handlers if isinstance(each, JsonLines)), None)


@contextmanager
def logged_about(post_id: UUID | None, traceparent: str | None) -> Iterator[None]:
    """Say in each record of a block which post and which stored trace it is about: for work that is no job."""
    known = {"post_id": str(post_id or ""), "trace_id": (traceparent or "")[3:35]}
    with bound_contextvars(**{name: value for name, value in known.items() if value}):
        yield


def add_job(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Add which job this is about, and which post, where a handler is at work."""
    if job := JOB.get(None):
        event.setdefault("job_id", "/".join(job.key))
        if job.post_id:
            event.setdefault("post_id", str(job.post_id))
    return event


def add_trace(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Add the ids of the current span, where there is one."""
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event["trace_id"] = f"{context.trace_id:032x}"
        event["span_id"] = f"{context.span_id:016x}"
    return event
