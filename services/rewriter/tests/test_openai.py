"""The real client before an endpoint that answers what a test gives it: which failure each error is."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from uuid import UUID

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from common.failures import Reject, Retry
from common.model.client import create_client
from common.model.metering import ModelMetrics
from common.model.troubles import ModelUnavailable
from rewriter.adapters.openai import OpenAIModel
from rewriter.ports import Question, Reply
from rewriter.settings import OpenAISettings
from sandbox.announcement import bind
from sandbox.connections import HttpServer

QUESTION = Question("gpt-5-mini", (("system", "rules"), ("user", "<post>text</post>")), UUID(int=7))
Ask = Callable[[Response], Awaitable[Reply]]


def error(status: int, code: str | None = None, **headers: str) -> JSONResponse:
    body = {"error": {"message": "As the endpoint says.", "type": "x", "param": None, "code": code}}
    return JSONResponse(body, status, headers={name.replace("_", "-"): value for name, value in headers.items()})


def completion(**choice: Any) -> JSONResponse:
    message = {"role": "assistant", "content": "{}", "refusal": None}
    return JSONResponse(
        {
            "id": "x",
            "object": "chat.completion",
            "created": 1,
            "model": "gpt-5-mini-2026-01-01",
            "choices": [{"index": 0, "message": message, "finish_reason": "stop", **choice}],
            "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100},
        }
    )


@asynccontextmanager
async def asking(exporter: InMemorySpanExporter | None = None) -> AsyncIterator[Ask]:
    """Ask an endpoint that answers as it is told."""
    answers: list[Response] = []

    async def answer(_request: Request) -> Response:
        return answers.pop()

    listener = bind("127.0.0.1", 0, 0)
    server = HttpServer(Starlette(routes=[Route("/v1/chat/completions", answer, methods=["POST"])]))
    await server.start(listener)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
    settings = OpenAISettings(_env_file=None, openai_api_key="sk-test", openai_base_url=url)
    provider = TracerProvider(shutdown_on_exit=False)
    if exporter:
        provider.add_span_processor(SimpleSpanProcessor(exporter))
    async with create_client(settings, timeout=settings.openai_timeout_seconds) as client:

        async def ask(response: Response) -> Reply:
            answers.append(response)
            metrics = ModelMetrics(CollectorRegistry())
            model = OpenAIModel(client, settings, tracer=provider.get_tracer("test"), metrics=metrics)
            return await model.ask(QUESTION)

        try:
            yield ask
        finally:
            await server.stop()


@pytest.mark.parametrize(
    ("response", "failure", "words"),
    [
        (error(429), Retry, "The rate limit of gpt-5-mini is reached"),
        (error(429, "insufficient_quota"), Retry, "budget"),
        (error(401, "invalid_api_key"), Retry, "does not accept OPENAI_API_KEY"),
        (error(403), Retry, "does not let"),
        (error(404, "model_not_found"), Retry, "does not exist"),
        (error(400, "context_length_exceeded"), Reject, "too long for gpt-5-mini"),
        (error(413), Reject, "too long for gpt-5-mini"),
        (error(400, "invalid_json_schema"), Reject, "does not take this request"),
        (error(500), ModelUnavailable, r"failed: .*As the endpoint says.* \(HTTP 500\)"),
        (error(503, retry_after="7"), ModelUnavailable, "HTTP 503"),
        (error(409), ModelUnavailable, "HTTP 409"),
        (Response("<html>", media_type="text/html"), ModelUnavailable, "something else than a chat completion"),
        (Response("{", media_type="application/json"), ModelUnavailable, "something else than a chat completion"),
        (JSONResponse({"choices": []}), ModelUnavailable, "something else than a chat completion"),
    ],
)
async def test_what_happens_next(response: Response, failure: type[Exception], words: str) -> None:
    async with asking() as ask:
        with pytest.raises(failure, match=words):
            await ask(response)


@pytest.mark.parametrize(
    ("headers", "least", "most"),
    [
        ({"retry_after": "7"}, 7, 7.7),
        ({"retry_after": "7", "retry_after_ms": "1500"}, 1.5, 1.65),
        ({"retry_after": "soon"}, 10, 11),
        ({}, 10, 11),
    ],
)
async def test_a_rate_limit_says_how_long(headers: dict[str, str], least: float, most: float) -> None:
    async with asking() as ask:
        with pytest.raises(Retry) as raised:
            await ask(error(429, **headers))
    assert least <= raised.value.after <= most
    assert raised.value.notice


@pytest.mark.parametrize(("minutes", "least", "most"), [(10, 500, 660), (-10, 0, 0)])
async def test_a_rate_limit_may_name_a_date(minutes: int, least: float, most: float) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(minutes=minutes), usegmt=True)
    async with asking() as ask:
        with pytest.raises(Retry) as raised:
            await ask(error(429, retry_after=date))
    assert least <= raised.value.after <= most
    assert raised.value.notice.kind == "rewriter.rate_limited"


async def test_a_reply_with_its_cost_and_its_span() -> None:
    exporter = InMemorySpanExporter()
    async with asking(exporter) as ask:
        reply = await ask(completion())
    assert reply == Reply("{}", None, "stop", 1000, 100, pytest.approx(0.00045))
    (span,) = exporter.get_finished_spans()
    assert span.name == "chat gpt-5-mini"
    assert dict(span.attributes or {}) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-5-mini",
        "gen_ai.response.model": "gpt-5-mini-2026-01-01",
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": 1000,
        "gen_ai.usage.output_tokens": 100,
        "postroom.post_id": str(UUID(int=7)),
    }


@pytest.mark.parametrize(
    ("response", "refusal"),
    [
        (completion(finish_reason="content_filter"), "the endpoint's content filter stopped the answer"),
        (error(400, "content_filter"), "As the endpoint says."),
    ],
)
async def test_a_content_filter_is_a_refusal(response: Response, refusal: str) -> None:
    async with asking() as ask:
        assert refusal in ((await ask(response)).refusal or "")


async def test_an_endpoint_that_is_not_there() -> None:
    listener = bind("127.0.0.1", 0, 0)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
    listener.close()
    settings = OpenAISettings(_env_file=None, openai_api_key="sk-test", openai_base_url=url)
    async with create_client(settings, timeout=settings.openai_timeout_seconds) as client:
        tracer = TracerProvider(shutdown_on_exit=False).get_tracer("test")
        model = OpenAIModel(client, settings, tracer=tracer, metrics=ModelMetrics(CollectorRegistry()))
        with pytest.raises(ModelUnavailable, match="could not be reached"):
            await model.ask(QUESTION)
