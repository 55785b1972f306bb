"""What a client asked, and what is answered, apart from the dialect (chat completions or responses) it is said in."""

from dataclasses import dataclass
from typing import Any

from sandbox.model.errors import bad_request


@dataclass(frozen=True, slots=True)
class Question:
    """One request. `source` is the text to rewrite, or the brief to write from (`writing`); `prompt` is everything
    that was sent, for counting tokens.
    """

    model: str
    prompt: str
    source: str
    schema: dict[str, Any] | None
    max_tokens: int | None
    choices: int
    body: dict[str, Any]
    writing: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer: a text per choice, or a refusal. `cut` says that a text ended at the token limit."""

    texts: tuple[str, ...]
    refusal: str | None
    cut: bool
    prompt_tokens: int
    completion_tokens: int


def count_tokens(text: str) -> int:
    """Estimate tokens as a quarter of the UTF-8 bytes: near the truth for English, a little high for Russian."""
    return -(-len(text.encode()) // 4)


def cut_to_tokens(text: str, tokens: int) -> str:
    """Return the first `tokens` tokens of the text, as `count_tokens` counts them."""
    return text.encode()[: tokens * 4].decode(errors="ignore")


def source_of(message: str) -> tuple[str, bool]:
    """Return what stands between `<post>` and `</post>` in a message, or the whole message where nothing does; or what
    stands between `<brief>` and `</brief>`, from which a post is to be written, and True.
    """
    for tag in ("post", "brief"):
        start, end = message.find(f"<{tag}>"), message.rfind(f"</{tag}>")
        if 0 <= start < end:
            return message[start + len(tag) + 2 : end].strip(), tag == "brief"
    return message.strip(), False


def text_of(content: object, param: str, kinds: tuple[str, ...]) -> str:
    """Return the text of a message's content: a string, or the parts whose type is one of `kinds`.

    Raises a 400 naming `param` where it is neither.
    """
    if isinstance(content, str):
        return content
    if content is None:
        return ""
    if not isinstance(content, list):
        raise bad_request(f"Invalid type for '{param}': expected a string or an array of objects.", param)
    texts = []
    for number, part in enumerate(content):
        if not isinstance(part, dict) or "type" not in part:
            raise bad_request(f"Missing required parameter: '{param}[{number}].type'.", f"{param}[{number}].type")
        if part["type"] in kinds:
            text = part.get("text")
            if not isinstance(text, str):
                raise bad_request(f"Missing required parameter: '{param}[{number}].text'.", f"{param}[{number}].text")
            texts.append(text)
    return "\n".join(texts)


def conversation(messages: list[Any], param: str, kinds: tuple[str, ...]) -> tuple[str, str]:
    """Return all the text of a list of messages, and the text of the last one by the user.

    Raises a 400 for a message without a role, or a list in which the user says nothing.
    """
    everything: list[str] = []
    asked: str | None = None
    for number, message in enumerate(messages):
        where = f"{param}[{number}]"
        if not isinstance(message, dict):
            raise bad_request(f"Invalid type for '{where}': expected an object.", where)
        if message.get("role") is None:
            raise bad_request(f"Missing required parameter: '{where}.role'.", f"{where}.role")
        text = text_of(message.get("content"), f"{where}.content", kinds)
        everything.append(text)
        if message["role"] == "user":
            asked = text
    if asked is None:
        raise bad_request("The sandbox rewrites the last user message, and there is none.", param)
    return "\n".join(everything), asked


def wanted(body: dict[str, Any], name: str, highest: int | None = None) -> int | None:
    """Return an optional positive integer of the body; 400 where it is something else."""
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise bad_request(f"Invalid type for '{name}': expected an integer.", name, "invalid_type")
    if value < 1 or (highest is not None and value > highest):
        raise bad_request(f"Invalid '{name}': integer out of range.", name, "integer_out_of_range")
    return value


def model_of(body: dict[str, Any]) -> str:
    """Return the model that was asked for, or raise the 400 that OpenAI answers without one."""
    model = body.get("model")
    if not isinstance(model, str) or not model:
        raise bad_request("you must provide a model parameter", None)
    return model
