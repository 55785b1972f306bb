"""Spans of our own behave as those of the SDK, and reach a real receiver."""

import asyncio
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from opentelemetry import propagate, trace
from opentelemetry.context import Context
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, Tracer

from common.telemetry.encoding import as_readable
from common.telemetry.spans import RecordedSpan, RecordingTracer
from common.telemetry.tracing import SCOPE, create_tracing

PARENT = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "tracestate": "vendor=1"}


def with_ours() -> tuple[Tracer, list[RecordedSpan]]:
    """A tracer of ours, and what it will have recorded."""
    spans: list[RecordedSpan] = []
    return RecordingTracer(spans.append), spans


def everything(tracer: Tracer) -> None:
    """Do with a tracer what one can do with it."""
    with tracer.start_as_current_span("outer", context=propagate.extract(PARENT)) as outer:
        outer.set_attribute("said", "first")
        outer.set_attributes({"said": "last", "times": 2})
        with suppress(ValueError), tracer.start_as_current_span("inner", kind=SpanKind.CLIENT) as inner:
            inner.add_event("happened", {"where": "here"})
            raise ValueError("no such thing")
        with suppress(asyncio.CancelledError), tracer.start_as_current_span("cancelled"):
            raise asyncio.CancelledError
        with (
            suppress(KeyError),
            tracer.start_as_current_span("quiet", record_exception=False, set_status_on_exception=False),
        ):
            raise KeyError
    cause = outer.get_span_context()
    root = tracer.start_span("root", context=Context(), links=[Link(cause)], attributes={"is": "new"})
    root.add_link(cause, {"why": "again"})
    root.update_name("renamed")
    root.set_status(StatusCode.OK)
    root.set_status(Status(StatusCode.ERROR, "too late"))
    root.set_status(StatusCode.UNSET)
    assert root.is_recording()
    root.end()
    assert not root.is_recording()
    with tracer.start_as_current_span("goes on", end_on_exit=False) as on:
        on.set_status(Status(StatusCode.ERROR, "why"))
    assert on.is_recording()
    on.end(on.end())  # once is enough


def told(spans: list[ReadableSpan]) -> list[dict[str, Any]]:
    """What spans say, ids as far as they are given and as relations."""
    names = {span.context.span_id: span.name for span in spans}
    return [
        {
            "name": span.name,
            "trace": span.context.trace_id if span.context.trace_id == int(PARENT["traceparent"][3:35], 16) else "new",
            "flags": span.context.trace_flags,
            "state": dict(span.context.trace_state),
            "parent": span.parent and names.get(span.parent.span_id, span.parent),
            "kind": span.kind,
            "attributes": dict(span.attributes or {}),
            "events": [(event.name, said(event.attributes)) for event in span.events],
            "links": [(names[link.context.span_id], dict(link.attributes or {})) for link in span.links],
            "status": (span.status.status_code, span.status.description),
            "lasted": (span.end_time or 0) >= (span.start_time or 0) > 0,
        }
        for span in spans
    ]


def said(attributes: Any) -> dict[str, Any]:
    """The attributes of an event; of a traceback its last line, as the others have line numbers."""
    found = dict(attributes)
    if "exception.stacktrace" in found:
        found["exception.stacktrace"] = found["exception.stacktrace"].splitlines()[-1]
    return found


def test_what_is_done_with_a_span_is_recorded_as_by_the_sdk() -> None:
    official = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(official))
    everything(provider.get_tracer("trial"))
    tracer, spans = with_ours()
    everything(tracer)
    expected = told(list(official.get_finished_spans()))
    assert told([as_readable(span, Resource({}), SCOPE) for span in spans]) == expected
    assert len(expected) == 6


def test_a_trace_that_is_not_sampled_goes_on_unrecorded() -> None:
    tracer, spans = with_ours()
    unsampled = propagate.extract({"traceparent": PARENT["traceparent"][:-1] + "0"})
    headers: dict[str, str] = {}
    with tracer.start_as_current_span("work", context=unsampled) as span:
        propagate.inject(headers)
    assert not spans
    assert not span.is_recording()
    assert headers["traceparent"].startswith(PARENT["traceparent"][:35])
    assert headers["traceparent"].endswith("-00")


def test_each_span_has_an_id_and_each_root_a_trace_of_its_own() -> None:
    tracer, _ = with_ours()
    found: list[SpanContext] = [tracer.start_span("root").get_span_context() for _ in range(100)]
    assert len({context.trace_id for context in found}) == len({context.span_id for context in found}) == 100
    assert all(context.is_valid for context in found)


@contextmanager
def receiver() -> Iterator[tuple[str, list[tuple[Any, bytes]]]]:
    """A receiver on the loopback interface, and the headers and bodies that it got."""
    requests: list[tuple[Any, bytes]] = []

    class Taker(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            requests.append((self.headers, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Taker) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", requests
        finally:
            server.shutdown()
            thread.join()


def test_spans_are_exported_with_the_headers_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-key=known")
    with receiver() as (url, requests):
        tracing = create_tracing("trial", url)
        with caplog.at_level(logging.WARNING), tracing.tracer.start_as_current_span("whole"):
            tracing.tracer.start_span("half \ud83d", attributes={"not": 1}).end()  # what the encoder refuses is let go
        tracing.shutdown()
    [(headers, body)] = requests
    assert (headers["x-key"], headers["Content-Type"]) == ("known", "application/x-protobuf")
    [resource] = ExportTraceServiceRequest.FromString(body).resource_spans
    about = {item.key: item.value.string_value for item in resource.resource.attributes}
    assert (about["service.name"], about["service.namespace"]) == ("postroom-trial", "postroom")
    assert [span.name for scope in resource.scope_spans for span in scope.spans] == ["whole"]
    assert "can't be encoded" in caplog.text


def test_without_an_endpoint_spans_still_have_ids() -> None:
    tracing = create_tracing("trial", None)
    with tracing.tracer.start_as_current_span("work"):
        assert trace.get_current_span().get_span_context().is_valid
    tracing.shutdown()
