"""Tracing: one trace for a post, from its collection to the sent message."""

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor


def create_tracer_provider(service: str, endpoint: str | None) -> TracerProvider:
    """Return a provider that exports to `endpoint` (OTLP over HTTP, without the path `/v1/traces`).

    Without an endpoint nothing is exported, but spans still have ids, which the records and logs keep.
    """
    provider = TracerProvider(
        resource=Resource.create({"service.name": f"postroom-{service}", "service.namespace": "postroom"}),
        shutdown_on_exit=False,
    )
    if endpoint:
        exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces")
        provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider
