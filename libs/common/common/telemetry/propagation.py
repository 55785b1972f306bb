"""How a trace travels with an event: W3C trace context in its headers."""

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import context, propagate, trace
from opentelemetry.context import Context

from common.events import Event


def trace_headers(event: Event, tracer: trace.Tracer) -> dict[str, str]:
    """Return the headers that carry the current trace; for an event that begins a trace, a new one linked to it.

    So each post has a trace of its own, although a hundred of them may have been collected by one job.
    """
    headers: dict[str, str] = {}
    if not event.begins_trace:
        propagate.inject(headers)
        return headers
    cause = trace.get_current_span().get_span_context()
    links = [trace.Link(cause)] if cause.is_valid else []
    span = tracer.start_span(event.subject, context=Context(), links=links, kind=trace.SpanKind.PRODUCER)
    propagate.inject(headers, context=trace.set_span_in_context(span, Context()))
    span.end()
    return headers


def stored_trace(traceparent: str | None) -> Context:
    """Return the context of a trace that a record keeps; an empty one where it keeps none."""
    return propagate.extract({"traceparent": traceparent} if traceparent else {})


def current_trace() -> str | None:
    """Return the traceparent of what is under way, for a record to keep while it waits; None outside of any trace."""
    headers: dict[str, str] = {}
    propagate.inject(headers)
    return headers.get("traceparent")


@contextmanager
def resumed_trace(traceparent: str | None, name: str, tracer: trace.Tracer) -> Iterator[None]:
    """Go on, for a block, in the trace that a record keeps, by a span `name` that is linked to what ends the wait.

    Nothing changes where the record keeps no trace, or what ends the wait is part of it.
    """
    kept = stored_trace(traceparent)
    waiting = trace.get_current_span(kept).get_span_context()
    ending = trace.get_current_span().get_span_context()
    if not waiting.is_valid or waiting.trace_id == ending.trace_id:
        yield
        return
    links = [trace.Link(ending)] if ending.is_valid else []
    with tracer.start_as_current_span(name, context=kept, links=links):
        yield


@contextmanager
def within_trace(traceparent: str | None) -> Iterator[None]:
    """Go on, for a block, in the trace that a record keeps."""
    token = context.attach(stored_trace(traceparent))
    try:
        yield
    finally:
        context.detach(token)
