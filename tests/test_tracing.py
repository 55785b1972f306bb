"""One trace per post, from its collection to the sent message, received by a real OTLP receiver."""

import asyncio
import contextlib
import gzip
from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Any

import pytest
import uvicorn
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from common.service.health import EmbeddedServer
from common.testing.waiting import eventually

HOPS = {"collector", "rewriter", "scheduler", "publisher"}


class Receiver:
    """An OTLP receiver over HTTP that keeps what it gets: spans by trace id, each with its service and parent."""

    def __init__(self) -> None:
        self.traces: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        self.url = ""

    async def take(self, request: Request) -> Response:
        """Take one export."""
        body = await request.body()
        if request.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            [service] = [item.value.string_value for item in resource.resource.attributes if item.key == "service.name"]
            for scope in resource.scope_spans:
                for span in scope.spans:
                    self.traces[span.trace_id.hex()].append(
                        {
                            "service": service.removeprefix("postroom-"),
                            "name": span.name,
                            "id": span.span_id.hex(),
                            "parent": span.parent_span_id.hex(),
                            "links": [link.trace_id.hex() for link in span.links],
                        }
                    )
        return Response(b"", media_type="application/x-protobuf")


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A receiver that listens on the loopback interface."""
    found = Receiver()
    app = Starlette(routes=[Route("/v1/traces", found.take, methods=["POST"])])
    server = EmbeddedServer(uvicorn.Config(app, port=0, log_config=None, lifespan="off"))
    serving = asyncio.create_task(server.serve())
    await eventually(lambda: asyncio.sleep(0, server.started))
    found.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    yield found
    server.should_exit = True
    with contextlib.suppress(asyncio.CancelledError):
        await serving


async def test_a_post_is_one_trace_from_collection_to_the_sent_message(place: Any, receiver: Receiver) -> None:
    corpus = place.corpus(5, sources=2)
    arguments = ("--corpus", str(corpus), "--until-idle", "--report", "report.json")
    async with place.up(*arguments, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url) as running:
        assert await running.ended(within=120) == 0, running.log()
    posts = {
        trace_id: spans for trace_id, spans in receiver.traces.items() if {span["service"] for span in spans} >= HOPS
    }
    assert len(posts) == 10  # each post has a trace of its own
    for spans in posts.values():
        ids = {span["id"] for span in spans}
        roots = [span for span in spans if not span["parent"]]
        assert [root["name"] for root in roots] == ["post.collected"]
        assert all(span["parent"] in ids for span in spans if span["parent"]), spans  # no span hangs in the air
        [collection] = roots[0]["links"]
        assert collection in receiver.traces  # linked to the job that collected it
        names = {span["name"] for span in spans}
        assert {"post.collected process", "post.rewritten process", "publish.requested process"} <= names
        assert any(name.startswith("chat ") for name in names)  # the model call
        assert "publisher send" in names
