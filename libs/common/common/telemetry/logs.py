"""Logs: JSON lines on stdout, with trace ids, and with secrets redacted."""

import logging
import re
import sys
from collections.abc import Iterable
from typing import Any

import structlog
from opentelemetry import trace
from structlog.typing import EventDict, Processor, WrappedLogger

# What looks like a secret wherever it stands: passwords in URLs, bot tokens, API keys, tokens and webhook secrets of
# our own, string sessions of Telethon.
PATTERNS = re.compile(
    r"(?<=://)(?P<user>[^/@:\s]*):[^/@\s]+(?=@)|\b\d{6,12}:[A-Za-z0-9_-]{30,}\b|\bsk-[A-Za-z0-9_-]{12,}\b"
    r"|\bprt_[A-Za-z0-9_-]{20,}|\bwhsec_[A-Za-z0-9+/=]{20,}|\b1[A-Za-z0-9_-]{300,}=*"
)
REDACTED = "[redacted]"
NOISY = ("uvicorn", "httpx", "httpx2", "httpcore", "openai", "telethon", "faststream", "nats")


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


def _without_secret(found: re.Match[str]) -> str:
    return REDACTED if found["user"] is None else f"{found['user']}:{REDACTED}"


def configure_logs(service: str, *, level: str, secrets: Iterable[str]) -> None:
    """Send all logs of this process, also those of libraries, to stdout as JSON lines.

    In a process with several services the first one's name stands for all.
    """

    def add_service(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event.setdefault("service", service)
        return event

    processors: list[Processor] = [
        structlog.contextvars.merge_contextvars,  # what a request or a job binds, such as the request id
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        add_service,
        add_trace,
        structlog.processors.format_exc_info,
        Redact(secrets),
    ]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=processors,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
        ],
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)


def add_trace(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Add the ids of the current span, where there is one."""
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event["trace_id"] = f"{context.trace_id:032x}"
        event["span_id"] = f"{context.span_id:016x}"
    return event
