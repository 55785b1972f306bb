"""A message of the stream LOGS as rows: whatever it holds, it must not stop those that come after it."""

import json
import math
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from nats.aio.msg import Msg

from common.events.envelope import MESSAGE_ID
from common.logs import LogRecord, record_of, searched
from common.messaging.job import derived_id
from common.telegram.utf16 import storable

LONGEST_BATCH = 200  # characters of a message's id
LONGEST_SEARCHED = 8000  # characters: a search for text looks no further


def rows_of(message: Msg) -> Iterator[tuple[Any, ...]]:
    """Yield a row per record. What is no record becomes one that says so."""
    metadata = message.metadata
    sequence, stored_at = metadata.sequence.stream, metadata.timestamp
    batch = (message.headers or {}).get(MESSAGE_ID) or derived_id(metadata.stream, sequence, stored_at)
    service = message.subject.partition(".")[2]
    for line in message.data.splitlines():
        record = record_of(_parsed(line), service=service, at=stored_at)
        yield storable(batch)[:LONGEST_BATCH], *_row(record)


def _row(record: LogRecord) -> tuple[Any, ...]:
    return (
        record.at,
        record.service,
        record.level,
        record.event,
        record.post_id,
        record.job_id,
        record.trace_id,
        json.dumps(record.fields),
        searched(record.event, record.fields)[:LONGEST_SEARCHED],
    )


def _parsed(line: bytes) -> dict[str, Any]:
    with suppress(ValueError, RecursionError):
        said = _clean(json.loads(line.decode("utf-8", "replace")))
        if isinstance(said, dict):
            return said
    return {"level": "warning", "event": f"this is no log record: {line[:200]!r}"}


def _clean(value: Any) -> Any:
    """Return a value as PostgreSQL can store it: without NUL, halves of surrogate pairs, and numbers that are none."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {storable(key): _clean(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_clean(each) for each in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
