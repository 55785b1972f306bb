"""Filling whatever JSON schema was asked for with what a draft has to say."""

import re
from collections.abc import Mapping
from math import ceil
from typing import Any

from sandbox.model.draft import Draft, shorten


class Filler:
    """Fills one schema from one draft. Keywords it does not know leave the value as it is."""

    def __init__(self, schema: Mapping[str, Any], draft: Draft) -> None:
        self._root = schema
        self._draft = draft

    def fill(self) -> object:
        """Return a value that is valid under the schema: names decide what a string says, keywords its shape."""
        return self._value(self._root, "", 0)

    def _value(self, schema: Mapping[str, Any], name: str, depth: int) -> object:
        schema = self._resolved(schema)
        if "const" in schema:
            return schema["const"]
        kind = schema.get("type")
        if isinstance(kind, list):
            # An optional value is given, until a schema that contains itself has gone deep enough.
            kinds = [each for each in kind if each != "null"]
            kind = "null" if not kinds or (len(kinds) < len(kind) and depth > 4) else kinds[0]
        if "enum" in schema:
            return self._choice(schema["enum"], name)
        match kind or ("object" if "properties" in schema else "array" if "items" in schema else "string"):
            case "object":
                return self._object(schema, depth)
            case "array":
                return self._array(schema, name, depth)
            case "integer" | "number" as numeric:
                return self._number(schema, numeric)
            case "boolean":
                return True
            case "null":
                return None
            case _:
                return self._string(schema, name)

    def _resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        """Follow `$ref`, merge `allOf`, and take the first alternative that is not null."""
        for _ in range(20):
            if "$ref" in schema:
                found: Any = self._root
                for step in str(schema["$ref"]).removeprefix("#").strip("/").split("/"):
                    found = found[step.replace("~1", "/").replace("~0", "~")] if step else found
                schema = {**found, **{key: value for key, value in schema.items() if key != "$ref"}}
            elif "allOf" in schema:
                parts = [self._resolved(part) for part in schema["allOf"]]
                merged: dict[str, Any] = {key: value for key, value in schema.items() if key != "allOf"}
                for part in parts:
                    merged |= part
                merged["properties"] = {k: v for part in parts for k, v in part.get("properties", {}).items()}
                merged["required"] = [k for part in parts for k in part.get("required", ())]
                schema = merged
            elif options := schema.get("anyOf") or schema.get("oneOf"):
                given = [option for option in options if option.get("type") != "null"]
                schema = given[0] if given else {"type": "null"}
            else:
                break
        return schema

    def _object(self, schema: Mapping[str, Any], depth: int) -> dict[str, object]:
        properties: Mapping[str, Any] = schema.get("properties", {})
        required = schema.get("required", ())
        filled = {
            name: None if depth > 4 and self._nullable(inner) else self._value(inner, name, depth + 1)
            for name, inner in properties.items()
            if name in required or depth <= 4
        }
        return filled | {name: self._draft.title for name in required if name not in properties}

    @staticmethod
    def _nullable(schema: Mapping[str, Any]) -> bool:
        return any(option.get("type") == "null" for option in schema.get("anyOf", ()))

    def _array(self, schema: Mapping[str, Any], name: str, depth: int) -> list[object]:
        least = int(schema.get("minItems", 0))
        most = int(schema.get("maxItems", max(least, 5)))
        items: Mapping[str, Any] = schema.get("items") or {"type": "string"}
        resolved = self._resolved(items)
        if depth > 4 and least == 0:
            return []
        if resolved.get("type") == "string" and "enum" not in resolved:
            names = self._list_of(name)
            names += [f"{names[0]}{number}" for number in range(2, 2 + max(0, least - len(names)))]
            return [self._fitting([each, each.lstrip("#")], resolved) for each in names[:most]]
        return [self._value(items, name, depth + 1) for _ in range(max(least, min(1, most)))]

    def _list_of(self, name: str) -> list[str]:
        if re.search(r"link|url", name):
            return [self._draft.link]
        if re.search(r"tag|keyword|topic", name):
            return list(self._draft.hashtags)
        return [self._draft.title]

    def _number(self, schema: Mapping[str, Any], kind: str) -> int | float:
        step = schema.get("multipleOf", 1 if kind == "integer" else 0)
        low = schema.get("minimum", schema.get("exclusiveMinimum"))
        high = schema.get("maximum", schema.get("exclusiveMaximum"))
        value: float = 1 if low is None else low
        if high is not None and value > high:
            value = high
        if low is not None and value == schema.get("exclusiveMinimum"):
            value = value + (step or ((high - low) / 2 if high is not None else 1))
        if high is not None and value == schema.get("exclusiveMaximum"):
            value = value - (step or 0.5)
        if step:
            value = ceil(value / step) * step
        return int(value) if kind == "integer" else value

    def _choice(self, options: list[object], name: str) -> object:
        for candidate in self._candidates(name):
            for option in options:
                if isinstance(option, str) and option.lower() == candidate.lower():
                    return option
        return options[len(self._draft.source) % len(options)]

    def _candidates(self, name: str) -> list[str]:
        """What a string property of this name may say, best first."""
        said, name = self._draft, name.lower()
        if re.search(r"lang|locale", name):
            names = {"ru": "Russian", "en": "English", "uk": "Ukrainian"}
            return [said.language, names.get(said.language, "Other")]
        if re.search(r"image|picture|illustration|prompt|alt", name):
            return [said.image_prompt]
        if re.search(r"title|headline|heading|subject|name$", name):
            return [said.title]
        if re.search(r"summary|description|excerpt|lead|reason|explanation", name):
            return [said.summary]
        if re.search(r"tag|keyword|topic|category", name):
            return [said.hashtags[0], said.hashtags[0].lstrip("#")]
        if re.search(r"url|link|href", name):
            return [said.link]
        return [said.text]

    def _string(self, schema: Mapping[str, Any], name: str) -> str:
        formats = {
            "date-time": "2026-01-01T12:00:00Z",
            "date": "2026-01-01",
            "time": "12:00:00Z",
            "email": "editor@example.com",
            "uri": self._draft.link,
            "uuid": f"00000000-0000-4000-8000-{len(self._draft.source):012d}",
        }
        if schema.get("format") in formats:
            return formats[schema["format"]]
        return self._fitting(self._candidates(name), schema)

    def _fitting(self, candidates: list[str], schema: Mapping[str, Any]) -> str:
        """Return the first candidate that matches `pattern`, else the first, within minLength and maxLength."""
        pattern = schema.get("pattern")
        matching = [each for each in candidates if pattern is None or re.search(pattern, each)]
        text = (matching or candidates)[0]
        least = int(schema.get("minLength", 0))
        most = int(schema.get("maxLength", max(least, len(text))))
        if len(text) < least:
            more = self._draft.plain or "…"
            return f"{text} {more}{f' {more}' * (least // len(more))}"[: max(least, min(most, 2 * least))]
        short = shorten(text, most)
        return short if len(short) >= least else text[:most]
