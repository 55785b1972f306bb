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
                            "about": {item.key: item.value.string_value for item in span.attributes},
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


@pytest.mark.soak  # the demo below has all of it, and more
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


class Trace:
    """The spans of one trace, and how they hang together."""

    def __init__(self, spans: list[dict[str, Any]]) -> None:
        self.spans = spans
        self._by_id = {span["id"]: span for span in spans}

    def path(self, span: dict[str, Any]) -> list[str]:
        """The names from the root down to a span; `?` where a parent is missing."""
        names = [f"{span['service']}: {span['name']}"]
        while span["parent"]:
            span = self._by_id.get(span["parent"], {"service": "?", "name": "?", "parent": ""})
            names.insert(0, f"{span['service']}: {span['name']}")
        return names

    def named(self, service: str, name: str) -> list[dict[str, Any]]:
        """The spans of a service whose names begin so."""
        return [span for span in self.spans if span["service"] == service and span["name"].startswith(name)]

    def paths(self, service: str, name: str) -> set[tuple[str, ...]]:
        """Where the spans of a service whose names begin so hang."""
        return {tuple(self.path(span)) for span in self.named(service, name)}

    @property
    def complete(self) -> bool:
        """Whether it has everything that the demo does with a post of its first source."""
        return (
            len(self.named("userbot", "userbot send")) >= CHATS
            and bool(self.named("imagegen", "image"))
            and bool(self.named("publisher", "publish.requested process"))
            and bool(self.named("userbot", "broadcast.requested process"))
            and bool(self.named("userbot", "broadcast.result process"))
        )


CHATS = 3  # to which the demo broadcasts; one more wants messages of others first
COLLECTED = ["collector: post.collected"]
REWRITTEN = [*COLLECTED, "rewriter: post.collected process"]
DRAWN = [*REWRITTEN, "imagegen: image.requested process"]
ROUTED = [*DRAWN, "scheduler: image.generated process"]
PUBLISHED = [*ROUTED, "publisher: publish.requested process"]
BROADCAST = [*PUBLISHED, "scheduler: publish.result process", "userbot: broadcast.requested process"]


async def test_a_post_with_an_image_and_a_broadcast_is_one_trace_down_to_each_chat(
    place: Any, receiver: Receiver
) -> None:
    async def found() -> Trace | None:
        traces = (Trace(spans) for spans in list(receiver.traces.values()))
        return next((trace for trace in traces if trace.complete), None)

    async with place.up(OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url) as running:
        assert await running.pid("userbot") > 0
        trace = await eventually(found, within=90)
    assert {trace.path(span)[0] for span in trace.spans} == set(COLLECTED)  # one root for all: no span hangs in the air
    assert trace.paths("rewriter", "chat ") == {(*REWRITTEN, "rewriter: chat sandbox-writer")}
    assert trace.paths("imagegen", "image_generation") == {(*DRAWN, "imagegen: image_generation sandbox-painter")}
    assert trace.paths("publisher", "publisher send") == {(*PUBLISHED, "publisher: publisher send")}
    assert trace.paths("userbot", "userbot send") == {(*BROADCAST, "userbot: userbot send")}
    chats = [span["about"]["postroom.destination"] for span in trace.named("userbot", "userbot send")]
    assert len(set(chats)) == len(chats) >= CHATS  # a span for each chat
    [post] = {span["about"].get("postroom.post_id") for span in trace.spans if span["parent"]}
    assert post  # every span but the root says which post it is about
    assert {link for span in trace.spans for link in span["links"]} <= receiver.traces.keys()
