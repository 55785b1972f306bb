"""How a trace goes on after a wait."""

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from common.telemetry.propagation import current_trace, resumed_trace

KEPT = f"00-{'a' * 32}-{'b' * 16}-01"


def tracing() -> tuple[trace.Tracer, InMemorySpanExporter]:
    """A tracer, and where its spans go."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return provider.get_tracer("test"), exporter


def test_a_decision_is_a_span_of_what_waited_and_is_linked_to_the_request() -> None:
    tracer, exporter = tracing()
    assert current_trace() is None
    with tracer.start_as_current_span("request") as request:
        with resumed_trace(KEPT, "approval", tracer):
            inside = current_trace()
        assert (current_trace() or "")[3:35] == f"{request.get_span_context().trace_id:032x}"
    [approval] = [span for span in exporter.get_finished_spans() if span.name == "approval"]
    assert approval.context
    assert approval.parent
    assert inside == f"00-{'a' * 32}-{approval.context.span_id:016x}-01"
    assert f"{approval.parent.span_id:016x}" == "b" * 16
    assert [link.context for link in approval.links] == [request.get_span_context()]


def test_nothing_changes_where_no_trace_is_kept_or_it_is_the_same_one() -> None:
    tracer, exporter = tracing()
    with tracer.start_as_current_span("request"):
        before = current_trace()
        for kept in (None, before):
            with resumed_trace(kept, "approval", tracer):
                assert current_trace() == before
    assert [span.name for span in exporter.get_finished_spans()] == ["request"]
