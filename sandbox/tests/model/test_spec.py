"""The answers are valid under OpenAI's own OpenAPI document."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

Check = Callable[[str, Any], None]


@pytest.fixture(scope="session")
def check(specs: Path) -> Check:
    """Check a value against a named schema of the document."""
    path = specs / "openai-openapi.yaml"
    if not path.exists():
        pytest.skip(f"no OpenAPI document at {path} (POSTROOM_SPECS names the directory)")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    document = yaml.load(path.read_text("utf-8"), Loader=loader)
    registry: Registry[Any] = Registry().with_resource("openai", DRAFT202012.create_resource(document))

    def validate(name: str, value: Any) -> None:
        schema = {"$ref": f"openai#/components/schemas/{name}"}
        errors = list(Draft202012Validator(schema, registry=registry).iter_errors(value))
        assert not errors, "\n".join(f"{error.json_path}: {error.message}" for error in errors)

    return validate


SCHEMA = {
    "type": "object",
    "properties": {"text": {"type": "string"}},
    "required": ["text"],
    "additionalProperties": False,
}
CHAT = {"model": "gpt-4.1-mini", "messages": [{"role": "user", "content": "The bridge opens on 14 June."}]}
RESPONSE = {"model": "gpt-4.1-mini", "input": "The bridge opens on 14 June."}


@pytest.mark.parametrize("extra", [{}, {"n": 2}, {"max_completion_tokens": 2}, {"response_format": SCHEMA}])
async def test_chat_completions(model: Any, check: Check, extra: dict[str, Any]) -> None:
    if "response_format" in extra:
        described = {"name": "post", "strict": True, "schema": SCHEMA}
        extra = {"response_format": {"type": "json_schema", "json_schema": described}}
    answer = await model.http.post("/v1/chat/completions", json=CHAT | extra)
    check("CreateChatCompletionResponse", answer.json())


@pytest.mark.parametrize("extra", [{}, {"max_output_tokens": 2}, {"text": SCHEMA}, {"instructions": "Be brief."}])
async def test_responses(model: Any, check: Check, extra: dict[str, Any]) -> None:
    if "text" in extra:
        extra = {"text": {"format": {"type": "json_schema", "name": "post", "strict": True, "schema": SCHEMA}}}
    answer = await model.http.post("/v1/responses", json=RESPONSE | extra)
    assert answer.status_code == 200
    check("Response", answer.json())


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/responses"])
async def test_refusals(model: Any, check: Check, path: str) -> None:
    model.fault("refusal")
    answer = await model.http.post(path, json=CHAT if "chat" in path else RESPONSE)
    check("CreateChatCompletionResponse" if "chat" in path else "Response", answer.json())


@pytest.mark.parametrize("kind", ["rate_limit", "server_error", "token_limit"])
async def test_errors(model: Any, check: Check, kind: str) -> None:
    model.fault(kind, seconds=1)
    answer = await model.http.post("/v1/chat/completions", json=CHAT)
    assert answer.status_code >= 400
    check("ErrorResponse", answer.json())


@pytest.mark.parametrize("model_name", ["gpt-image-1", "dall-e-2", "dall-e-3"])
async def test_images(model: Any, check: Check, model_name: str) -> None:
    answer = await model.http.post("/v1/images/generations", json={"model": model_name, "prompt": "A bridge"})
    assert answer.status_code == 200
    check("ImagesResponse", answer.json())


async def test_refused_images(model: Any, check: Check) -> None:
    model.fault("content_policy", "images")
    answer = await model.http.post("/v1/images/generations", json={"model": "gpt-image-1", "prompt": "A bridge"})
    assert answer.status_code == 400
    check("ErrorResponse", answer.json())


async def test_models(model: Any, check: Check) -> None:
    check("ListModelsResponse", (await model.http.get("/v1/models")).json())


async def test_the_check_finds_what_is_wrong(check: Check) -> None:
    with pytest.raises(AssertionError, match="choices"):
        check("CreateChatCompletionResponse", {"id": "x"})
