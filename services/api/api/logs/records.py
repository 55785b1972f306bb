"""A message of the stream LOGS as rows: whatever it holds, it must not stop those that come after it."""

import json
import math
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from nats.aio.msg import Msg

from common.events.envelope import MESSAGE_ID
from common.logs import LEVELS, searched
from common.messaging.job import derived_id
from common.telegram.utf16 import storable

OWN = ("timestamp", "service", "level", "event", "post_id", "job_id", "trace_id")  # columns; all else is in `fields`
LEFT_OUT = ("span_id",)
LONGEST_KEY = 500  # characters of an id or a name
LONGEST_SEARCHED = 8000


def rows_of(message: Msg) -> Iterator[tuple[Any, ...]]:
    """Yield a row per record. What is no record becomes one that says so."""
    metadata = message.metadata
    batch = (message.headers or {}).get(MESSAGE_ID) or derived_id(
        metadata.stream, metadata.sequence.stream, metadata.timestamp
    )
    service = message.subject.partition(".")[2]
    for line in message.data.splitlines():
        yield _row(_parsed(line), storable(batch)[:LONGEST_KEY], service, metadata.timestamp)


def _parsed(line: bytes) -> dict[str, Any]:
    with suppress(ValueError, RecursionError):
        record = _clean(json.loads(line.decode("utf-8", "replace")))
        if isinstance(record, dict):
            return record
    return {"level": "warning", "event": f"this is no log record: {line[:200]!r}"}


def _row(record: dict[str, Any], batch: str, service: str, stored_at: datetime) -> tuple[Any, ...]:
    fields = {name: value for name, value in record.items() if name not in OWN and name not in LEFT_OUT}
    event = str(record.get("event") or "")
    level = record.get("level")
    post_id, job_id, trace_id = _id(record.get("post_id")), record.get("job_id"), record.get("trace_id")
    return (
        batch,
        _moment(record.get("timestamp")) or stored_at,
        str(record.get("service") or service)[:LONGEST_KEY],
        level if level in LEVELS else "info",
        event,
        post_id,
        None if job_id is None else str(job_id)[:LONGEST_KEY],
        None if trace_id is None else str(trace_id)[:LONGEST_KEY],
        json.dumps(fields),
        searched(event, fields)[:LONGEST_SEARCHED],
    )


def _moment(given: object) -> datetime | None:
    with suppress(ValueError, OverflowError):
        return datetime.fromisoformat(str(given)).astimezone(UTC)
    return None


def _id(given: object) -> UUID | None:
    with suppress(ValueError):
        return UUID(str(given))
    return None


def _clean(value: Any) -> Any:
    """Return a value as PostgreSQL can store it: without NUL, and without halves of surrogate pairs."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {storable(key): _clean(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_clean(each) for each in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
