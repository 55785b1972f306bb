"""Requests that OpenAI would refuse are refused in its words."""

from typing import Any

import pytest

HELLO = [{"role": "user", "content": "Hello"}]


def strict(schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "r", "strict": True, "schema": schema}}


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, None),
        ({"model": "m"}, "messages"),
        ({"model": "m", "messages": "Hello"}, "messages"),
        ({"model": "m", "messages": []}, "messages"),
        ({"model": "m", "messages": [7]}, "messages[0]"),
        ({"model": "m", "messages": [{"content": "Hello"}]}, "messages[0].role"),
        ({"model": "m", "messages": [{"role": "system", "content": "Hello"}]}, "messages"),
        ({"model": "m", "messages": [{"role": "user", "content": [{"type": "text"}]}]}, "messages[0].content[0].text"),
        ({"model": "m", "messages": HELLO, "max_tokens": "7"}, "max_tokens"),
        ({"model": "m", "messages": HELLO, "max_completion_tokens": 0}, "max_completion_tokens"),
        ({"model": "m", "messages": HELLO, "n": 99}, "n"),
        ({"model": "m", "messages": HELLO, "stream": True}, "stream"),
        ({"model": "m", "messages": HELLO, "response_format": {"type": "xml"}}, "response_format.type"),
        ({"model": "m", "messages": HELLO, "response_format": {"type": "json_object"}}, "messages"),
        ({"model": "m", "messages": HELLO, "response_format": strict({"type": "object"})}, "response_format"),
        (
            {
                "model": "m",
                "messages": HELLO,
                "response_format": strict(
                    {"type": "object", "additionalProperties": False, "properties": {"a": {"type": "string"}}}
                ),
            },
            "response_format",
        ),
    ],
)
async def test_bad_requests(model: Any, body: dict[str, Any], param: str | None) -> None:
    answer = await model.http.post("/v1/chat/completions", json=body)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["param"] == param
    assert error["type"] == "invalid_request_error"
    assert error["message"]


async def test_what_is_not_json(model: Any) -> None:
    for content in (b"{", b"[]", b"\xff"):
        answer = await model.http.post("/v1/responses", content=content)
        assert answer.status_code == 400


async def test_a_bad_request_uses_up_no_fault(model: Any) -> None:
    model.fault("server_error")
    await model.http.post("/v1/responses", json={})
    assert len(list(model.faults)) == 1


async def test_the_last_user_message_counts_and_parts_are_joined(model: Any) -> None:
    parts = [
        {"type": "text", "text": "<post>Second 2"},
        {"type": "image_url", "image_url": {"url": "data:,"}},
        {"type": "text", "text": "and third 3</post> thanks"},
    ]
    messages = [*HELLO, {"role": "assistant", "content": "Yes?"}, {"role": "user", "content": parts}]
    await model.http.post("/v1/chat/completions", json={"model": "m", "messages": messages})
    assert next(iter(model.journal)).source == "Second 2\nand third 3"
