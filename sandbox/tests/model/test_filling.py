"""Whatever the schema, the answer is valid under it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker

from sandbox.model.draft import draft
from sandbox.model.filling import Filler
from sandbox.model.rewriting import Rewriter, load_phrasebooks

SOURCE = "Мост откроют 14 июня. Смета выросла на 7 %: https://bridge.example.com/report"


def filled(schema: dict[str, Any], source: str = SOURCE) -> Any:
    value = Filler(schema, draft(source, Rewriter(load_phrasebooks()), "")).fill()
    Draft202012Validator(schema, format_checker=FormatChecker()).validate(value)
    return value


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "maxLength": 12},
        {"type": "string", "minLength": 400, "maxLength": 420},
        {"type": "string", "enum": ["a", "b"]},
        {"type": "string", "format": "date-time"},
        {"type": "string", "format": "uuid"},
        {"type": ["null", "string"]},
        {"type": "integer", "minimum": 3, "maximum": 9},
        {"type": "integer", "exclusiveMinimum": 3},
        {"type": "integer", "minimum": 7, "multipleOf": 5},
        {"type": "number", "minimum": 0, "exclusiveMaximum": 1},
        {"type": "boolean"},
        {"const": 7},
        {"type": "array", "items": {"type": "string"}, "minItems": 7, "maxItems": 7},
        {"type": "array", "items": {"type": "string"}, "maxItems": 0},
        {"type": "array", "items": {"type": "object", "properties": {"n": {"type": "integer"}}}},
        {"anyOf": [{"type": "null"}, {"type": "string"}]},
        {"allOf": [{"type": "object", "required": ["a"]}, {"properties": {"a": {"type": "integer"}}}]},
        {"type": "object", "required": ["unnamed"]},
        {"$ref": "#/$defs/x~1y", "$defs": {"x/y": {"type": "string"}}},
        {
            "$defs": {
                "node": {
                    "type": "object",
                    "properties": {
                        "title": {"type": "string"},
                        "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]},
                        "children": {"type": "array", "items": {"$ref": "#/$defs/node"}},
                    },
                    "required": ["title", "next", "children"],
                }
            },
            "$ref": "#/$defs/node",
        },
    ],
)
def test_a_schema_is_filled(schema: dict[str, Any]) -> None:
    filled(schema)


def test_names_decide_what_a_string_says() -> None:
    names = ("text", "title", "summary", "image_prompt", "language", "source_url", "tags")
    schema = {"type": "object", "properties": {name: {"type": "string"} for name in names}}
    said = filled(schema)
    assert said["text"].endswith(SOURCE.removeprefix("Мост"))
    assert said["title"] == "Мост откроют 14 июня"
    assert said["language"] == "ru"
    assert said["source_url"] == "https://bridge.example.com/report"
    assert "Мост откроют" in said["image_prompt"]


def test_a_pattern_chooses_between_forms() -> None:
    bare = {"type": "array", "items": {"type": "string", "pattern": "^[^#]+$"}}
    marked = {"type": "array", "items": {"type": "string", "pattern": "^#"}}
    hashtags = filled({"type": "object", "properties": {"hashtags": bare}})["hashtags"]
    assert filled({"type": "object", "properties": {"hashtags": marked}})["hashtags"] == [f"#{tag}" for tag in hashtags]


def test_language_by_name() -> None:
    schema = {"type": "object", "properties": {"language": {"enum": ["English", "Russian"]}}}
    assert filled(schema)["language"] == "Russian"


@given(st.text(), st.integers(0, 60), st.integers(0, 60))
def test_any_text_fits_any_length(text: str, least: int, more: int) -> None:
    filled({"type": "string", "minLength": least, "maxLength": least + more}, text)
