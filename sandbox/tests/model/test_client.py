"""The real `openai` client against the endpoint."""

from typing import Any, Literal

import openai
import pytest
from pydantic import BaseModel, Field

POST = "Новый мост откроют 14 июня, сообщили в мэрии. Подробности: https://bridge.example.com/report #мост"


class Rewrite(BaseModel):
    """What a rewriter asks for."""

    text: str
    title: str = Field(max_length=40)
    hashtags: list[str]
    language: Literal["ru", "en", "other"]
    image_prompt: str | None


def prompt(text: str = POST) -> list[Any]:
    return [
        {"role": "system", "content": "Rewrite the post."},
        {"role": "user", "content": f"Profile: lively.\n<post>\n{text}\n</post>\nAnswer in its language."},
    ]


async def test_a_completion_rewrites_the_post_and_keeps_its_facts(model: Any) -> None:
    completion = await model.openai.chat.completions.create(model="any", messages=prompt())
    text = completion.choices[0].message.content
    assert text
    assert text != POST
    assert "Profile" not in text
    for fact in ("14 июня", "https://bridge.example.com/report", "#мост"):
        assert fact in text
    assert completion.choices[0].finish_reason == "stop"
    assert completion.usage
    assert completion.usage.total_tokens == completion.usage.prompt_tokens + completion.usage.completion_tokens > 0


async def test_a_brief_becomes_a_post_under_its_heading(model: Any) -> None:
    brief = "**Праздник города**\n\nНачало в 12:00, вход свободный: https://example.com/day"
    messages = [{"role": "user", "content": f"<brief>\n{brief}\n</brief>"}]
    completion = await model.openai.chat.completions.create(model="any", messages=messages)
    text = completion.choices[0].message.content
    assert text.startswith("**Праздник города**\n\n")
    assert text != brief
    for fact in ("12:00", "https://example.com/day"):
        assert fact in text


async def test_the_same_request_gets_the_same_answer(model: Any) -> None:
    first, second = [await model.openai.chat.completions.create(model="any", messages=prompt(), n=2) for _ in range(2)]
    assert first.id == second.id
    assert [choice.message for choice in first.choices] == [choice.message for choice in second.choices]
    assert first.choices[0].message.content != first.choices[1].message.content


async def test_parse_of_a_completion_fills_the_model(model: Any) -> None:
    completion = await model.openai.chat.completions.parse(model="any", messages=prompt(), response_format=Rewrite)
    parsed = completion.choices[0].message.parsed
    assert parsed
    assert (parsed.language, parsed.hashtags) == ("ru", ["#мост"])
    assert "https://bridge.example.com/report" in parsed.text
    assert parsed.title.startswith("Новый мост")
    assert parsed.image_prompt


async def test_parse_of_a_response_fills_the_model(model: Any) -> None:
    response = await model.openai.responses.parse(
        model="any", instructions="Rewrite the post.", input=prompt()[1:], text_format=Rewrite
    )
    assert response.output_parsed
    assert "14 июня" in response.output_parsed.text
    assert response.status == "completed"
    assert response.usage.input_tokens > 0


async def test_a_response_to_a_plain_string(model: Any) -> None:
    response = await model.openai.responses.create(model="any", input="The bridge opens on 14 June, they said that.")
    assert "14 June" in response.output_text


async def test_models_are_listed(model: Any) -> None:
    assert [each.id async for each in model.openai.models.list()] == ["sandbox-writer"]


async def test_a_small_token_limit_ends_with_length(model: Any) -> None:
    completion = await model.openai.chat.completions.create(model="any", messages=prompt(), max_completion_tokens=5)
    assert completion.choices[0].finish_reason == "length"
    assert completion.usage.completion_tokens <= 5
    response = await model.openai.responses.create(model="any", input=POST, max_output_tokens=5)
    assert (response.status, response.incomplete_details.reason) == ("incomplete", "max_output_tokens")
    with pytest.raises(openai.LengthFinishReasonError):
        await model.openai.chat.completions.parse(
            model="any", messages=prompt(), response_format=Rewrite, max_completion_tokens=5
        )


async def test_a_prompt_over_the_context_is_refused(model: Any) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        await model.openai.chat.completions.create(model="any", messages=prompt("слово " * 2000))
    assert caught.value.code == "context_length_exceeded"
    assert caught.value.param == "messages"


async def test_a_missing_or_wrong_key_is_401(model: Any) -> None:
    with pytest.raises(openai.AuthenticationError) as caught:
        await model.openai.with_options(api_key="sk-wrong").chat.completions.create(model="any", messages=prompt())
    assert caught.value.code == "invalid_api_key"
    answer = await model.http.get("/v1/models", headers={"authorization": ""})
    assert answer.status_code == 401


async def test_the_journal_remembers_the_newest_first(model: Any) -> None:
    await model.openai.responses.create(model="first", input="One thing.")
    await model.openai.chat.completions.create(model="second", messages=prompt())
    newest, oldest = model.journal
    assert (newest.model, newest.endpoint, newest.source, newest.status) == ("second", "chat.completions", POST, 200)
    assert (oldest.model, oldest.endpoint, oldest.source) == ("first", "responses", "One thing.")
