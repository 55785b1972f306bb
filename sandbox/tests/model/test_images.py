"""The images endpoint, asked by the real `openai` client."""

import base64
import io
from typing import Any

import httpx
import openai
import pytest
from PIL import Image

PROMPT = "A new bridge over a river at dawn"


async def drawn(model: Any, /, **given: Any) -> bytes:
    answer = await model.openai.images.generate(**{"model": "gpt-image-1", "prompt": PROMPT, **given})
    return base64.b64decode(answer.data[0].b64_json)


@pytest.mark.parametrize(
    ("given", "size", "written"),
    [
        ({}, (1024, 1024), "PNG"),
        ({"size": "1536x1024", "quality": "low"}, (1536, 1024), "PNG"),
        ({"output_format": "jpeg"}, (1024, 1024), "JPEG"),
        ({"output_format": "webp", "background": "opaque"}, (1024, 1024), "WEBP"),
        ({"model": "gpt-image-2", "size": "1600x896"}, (1600, 896), "PNG"),
        ({"model": "sandbox-painter", "size": "512x512"}, (512, 512), "PNG"),
        ({"model": "dall-e-3", "size": "1792x1024", "response_format": "b64_json"}, (1792, 1024), "PNG"),
    ],
)
async def test_a_picture_is_drawn_as_it_was_wished(
    model: Any, given: dict[str, Any], size: tuple[int, int], written: str
) -> None:
    with Image.open(io.BytesIO(await drawn(model, **given))) as image:
        image.load()
        assert (image.size, image.format) == (size, written)


async def test_the_same_prompt_gives_the_same_picture(model: Any) -> None:
    assert await drawn(model) == await drawn(model) != await drawn(model, prompt="Something else")


async def test_several_pictures_differ(model: Any) -> None:
    answer = await model.openai.images.generate(model="gpt-image-1", prompt=PROMPT, n=3, size="1024x1024")
    assert len({each.b64_json for each in answer.data}) == 3
    assert answer.usage.output_tokens == 3 * 1056
    assert answer.usage.total_tokens == answer.usage.input_tokens + answer.usage.output_tokens
    assert (answer.output_format, answer.quality, answer.background) == ("png", "medium", "opaque")


async def test_dall_e_answers_with_an_address(model: Any) -> None:
    answer = await model.openai.images.generate(model="dall-e-2", prompt=PROMPT, size="256x256")
    assert (answer.data[0].b64_json, answer.usage) == (None, None)
    async with httpx.AsyncClient() as anybody:
        shown = await anybody.get(answer.data[0].url)
        assert (await anybody.get(f"{answer.data[0].url}x")).status_code == 404
    with Image.open(io.BytesIO(shown.content)) as image:
        assert image.size == (256, 256)


@pytest.mark.parametrize(
    ("given", "param", "code"),
    [
        ({"prompt": None}, "prompt", "missing_required_parameter"),
        ({"prompt": ""}, "prompt", "empty_string"),
        ({"prompt": 7}, "prompt", "invalid_type"),
        ({"prompt": "x" * 32_001}, "prompt", "string_above_max_length"),
        ({"prompt": "x" * 1_001, "model": "dall-e-2"}, "prompt", "string_above_max_length"),
        ({"prompt": "x" * 4_001, "model": "dall-e-3"}, "prompt", "string_above_max_length"),
        ({"model": "gpt-4.1-mini"}, "model", "invalid_value"),
        ({"size": "1000x1000"}, "size", "invalid_value"),
        ({"size": "1024x1024", "model": "gpt-image-2", "n": 0}, "n", "integer_out_of_range"),
        ({"size": "1000x1000", "model": "gpt-image-2"}, "size", "invalid_value"),
        ({"size": "3840x1024", "model": "gpt-image-2"}, "size", "invalid_value"),
        ({"size": "huge", "model": "gpt-image-2"}, "size", "invalid_value"),
        ({"size": "1536x1024", "model": "dall-e-2"}, "size", "invalid_value"),
        ({"n": 2, "model": "dall-e-3"}, "n", "integer_out_of_range"),
        ({"n": 11}, "n", "integer_out_of_range"),
        ({"response_format": "b64_json"}, "response_format", "unknown_parameter"),
        ({"output_format": "jpeg", "model": "dall-e-3"}, "output_format", "unknown_parameter"),
        ({"output_format": "gif"}, "output_format", "invalid_value"),
        ({"quality": "hd"}, "quality", "invalid_value"),
        ({"stream": True}, "stream", "unsupported_value"),
    ],
)
async def test_bad_wishes(model: Any, given: dict[str, Any], param: str, code: str) -> None:
    body = {"model": "gpt-image-1", "prompt": PROMPT, **given}
    answer = await model.http.post("/v1/images/generations", json={k: v for k, v in body.items() if v is not None})
    error = answer.json()["error"]
    assert (answer.status_code, error["type"]) == (400, "invalid_request_error")
    assert (error["param"], error["code"]) == (param, code)
    assert error["message"]


async def test_a_wrong_key(model: Any) -> None:
    with pytest.raises(openai.AuthenticationError):
        await model.openai.with_options(api_key="sk-wrong").images.generate(model="gpt-image-1", prompt=PROMPT)


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("rate_limit", openai.RateLimitError),
        ("server_error", openai.InternalServerError),
        ("drop", openai.APIConnectionError),
        ("content_policy", openai.BadRequestError),
    ],
)
@pytest.mark.parametrize("where", ["images", "model"])
async def test_faults_that_end_in_an_error(model: Any, kind: str, error: type[Exception], where: str) -> None:
    model.fault(kind, where)
    with pytest.raises(error):
        await drawn(model)
    assert await drawn(model)


@pytest.mark.parametrize(
    ("name", "code"), [("gpt-image-1", "moderation_blocked"), ("dall-e-3", "content_policy_violation")]
)
async def test_a_refusal_in_the_words_of_the_model(model: Any, name: str, code: str) -> None:
    model.fault("content_policy", "images", message="No.")
    with pytest.raises(openai.BadRequestError, match=r"No\.") as refused:
        await drawn(model, model=name)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("kind", "begins", "least", "most"),
    [
        ("invalid_image", b"", 4_096, 4_096),
        ("truncated_image", b"\x89PNG", 1_000, 100_000),
        ("svg", b"<svg", 10, 1_000),
        ("html", b"<!DOCTYPE html>", 10, 1_000),
        ("bomb", b"\x89PNG", 1_000, 100_000),
    ],
)
async def test_faults_in_the_place_of_a_picture(model: Any, kind: str, begins: bytes, least: int, most: int) -> None:
    model.fault(kind, "images")
    content = await drawn(model)
    assert content.startswith(begins)
    assert least <= len(content) <= most
    with pytest.raises((OSError, Image.DecompressionBombError)), Image.open(io.BytesIO(content)) as image:
        image.load()


async def test_a_large_picture_is_a_picture(model: Any) -> None:
    model.fault("large", "images")
    content = await drawn(model)
    assert 20_000_000 < len(content) < 21_000_000
    with Image.open(io.BytesIO(content)) as image:
        image.load()


async def test_faults_of_the_texts_do_not_befall_images_nor_the_other_way_round(model: Any) -> None:
    for kind in ("invalid_json", "svg"):
        model.fault(kind)
    model.fault("server_error", "images")
    completion = await model.openai.chat.completions.create(
        model="m", messages=[{"role": "user", "content": "A post."}]
    )
    assert completion.choices[0].message.content
    assert [fault.kind for _, fault in model.faults] == ["svg", "server_error"]
    with pytest.raises(openai.InternalServerError):
        await drawn(model)
    assert (await drawn(model)).startswith(b"<svg")


async def test_the_journal_has_pictures_too(model: Any) -> None:
    await drawn(model)
    (served,) = model.journal
    assert (served.endpoint, served.model, served.status) == ("images.generations", "gpt-image-1", 200)
    assert (served.source, served.answer, served.completion_tokens) == (PROMPT, "1 × 1024x1024 png", 1056)
