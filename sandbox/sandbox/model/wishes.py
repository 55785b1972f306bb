"""What a client wishes to be drawn: the body of `POST /v1/images/generations`, checked as OpenAI does.

https://platform.openai.com/docs/api-reference/images/create
"""

import re
from dataclasses import dataclass
from typing import Any

from sandbox.model.errors import Refused, bad_request
from sandbox.model.question import wanted

OF_GPT_ALONE = ("background", "moderation", "output_compression", "output_format", "partial_images", "stream")


@dataclass(frozen=True, slots=True)
class Family:
    """What the models of a kind take. Without `formats` they draw PNG; an empty size means any."""

    longest_prompt: int
    most: int
    sizes: tuple[str, ...]
    qualities: tuple[str, ...]
    formats: tuple[str, ...] = ()


GPT = Family(
    32_000,
    10,
    ("auto", "1024x1024", "1536x1024", "1024x1536"),
    ("auto", "low", "medium", "high"),
    ("png", "jpeg", "webp"),
)
ANY_SIZE = Family(GPT.longest_prompt, GPT.most, (), GPT.qualities, GPT.formats)
DALL_E_2 = Family(1_000, 10, ("256x256", "512x512", "1024x1024"), ("auto", "standard"))
DALL_E_3 = Family(4_000, 1, ("1024x1024", "1792x1024", "1024x1792"), ("auto", "standard", "hd"))


@dataclass(frozen=True, slots=True)
class Wish:
    """A request that can be fulfilled. `of_gpt` says which dialect the answer is in; width and height are in pixels."""

    model: str
    of_gpt: bool
    prompt: str
    number: int
    width: int
    height: int
    quality: str
    output_format: str
    as_url: bool

    @property
    def size(self) -> str:
        """The size as it is written."""
        return f"{self.width}x{self.height}"


def family_of(model: str) -> Family:
    """Return what a model takes; those that OpenAI does not have take what its newest does."""
    if model.startswith("dall-e-"):
        return DALL_E_3 if model == "dall-e-3" else DALL_E_2
    return GPT if model.startswith("gpt-image-1") else ANY_SIZE


def read_wish(body: dict[str, Any], models: tuple[str, ...]) -> Wish:
    """Return what is wished; raises a 400 in OpenAI's words."""
    default = "gpt-image-1" if any(name in body for name in OF_GPT_ALONE) else "dall-e-2"
    model = body.get("model") or default
    if model not in models:
        raise _not_among("model", model, models)
    family = family_of(model)
    if body.get("stream") or body.get("partial_images"):
        raise bad_request("The sandbox does not stream.", "stream", "unsupported_value")
    if body.get("background") == "transparent":
        raise bad_request("The sandbox draws no transparent pictures.", "background", "unsupported_value")
    foreign = ("response_format", "style") if family.formats else OF_GPT_ALONE
    for name in foreign:
        if body.get(name) is not None:
            raise bad_request(f"Unknown parameter: '{name}'.", name, "unknown_parameter")
    width, height = _sides(_choice(body, "size", "auto" if family.formats else "1024x1024", family.sizes))
    return Wish(
        model=model,
        of_gpt=bool(family.formats),
        prompt=_prompt(body, family.longest_prompt),
        number=wanted(body, "n", family.most) or 1,
        width=width,
        height=height,
        quality=_choice(body, "quality", "auto", family.qualities),
        output_format=_choice(body, "output_format", "png", family.formats or ("png",)),
        as_url=not family.formats and _choice(body, "response_format", "url", ("url", "b64_json")) == "url",
    )


def _prompt(body: dict[str, Any], longest: int) -> str:
    prompt = body.get("prompt")
    if prompt is None:
        raise bad_request("Missing required parameter: 'prompt'.", "prompt", "missing_required_parameter")
    if not isinstance(prompt, str):
        raise bad_request("Invalid type for 'prompt': expected a string.", "prompt", "invalid_type")
    if not prompt:
        text = "Invalid 'prompt': empty string. Expected a string with minimum length 1."
        raise bad_request(text, "prompt", "empty_string")
    if len(prompt) > longest:
        text = (
            f"Invalid 'prompt': string too long. Expected a string with maximum length {longest}, "
            f"but got a string with length {len(prompt)} instead."
        )
        raise bad_request(text, "prompt", "string_above_max_length")
    return prompt


def _choice(body: dict[str, Any], name: str, default: str, choices: tuple[str, ...]) -> str:
    """Return a parameter that must be one of `choices`; none are no bound."""
    value = body.get(name)
    if value is None:
        return default
    if not isinstance(value, str) or (choices and value not in choices):
        raise _not_among(name, value, choices)
    return value


def _sides(size: str) -> tuple[int, int]:
    """Return width and height; those that no list holds must follow the rules of gpt-image-2."""
    if size == "auto":
        return 1024, 1024
    found = re.fullmatch(r"(\d{2,4})x(\d{2,4})", size)
    if not found:
        raise bad_request(f"Invalid size '{size}'. Expected WIDTHxHEIGHT or 'auto'.", "size", "invalid_value")
    width, height = int(found[1]), int(found[2])
    short, long = sorted((width, height))
    if width % 16 or height % 16 or short < 128 or long > 3 * short or long > 3840 or width * height > 3840 * 2160:
        raise bad_request(f"Invalid size '{size}': it is not supported by this model.", "size", "invalid_value")
    return width, height


def _not_among(name: str, value: object, choices: tuple[str, ...]) -> Refused:
    known = ", ".join(f"'{choice}'" for choice in choices)
    return bad_request(f"Invalid value: {value!r}. Supported values are: {known}.", name, "invalid_value")
