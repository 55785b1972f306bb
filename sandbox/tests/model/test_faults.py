"""What each fault does to a request, as the real client sees it."""

import asyncio
import json
from typing import Any

import openai
import pytest
from pydantic import BaseModel


class Rewrite(BaseModel):
    text: str
    title: str


async def ask(model: Any, client: Any = None) -> Any:
    client = client or model.openai
    messages = [{"role": "user", "content": "The bridge opens on 14 June."}]
    schema = {"name": "rewrite", "schema": Rewrite.model_json_schema() | {"additionalProperties": False}}
    return await client.chat.completions.create(
        model="any", messages=messages, response_format={"type": "json_schema", "json_schema": schema}
    )


async def test_rate_limit_says_when_to_come_back(model: Any) -> None:
    model.fault("rate_limit", seconds=7)
    with pytest.raises(openai.RateLimitError) as caught:
        await ask(model)
    assert caught.value.response.headers["retry-after"] == "7"
    assert caught.value.code == "rate_limit_exceeded"
    await ask(model)


async def test_the_client_waits_and_retries_by_itself(model: Any) -> None:
    model.fault("rate_limit", seconds=0.01)
    await ask(model, model.openai.with_options(max_retries=1))
    assert [served.status for served in model.journal] == [200, 429]


@pytest.mark.parametrize(("seconds", "status"), [(0, 500), (3, 503)])
async def test_server_error(model: Any, seconds: float, status: int) -> None:
    model.fault("server_error", seconds=seconds, message="Out of order")
    with pytest.raises(openai.InternalServerError, match="Out of order") as caught:
        await ask(model)
    assert caught.value.status_code == status
    assert caught.value.response.headers.get("retry-after") == (str(seconds) if seconds else None)


async def test_token_limit(model: Any) -> None:
    model.fault("token_limit")
    with pytest.raises(openai.BadRequestError) as caught:
        await ask(model)
    assert caught.value.code == "context_length_exceeded"


async def test_invalid_json_is_not_json(model: Any) -> None:
    model.fault("invalid_json")
    completion = await ask(model)
    with pytest.raises(json.JSONDecodeError):
        json.loads(completion.choices[0].message.content)


async def test_wrong_schema_is_json_without_the_keys(model: Any) -> None:
    model.fault("wrong_schema")
    completion = await ask(model)
    assert not {"text", "title"} & json.loads(completion.choices[0].message.content).keys()


async def test_truncated_ends_in_the_middle(model: Any) -> None:
    model.fault("truncated")
    completion = await ask(model)
    assert completion.choices[0].finish_reason == "length"
    with pytest.raises(json.JSONDecodeError):
        json.loads(completion.choices[0].message.content)


async def test_refusal(model: Any) -> None:
    model.fault("refusal", message="No.")
    completion = await ask(model)
    assert completion.choices[0].message.refusal == "No."
    assert completion.choices[0].message.content is None
    model.fault("refusal")
    response = await model.openai.responses.create(model="any", input="Hello there")
    assert response.output[0].content[0].type == "refusal"


async def test_delay_answers_late(model: Any) -> None:
    model.fault("delay", seconds=0.05)
    await ask(model)
    assert next(iter(model.journal)).seconds >= 0.05


async def test_hang_never_answers_and_holds_nobody_else_up(model: Any) -> None:
    model.fault("hang")
    with pytest.raises(openai.APITimeoutError):
        await ask(model, model.openai.with_options(timeout=0.2))
    await ask(model)


async def test_drop_closes_the_connection(model: Any) -> None:
    model.fault("drop")
    with pytest.raises(openai.APIConnectionError) as caught:
        await ask(model)
    assert not isinstance(caught.value, openai.APITimeoutError)
    await ask(model)


async def test_a_fault_counts_down_over_concurrent_requests(model: Any) -> None:
    model.fault("server_error", times=3)
    results = await asyncio.gather(*(ask(model) for _ in range(8)), return_exceptions=True)
    assert sum(isinstance(each, openai.InternalServerError) for each in results) == 3
