"""What OpenAI refuses in a strict JSON schema: https://platform.openai.com/docs/guides/structured-outputs."""

from typing import Any

from sandbox.model.errors import bad_request


def check_strict(schema: dict[str, Any], name: str, param: str) -> None:
    """Raise the 400 that OpenAI answers where a strict schema leaves an object open or a property optional."""
    if schema.get("type") != "object":
        kind = schema.get("type") or "None"
        raise _invalid(name, (), f"schema must be a JSON Schema of 'type: \"object\"', got 'type: \"{kind}\"'.", param)
    complaint = _complaint(schema, ())
    if complaint:
        raise _invalid(name, *complaint, param)


def _invalid(name: str, context: tuple[str, ...], text: str, param: str) -> Exception:
    return bad_request(
        f"Invalid schema for response_format '{name}': In context={context!r}, {text}", param, "invalid_json_schema"
    )


def _complaint(schema: object, context: tuple[str, ...]) -> tuple[tuple[str, ...], str] | None:
    if not isinstance(schema, dict):
        return None
    properties = schema.get("properties")
    if isinstance(properties, dict) or schema.get("type") == "object":
        if schema.get("additionalProperties") is not False:
            return context, "'additionalProperties' is required to be supplied and to be false."
        optional = [name for name in properties or {} if name not in schema.get("required", ())]
        if optional:
            return context, (
                "'required' is required to be supplied and to be an array including every key in properties. "
                f"Missing '{optional[0]}'."
            )
    for keyword in ("properties", "$defs", "definitions"):
        for name, inner in (schema.get(keyword) or {}).items():
            found = _complaint(inner, (*context, keyword, name))
            if found:
                return found
    for number, inner in enumerate(schema.get("anyOf") or ()):
        found = _complaint(inner, (*context, "anyOf", str(number)))
        if found:
            return found
    return _complaint(schema.get("items"), (*context, "items"))
