"""Tracing: one trace for a post, from its collection to the sent message."""

import logging
from collections.abc import Sequence

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from common.telemetry.encoding import Envelope, encode
from common.telemetry.spans import RecordedSpan, RecordingTracer

log = logging.getLogger(__name__)

SCOPE = InstrumentationScope("postroom")
BATCH_SPANS = 2048  # some 600 KB
ROOM = 16 * BATCH_SPANS  # spans, 10 MB, that may wait for a collector that is away; further ones are lost, and logged


class Export(OTLPSpanExporter):
    """Exports spans that are encoded already; headers, certificates, compression, retries are the official ones."""

    def __init__(self, endpoint: str, envelope: Envelope) -> None:
        super().__init__(endpoint=endpoint)
        self._envelope = envelope

    def export(self, spans: Sequence[bytes]) -> SpanExportResult:  # type: ignore[override]
        """Send a batch; a failure is logged by the client."""
        sent = self._client.export(self._envelope.around(spans))
        return SpanExportResult.SUCCESS if sent.success else SpanExportResult.FAILURE


class SpansOut(BatchSpanProcessor):
    """Gathers encoded spans and exports them from a thread."""

    def __init__(self, endpoint: str, resource: Resource) -> None:
        self._resource = resource
        export = Export(endpoint, Envelope.of(resource, SCOPE))
        super().__init__(export, max_queue_size=ROOM, max_export_batch_size=BATCH_SPANS)

    def take(self, span: RecordedSpan) -> None:
        """Encode a span as it ends, so that it need not be kept. Whatever is wrong with it, the work goes on."""
        try:
            encoded = encode(span, self._resource, SCOPE)
        except Exception as error:
            log.warning("span %r can't be encoded: %r", span.name, error)
        else:
            self._batch_processor.emit(encoded)  # type: ignore[arg-type]  # it takes whatever the exporter does


class Tracing:
    """The tracer of a service. Its spans are exported, or just have ids."""

    def __init__(self, out: SpansOut | None = None) -> None:
        self._out = out
        self.tracer: trace.Tracer = RecordingTracer(out.take if out else _let_go)

    def shutdown(self) -> None:
        """Export what waits."""
        if self._out:
            self._out.shutdown()  # type: ignore[no-untyped-call]


def create_tracing(service: str, endpoint: str | None) -> Tracing:
    """Return a tracer that exports to `endpoint` (OTLP over HTTP, without the path `/v1/traces`).

    Without an endpoint nothing is exported, but spans still have ids, which the records and logs keep.
    """
    if not endpoint:
        return Tracing()
    resource = Resource.create({"service.name": f"postroom-{service}", "service.namespace": "postroom"})
    return Tracing(SpansOut(f"{endpoint.rstrip('/')}/v1/traces", resource))


def _let_go(_span: RecordedSpan) -> None:
    """Do nothing with a span that nobody gets."""
