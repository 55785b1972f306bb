"""Spans that are put together by hand have the bytes that the official encoder gives them."""

from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, StatusCode, TraceFlags, TraceState
from opentelemetry.util.types import AttributeValue

from common.telemetry.encoding import Envelope, as_readable, encode, encode_officially, is_plain
from common.telemetry.spans import RecordedSpan

RESOURCE = Resource.create({"service.name": "postroom-trial", "service.namespace": "postroom"})
SCOPE = InstrumentationScope("postroom")

texts = st.text(st.characters(exclude_categories=["Cs"])) | st.text(min_size=120, max_size=1200)
contexts = st.builds(
    SpanContext,
    st.integers(1, 2**128 - 1),
    st.integers(1, 2**64 - 1),
    st.booleans(),
    st.integers(0, 3).map(TraceFlags),
    st.dictionaries(st.sampled_from(["vendor", "a1"]), st.from_regex(r"[a-z]{1,300}", fullmatch=True)).map(
        lambda items: TraceState(list(items.items()))
    ),
)
moments = st.integers(1, 2**63)
others = st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.lists(texts, max_size=3)


@st.composite
def spans(draw: st.DrawFn, values: st.SearchStrategy[AttributeValue] = texts) -> RecordedSpan:
    """Ended spans of every kind."""
    span = RecordedSpan(
        draw(texts),
        draw(contexts),
        draw(st.none() | contexts),
        draw(st.sampled_from(SpanKind)),
        draw(st.dictionaries(texts.filter(bool), values, max_size=6)),
        (),
        draw(moments),
        lambda span: None,
    )
    span.set_status(draw(st.sampled_from(StatusCode)), draw(st.none() | texts))
    span.end(draw(moments))
    return span


@given(spans())
def test_a_plain_span_has_the_bytes_of_the_official_encoder(span: RecordedSpan) -> None:
    assert is_plain(span)
    assert encode(span, RESOURCE, SCOPE) == encode_officially(span, RESOURCE, SCOPE)


@settings(max_examples=30)
@given(st.lists(spans(texts | others), min_size=1, max_size=4))
def test_a_batch_has_the_bytes_of_the_official_encoder(batch: list[RecordedSpan]) -> None:
    ours = Envelope.of(RESOURCE, SCOPE).around([encode(span, RESOURCE, SCOPE) for span in batch])
    assert ours == encode_spans([as_readable(span, RESOURCE, SCOPE) for span in batch]).SerializePartialToString()


def test_a_long_batch_can_be_read() -> None:
    found = ExportTraceServiceRequest.FromString(Envelope.of(RESOURCE, SCOPE).around([made("x" * 3000)] * 2048))
    assert [len(scope.spans) for resource in found.resource_spans for scope in resource.scope_spans] == [2048]


def test_half_of_a_surrogate_pair_becomes_a_question_mark() -> None:
    assert Span.FromString(made("half \ud83d")).attributes[0].value.string_value == "half ?"


def test_events_and_links_are_kept() -> None:
    context = SpanContext(1, 2, is_remote=False)
    span = RecordedSpan("work", context, None, SpanKind.INTERNAL, None, [Link(SpanContext(3, 4, True))], 1, print)
    span.add_event("happened", {"times": 3}, 2)
    found = Span.FromString(encode(span_ended(span), RESOURCE, SCOPE))
    assert [link.span_id for link in found.links] == [(4).to_bytes(8, "big")]
    assert [(event.name, event.attributes[0].value.int_value) for event in found.events] == [("happened", 3)]


def made(value: str) -> bytes:
    span = RecordedSpan("work", SpanContext(1, 2, False), None, SpanKind.INTERNAL, {"said": value}, (), 1, print)
    return encode(span_ended(span), RESOURCE, SCOPE)


def span_ended(span: RecordedSpan) -> RecordedSpan:
    span.end_time = 3
    return span
