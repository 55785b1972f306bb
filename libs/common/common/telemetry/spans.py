"""Spans of our own: what the API of OpenTelemetry asks for, and nothing that is paid for with every message.

A span of the SDK costs 14 µs, and its encoding 22: at 160 µs for a whole hop that is the most expensive part of being
watched. It locks every attribute, carries bounded lists and lives on, with a dozen objects, until a thread has built
and serialised a protobuf message for each of them. These spans become a few hundred bytes as they end (`encoding`), and
a plain one, which has only text as attributes, no events and no links, never meets protobuf. Every span is recorded.
"""

import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from random import getrandbits

from opentelemetry import context as contexts
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import Event
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags
from opentelemetry.util._decorator import _agnosticcontextmanager
from opentelemetry.util.types import Attributes, AttributeValue

SAMPLED = TraceFlags(TraceFlags.SAMPLED | TraceFlags.RANDOM_TRACE_ID)


class RecordedSpan(trace.Span):
    """A span that is recorded. It belongs to one task; nothing here is locked."""

    def __init__(
        self,
        name: str,
        context: SpanContext,
        parent: SpanContext | None,
        kind: SpanKind,
        attributes: Attributes,
        links: Sequence[Link],
        start_time: int | None,
        ended: Callable[["RecordedSpan"], None],
    ) -> None:
        self.name = name
        self.context = context
        self.parent = parent
        self.kind = kind
        self.links = links
        self.ended = ended
        self.attributes: dict[str, AttributeValue] = dict(attributes) if attributes else {}
        self.events: list[Event] | tuple[()] = ()
        self.status_code = StatusCode.UNSET
        self.description: str | None = None
        self.end_time: int | None = None
        self.start_time = start_time or time.time_ns()

    def get_span_context(self) -> SpanContext:
        """Return what identifies it."""
        return self.context

    def is_recording(self) -> bool:
        """Whether it has not ended."""
        return self.end_time is None

    def set_attribute(self, key: str, value: AttributeValue) -> None:
        """Set one."""
        self.attributes[key] = value

    def set_attributes(self, attributes: Mapping[str, AttributeValue]) -> None:
        """Set several."""
        self.attributes.update(attributes)

    def update_name(self, name: str) -> None:
        """Rename it."""
        self.name = name

    def add_link(self, context: SpanContext, attributes: Attributes = None) -> None:
        """Link it to another span."""
        self.links = [*self.links, Link(context, attributes)]

    def add_event(self, name: str, attributes: Attributes = None, timestamp: int | None = None) -> None:
        """Note that something happened, now or at a time in nanoseconds since the epoch."""
        self.events = [*self.events, Event(name, attributes, timestamp)]

    def record_exception(
        self,
        exception: BaseException,
        attributes: Attributes = None,
        timestamp: int | None = None,
        escaped: bool = False,
    ) -> None:
        """Note an exception, as https://opentelemetry.io/docs/specs/semconv/exceptions/exceptions-spans/ names it."""
        kind = type(exception)
        about = {
            "exception.type": kind.__qualname__
            if kind.__module__ == "builtins"
            else f"{kind.__module__}.{kind.__qualname__}",
            "exception.message": str(exception),
            "exception.stacktrace": "".join(traceback.format_exception(exception)),
            "exception.escaped": str(escaped),
        }
        self.add_event("exception", {**about, **(attributes or {})}, timestamp)

    def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
        """Say how it went. OK is final."""
        code, said = (status.status_code, status.description) if isinstance(status, Status) else (status, description)
        if code is not StatusCode.UNSET and self.status_code is not StatusCode.OK:
            self.status_code = code
            self.description = said if code is StatusCode.ERROR else None

    def end(self, end_time: int | None = None) -> None:
        """End it, once."""
        if self.end_time is None:
            self.end_time = end_time or time.time_ns()
            self.ended(self)


class RecordingTracer(trace.Tracer):
    """Makes recorded spans, and hands each over as it ends."""

    def __init__(self, ended: Callable[[RecordedSpan], None]) -> None:
        self._ended = ended

    def start_span(
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Attributes = None,
        links: Sequence[Link] | None = (),
        start_time: int | None = None,
        record_exception: bool = True,  # noqa: ARG002 - what these say matters only to who makes it the current one
        set_status_on_exception: bool = True,  # noqa: ARG002
    ) -> trace.Span:
        """Begin a span. Within a trace of which its sender said that it is not sampled, it is not recorded."""
        parent: SpanContext | None = trace.get_current_span(context).get_span_context()
        span_id = getrandbits(64) or 1  # zero is no id
        if parent is None or not parent.is_valid:
            parent, own = None, SpanContext(getrandbits(128) or 1, span_id, False, SAMPLED)
        else:
            own = SpanContext(parent.trace_id, span_id, False, parent.trace_flags, parent.trace_state)
            if not parent.trace_flags & TraceFlags.SAMPLED:
                return trace.NonRecordingSpan(own)
        return RecordedSpan(name, own, parent, kind, attributes, links or (), start_time, self._ended)

    @_agnosticcontextmanager
    def start_as_current_span(
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Attributes = None,
        links: Sequence[Link] | None = (),
        start_time: int | None = None,
        record_exception: bool = True,
        set_status_on_exception: bool = True,
        end_on_exit: bool = True,
    ) -> Iterator[trace.Span]:
        """Begin a span that is the current one for a block. It notes the exception that leaves the block."""
        span = self.start_span(name, context, kind, attributes, links, start_time)
        token = contexts.attach(trace.set_span_in_context(span))
        try:
            yield span
        except Exception as error:
            if record_exception:
                span.record_exception(error)
            if set_status_on_exception:
                span.set_status(StatusCode.ERROR, f"{type(error).__name__}: {error}")
            raise
        finally:
            contexts.detach(token)
            if end_on_exit:
                span.end()
