"""How a span is written in OTLP: https://github.com/open-telemetry/opentelemetry-proto, trace/v1/trace.proto.

A plain span is put together by hand, ten times as fast as through protobuf and with the same bytes; any other one is
left to the official encoder. What a batch has around its spans is encoded once, officially.
"""

from collections.abc import Iterable
from functools import lru_cache
from struct import Struct
from typing import NamedTuple

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import INVALID_SPAN_CONTEXT, Status, StatusCode

from common.telemetry.spans import RecordedSpan

IS_REMOTE_KNOWN, IS_REMOTE = 0x100, 0x200  # SpanFlags

# Tags: a field's number and wire type. One for each field whose length or value is fixed, packed with it.
_TRACE_ID, _SPAN_ID = b"\x0a\x10", b"\x12\x08"
_STATE, _PARENT, _NAME, _KIND, _ATTRIBUTE, _STATUS = b"\x1a", b"\x22\x08", b"\x2a", b"\x30", b"\x4a", b"\x7a"
_MESSAGE, _CODE = b"\x12", b"\x18"
_FIRST, _SECOND = b"\x0a", b"\x12"  # strings and messages in a KeyValue and in a batch
_TIMES = Struct("<BQBQ").pack  # fields 7 and 8
_FLAGS = Struct("<BBI").pack  # field 16


def varint(number: int) -> bytes:
    """Return a number, from 0, as protobuf writes it where it is not of fixed length."""
    if number < 0x80:
        return bytes((number,))
    found = bytearray()
    while number >= 0x80:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    found.append(number)
    return bytes(found)


_LENGTHS = tuple(varint(number) for number in range(1024))


def sized(content: bytes) -> bytes:
    """Return content with its length before it."""
    length = len(content)
    return (_LENGTHS[length] if length < 1024 else varint(length)) + content


@lru_cache(maxsize=1024)
def text(value: str) -> bytes:
    """Return a text with its length before it; half of a surrogate pair becomes a question mark."""
    return sized(value.encode(errors="replace"))


@lru_cache(maxsize=1024)
def attribute(key: str, value: str) -> bytes:
    """Return an attribute of a span."""
    return _ATTRIBUTE + sized(_FIRST + text(key) + _SECOND + sized(_FIRST + sized(value.encode(errors="replace"))))


def is_plain(span: RecordedSpan) -> bool:
    """Whether it has attributes of text only, no events, no links."""
    return not span.events and not span.links and {*map(type, span.attributes.values())} <= {str}


def encode(span: RecordedSpan, resource: Resource, scope: InstrumentationScope) -> bytes:
    """Return an ended span, as the message Span."""
    if not is_plain(span):
        return encode_officially(span, resource, scope)
    trace_id, span_id, _, _, state, _ = span.context
    parent, code = span.parent, span.status_code
    assert span.end_time
    parts = [
        _TRACE_ID, trace_id.to_bytes(16, "big"),
        _SPAN_ID, span_id.to_bytes(8, "big"),
        _STATE + text(state.to_header()) if state else b"",
        _PARENT + parent.span_id.to_bytes(8, "big") if parent else b"",
        _NAME + text(span.name) if span.name else b"",
        _KIND, _LENGTHS[span.kind.value + 1],
        _TIMES(0x39, span.start_time, 0x41, span.end_time),
        *[attribute(key, value) for key, value in span.attributes.items()],
        _STATUS, b"\x00" if code is StatusCode.UNSET else _status(code, span.description),
        _FLAGS(0x85, 0x01, IS_REMOTE_KNOWN | IS_REMOTE if parent and parent.is_remote else IS_REMOTE_KNOWN),
    ]  # fmt: skip
    return b"".join(parts)


def _status(code: StatusCode, description: str | None) -> bytes:
    message = _MESSAGE + sized(description.encode(errors="replace")) if description else b""
    return sized(message + _CODE + _LENGTHS[code.value])


class Envelope(NamedTuple):
    """What a batch has around its spans: whose they are."""

    resource: bytes
    scope: bytes

    @classmethod
    def of(cls, resource: Resource, scope: InstrumentationScope) -> "Envelope":
        """Encode it, once."""
        [found] = encode_spans(
            [ReadableSpan("", INVALID_SPAN_CONTEXT, resource=resource, instrumentation_scope=scope)]
        ).resource_spans
        return cls(
            _FIRST + sized(found.resource.SerializeToString()),
            _FIRST + sized(found.scope_spans[0].scope.SerializeToString()),
        )

    def around(self, spans: Iterable[bytes]) -> bytes:
        """Return the message ExportTraceServiceRequest of a batch."""
        parts = [self.scope]
        for span in spans:
            parts += _SECOND, varint(len(span)), span
        return _FIRST + sized(self.resource + _SECOND + sized(b"".join(parts)))


def encode_officially(span: RecordedSpan, resource: Resource, scope: InstrumentationScope) -> bytes:
    """Return an ended span by way of the SDK."""
    [found] = encode_spans([as_readable(span, resource, scope)]).resource_spans[0].scope_spans[0].spans
    return bytes(found.SerializeToString())


def as_readable(span: RecordedSpan, resource: Resource, scope: InstrumentationScope) -> ReadableSpan:
    """Return a span as the SDK has it."""
    return ReadableSpan(
        span.name,
        span.context,
        span.parent,
        resource,
        span.attributes,
        span.events,
        span.links,
        span.kind,
        status=Status(span.status_code, span.description),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=scope,
    )
