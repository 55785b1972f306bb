"""The real client before an endpoint that answers what a test gives it: which failure each error is."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from uuid import UUID

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from common.failures import Reject, Retry
from common.model.client import create_client
from common.model.troubles import ModelUnavailable, RateLimited
from common.spending.calls import ModelCall
from common.testing.models import PURPOSE, Unlimited
from rewriter.adapters.openai import OpenAIModel
from rewriter.ports import Question, Reply
from rewriter.settings import OpenAISettings
from sandbox.announcement import bind
from sandbox.connections import HttpServer

QUESTION = Question("gpt-5-mini", (("system", "rules"), ("user", "<post>text</post>")), PURPOSE)
Ask = Callable[[Response], Awaitable[Reply]]


class Hanging(Response):
    """An answer that never comes."""

    reached = asyncio.Event()

    async def __call__(self, *_: Any) -> None:
        self.reached.set()
        await asyncio.Event().wait()


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
async def asking(exporter: InMemorySpanExporter | None = None, access: Unlimited | None = None) -> AsyncIterator[Ask]:
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
            model = OpenAIModel(client, settings, access or Unlimited(), tracer=provider.get_tracer("test"))
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
    assert reply == Reply("gpt-5-mini", "{}", None, "stop", 1000, 100, pytest.approx(0.00045))
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
        model = OpenAIModel(client, settings, Unlimited(), tracer=tracer)
        with pytest.raises(ModelUnavailable, match="could not be reached"):
            await model.ask(QUESTION)


@pytest.mark.parametrize(
    ("response", "outcome", "spent"),
    [
        (completion(), "answered", (1000, 100, pytest.approx(0.00045))),
        (completion(finish_reason="content_filter"), "refused", (1000, 100, pytest.approx(0.00045))),
        (error(400, "content_filter"), "refused", (0, 0, 0)),
        (error(500), "InternalServerError", (0, 0, 0)),
        (error(429), "RateLimitError", (0, 0, 0)),
        (JSONResponse({"choices": []}), "ModelUnavailable", (0, 0, 0)),
    ],
)
async def test_each_call_is_written_down_whatever_came_of_it(response: Response, outcome: str, spent: Any) -> None:
    access = Unlimited()
    async with asking(access=access) as ask:
        with suppress(Exception):
            await ask(response)
    (call,) = access.calls
    assert (call.purpose, call.kind, call.model, call.outcome) == (PURPOSE, "chat", "gpt-5-mini", outcome)
    assert (call.prompt_tokens, call.completion_tokens, call.cost_usd) == spent


async def test_a_call_that_is_broken_off_is_written_down_too() -> None:
    access = Unlimited()
    async with asking(access=access) as ask:
        asked = asyncio.ensure_future(ask(Hanging()))
        await Hanging.reached.wait()
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
    assert [call.outcome for call in access.calls] == ["CancelledError"]


async def test_another_model_may_have_to_do() -> None:
    access = Unlimited(instead="gpt-4o-mini")
    async with asking(access=access) as ask:
        reply = await ask(completion())
    assert (reply.model, reply.cost_usd) == ("gpt-4o-mini", pytest.approx(0.00021))
    assert access.calls == [ModelCall(PURPOSE, "chat", "gpt-4o-mini", "answered", access.calls[0].seconds, 1000, 100,
                                      reply.cost_usd)]  # fmt: skip


async def test_only_a_limit_on_the_rate_is_for_all_to_obey() -> None:
    access = Unlimited()
    async with asking(access=access) as ask:
        for response in (error(429), error(429, "insufficient_quota"), error(401), error(500)):
            with suppress(Exception):
                await ask(response)
    assert [isinstance(pause, RateLimited) for pause in access.pauses] == [True, False, False]
