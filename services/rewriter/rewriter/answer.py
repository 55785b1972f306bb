"""The structured answer of the model: its schema, and how it is read."""

import re
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from common.telegram.utf16 import storable
from rewriter.ports import Reply

_HASHTAG = re.compile(r"\w*[^\W\d_]\w*")  # Telegram takes a word with at least one letter
MOST_HASHTAGS = 10


class InvalidAnswer(Exception):
    """The answer can't be used; the message tells the model what was wrong with it."""


class Answer(BaseModel):
    """What the model is asked for. Descriptions are part of the prompt; lengths can't be told in a strict schema."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str = Field(description="the rewritten post, in Telegram markdown")
    title: str = Field(description="a headline of at most 80 characters, plain text")
    hashtags: tuple[str, ...] = Field(description="up to five hashtags")
    language: str = Field(description="the language of the text, as a BCP 47 code")
    image_prompt: str = Field(description="one English sentence: what a picture for this post would show")

    @field_validator("text", "title", "language", "image_prompt")
    @classmethod
    def _stored(cls, value: str) -> str:
        return storable(value).strip()

    @field_validator("text")
    @classmethod
    def _says_something(cls, value: str) -> str:
        if not value:
            raise ValueError("it is empty")
        return value

    @field_validator("hashtags")
    @classmethod
    def _without_sign(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        """Keep each once, without `#`: whoever shows them puts it there."""
        bare = (value.strip().lstrip("#") for value in values)
        return tuple(dict.fromkeys(value for value in bare if _HASHTAG.fullmatch(value)))[:MOST_HASHTAGS]


def answer_format() -> dict[str, Any]:
    """Return the `response_format` that asks for an Answer.

    Strict: https://platform.openai.com/docs/guides/structured-outputs
    """
    return {
        "type": "json_schema",
        "json_schema": {"name": "rewrite", "strict": True, "schema": Answer.model_json_schema()},
    }


def read_answer(reply: Reply) -> Answer:
    """Return the answer in a reply. Raises InvalidAnswer where it was cut off, is no JSON, or has another schema."""
    if reply.finish_reason == "length":
        raise InvalidAnswer("it was cut off at the limit of tokens: be brief")
    try:
        return Answer.model_validate_json(reply.content)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_context=False, include_input=False)[0]
        if problem["type"] == "json_invalid":
            raise InvalidAnswer("it is not JSON: answer with the JSON object alone") from None
        where = ".".join(map(str, problem["loc"]))
        raise InvalidAnswer(f"it does not fit the schema: {where}: {problem['msg']}") from None
