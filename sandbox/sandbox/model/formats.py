"""Which JSON schema a request asks for; both dialects say it nearly alike."""

from typing import Any

from sandbox.model.errors import bad_request
from sandbox.model.strict import check_strict


def plain_object() -> dict[str, Any]:
    """Return the schema that stands for `{"type": "json_object"}`, where the client asks for any JSON at all."""
    names = {"text": {"type": "string"}, "title": {"type": "string"}, "language": {"type": "string"}}
    tags = {"hashtags": {"type": "array", "items": {"type": "string"}}}
    return {"type": "object", "properties": names | tags, "required": [*names, *tags]}


def schema_of(wanted: object, described: object, param: str, prompt: str) -> dict[str, Any] | None:
    """Return the schema of an answer, or None where plain text is wanted.

    `wanted` is `response_format` or `text.format`, and `described` the object in it that holds `name`, `schema` and
    `strict`: chat completions nest it under `json_schema`, responses do not. Raises a 400 naming `param`.
    """
    if wanted is None:
        return None
    if not isinstance(wanted, dict):
        raise bad_request(f"Invalid type for '{param}': expected an object.", param, "invalid_type")
    kind = wanted.get("type")
    if kind == "text":
        return None
    if kind == "json_object":
        if "json" not in prompt.lower():
            text = "must contain the word 'json' in some form, to use 'response_format' of type 'json_object'."
            raise bad_request(f"'messages' {text}", "messages")
        return plain_object()
    if kind != "json_schema":
        raise bad_request(
            f"Invalid value: '{kind}'. Supported values are: 'json_object', 'json_schema', and 'text'.",
            f"{param}.type",
            "invalid_value",
        )
    if not isinstance(described, dict):
        raise bad_request(f"Missing required parameter: '{param}.json_schema'.", f"{param}.json_schema")
    name = described.get("name")
    if not isinstance(name, str) or not name:
        raise bad_request(f"Missing required parameter: '{param}.name'.", f"{param}.name", "missing_required_parameter")
    schema = described.get("schema")
    if not isinstance(schema, dict):
        where = f"{param}.schema"
        raise bad_request(f"Missing required parameter: '{where}'.", where, "missing_required_parameter")
    if described.get("strict"):
        check_strict(schema, name, param)
    return schema
