"""The real client before an endpoint that answers what a test gives it: what becomes of each answer."""

import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
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
from common.media.download import Downloads
from common.model.client import create_client
from common.model.troubles import ModelUnavailable
from common.testing.models import PURPOSE, Unlimited
from imagegen.adapters.openai import OpenAIPainter
from imagegen.ports import ContentRefused, Drawn
from imagegen.settings import ImageModelSettings
from sandbox.announcement import bind
from sandbox.connections import HttpServer

Draw = Callable[[Response], Awaitable[Drawn]]


def error(status: int, code: str | None = None, **headers: str) -> JSONResponse:
    body = {"error": {"message": "As the endpoint says.", "type": "x", "param": None, "code": code}}
    return JSONResponse(body, status, headers={name.replace("_", "-"): value for name, value in headers.items()})


def image(**data: Any) -> JSONResponse:
    usage = {"input_tokens": 10, "output_tokens": 1000, "total_tokens": 1010}
    usage["input_tokens_details"] = {"text_tokens": 10, "image_tokens": 0}
    return JSONResponse({"created": 1, "data": [data], "usage": usage})


@asynccontextmanager
async def drawing(
    bodies: list[Any] | None = None,
    exporter: InMemorySpanExporter | None = None,
    access: Unlimited | None = None,
    **given: Any,
) -> AsyncIterator[tuple[Draw, str]]:
    """Ask an endpoint that answers as it is told, and shows a file at /file and one that never ends at /endless."""
    answers: list[Response] = []

    async def answer(request: Request) -> Response:
        if bodies is not None:
            bodies.append(await request.json())
        return answers.pop()

    async def file(_request: Request) -> Response:
        return Response(b"a file", media_type="image/png")

    listener = bind("127.0.0.1", 0, 0)
    routes = [Route("/v1/images/generations", answer, methods=["POST"]), Route("/file", file)]
    server = HttpServer(Starlette(routes=routes))
    await server.start(listener)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    settings = ImageModelSettings(_env_file=None, openai_api_key="sk-test", openai_base_url=f"{url}/v1", **given)
    provider = TracerProvider(shutdown_on_exit=False)
    if exporter:
        provider.add_span_processor(SimpleSpanProcessor(exporter))
    async with (
        create_client(settings, timeout=5) as client,
        Downloads.open(allow_private=settings.openai_image_allow_private) as downloads,
    ):

        async def draw(response: Response) -> Drawn:
            answers.append(response)
            tracer = provider.get_tracer("test")
            painter = OpenAIPainter(client, settings, downloads, access or Unlimited(), tracer=tracer)
            return await painter.draw("A bridge", PURPOSE)

        try:
            yield draw, url
        finally:
            await server.stop()


@pytest.mark.parametrize(
    ("response", "failure", "words"),
    [
        (error(429), Retry, "The rate limit of gpt-image-1-mini is reached"),
        (error(429, "insufficient_quota"), Retry, "budget"),
        (error(401, "invalid_api_key"), Retry, "does not accept OPENAI_API_KEY"),
        (error(403), Retry, "does not let"),
        (error(404, "model_not_found"), Retry, "does not exist"),
        (error(400, "moderation_blocked"), ContentRefused, "As the endpoint says"),
        (error(400, "content_policy_violation"), ContentRefused, "As the endpoint says"),
        (error(400, "content_filter"), ContentRefused, "As the endpoint says"),
        (error(400, "billing_hard_limit_reached"), Retry, "budget"),
        (error(400, "invalid_value"), Reject, "does not take this request"),
        (error(500), ModelUnavailable, r"failed: .*As the endpoint says.* \(HTTP 500\)"),
        (error(503, retry_after="7"), ModelUnavailable, "HTTP 503"),
        (Response("<html>", media_type="text/html"), ModelUnavailable, "something else than an image"),
        (Response("{", media_type="application/json"), ModelUnavailable, "something else than an image"),
        (
            Response(b'{"data": "\xff"}', media_type="application/json"),
            ModelUnavailable,
            "something else than an image",
        ),
        (JSONResponse({"created": 1, "data": ["x"]}), ModelUnavailable, "something else than an image"),
        (JSONResponse({"created": 1, "data": {"x": 1}}), ModelUnavailable, "something else than an image"),
        (image(b64_json="\u00e9"), ModelUnavailable, "something else than an image"),
        (image(b64_json=[1]), ModelUnavailable, "something else than an image"),
        (image(url=[1]), ModelUnavailable, "something else than an image"),
        (JSONResponse({"created": 1}), ModelUnavailable, "something else than an image"),
        (JSONResponse({"created": 1, "data": []}), ModelUnavailable, "something else than an image"),
        (image(), ModelUnavailable, "something else than an image"),
        (image(b64_json="%%%"), ModelUnavailable, "something else than an image"),
        (image(b64_json="abc"), ModelUnavailable, "something else than an image"),
        (image(url="ftp://example.org/a.png"), ModelUnavailable, "points to can't be fetched"),
        (image(url="http://127.0.0.1:9/a.png"), ModelUnavailable, "points to can't be fetched"),
    ],
)
async def test_what_happens_next(response: Response, failure: type[Exception], words: str) -> None:
    async with drawing() as (draw, _):
        with pytest.raises(failure, match=words):
            await draw(response)


async def test_an_image_with_its_cost_and_its_span() -> None:
    exporter, bodies = InMemorySpanExporter(), []
    async with drawing(bodies, exporter) as (draw, _):
        drawn = await draw(image(b64_json=base64.b64encode(b"anything").decode()))
    assert drawn.content.read() == b"anything"
    assert (drawn.input_tokens, drawn.output_tokens) == (10, 1000)
    assert drawn.cost_usd == pytest.approx((10 * 2 + 1000 * 8) / 1e6)
    assert bodies == [{"model": "gpt-image-1-mini", "size": "1024x1024", "n": 1, "prompt": "A bridge"}]
    (span,) = exporter.get_finished_spans()
    assert span.name == "image_generation gpt-image-1-mini"
    assert dict(span.attributes or {}) == {
        "gen_ai.operation.name": "image_generation",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-image-1-mini",
        "gen_ai.usage.input_tokens": 10,
        "gen_ai.usage.output_tokens": 1000,
        "postroom.post_id": str(UUID(int=7)),
    }


@pytest.mark.parametrize("usage", [None, {}, {"prompt_tokens": 3, "total_tokens": 3}, {"input_tokens": "3"}, "none"])
async def test_an_endpoint_may_count_tokens_in_its_own_way(usage: Any) -> None:
    answer = {"created": 1, "data": [{"b64_json": "YQ=="}], "usage": usage}
    async with drawing() as (draw, _):
        drawn = await draw(JSONResponse(answer))
    assert (drawn.content.read(), drawn.input_tokens, drawn.output_tokens, drawn.cost_usd) == (b"a", 0, 0, 0)


async def test_an_image_behind_an_address_is_fetched_where_that_is_allowed() -> None:
    async with drawing(openai_image_allow_private=True) as (draw, url):
        assert (await draw(image(url=f"{url}/file"))).content.read() == b"a file"
        with pytest.raises(ModelUnavailable, match="HTTP 404"):
            await draw(image(url=f"{url}/nothing"))
    async with drawing() as (draw, url):
        with pytest.raises(ModelUnavailable, match="can't be fetched"):
            await draw(image(url=f"{url}/file"))


async def test_each_model_is_asked_in_its_own_way() -> None:
    bodies: list[Any] = []
    content = image(b64_json="YQ==")
    async with drawing(bodies, openai_image_model="dall-e-3", openai_image_quality="hd") as (draw, _):
        await draw(content)
    async with drawing(bodies, openai_image_model="mine", openai_image_size="512x512") as (draw, _):
        assert (await draw(content)).cost_usd == 0
    assert bodies[0]["response_format"] == "b64_json"
    assert (bodies[0]["quality"], bodies[1]["size"]) == ("hd", "512x512")
    assert "response_format" not in bodies[1]
    assert "quality" not in bodies[1]


async def test_a_closed_gate_asks_nobody() -> None:
    async with drawing(bodies := []) as (draw, _):
        with pytest.raises(Retry) as raised:
            await draw(error(401))
    assert raised.value.notice
    assert raised.value.notice.kind == "imagegen.unauthorised"
    assert len(bodies) == 1


async def test_what_can_t_be_used_is_paid_for_all_the_same() -> None:
    access = Unlimited()
    async with drawing(access=access) as (draw, _):
        with pytest.raises(ModelUnavailable):
            await draw(image(b64_json="%%%"))
        with pytest.raises(ContentRefused):
            await draw(error(400, "moderation_blocked"))
    broken, refused = access.calls
    assert (broken.purpose, broken.kind, broken.model) == (PURPOSE, "image", "gpt-image-1-mini")
    assert (broken.outcome, broken.completion_tokens, broken.cost_usd) == (
        "ModelUnavailable",
        1000,
        pytest.approx(0.00802),
    )
    assert (refused.outcome, refused.cost_usd) == ("refused", 0)


async def test_another_model_is_asked_in_its_own_way() -> None:
    bodies: list[Any] = []
    async with drawing(bodies, access=Unlimited(instead="dall-e-3")) as (draw, _):
        drawn = await draw(image(b64_json="YQ=="))
    assert (drawn.model, drawn.cost_usd) == ("dall-e-3", pytest.approx(0.04))
    assert (bodies[0]["model"], bodies[0]["response_format"]) == ("dall-e-3", "b64_json")
