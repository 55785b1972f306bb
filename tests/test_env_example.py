"""`.env.example` names every setting once, with its default and what it is for."""

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, TypeAdapter
from pydantic.fields import FieldInfo

from common.contracts import topology
from common.messaging.queue import QueueSettings
from common.service import SettingsGroup

EXAMPLE = Path(__file__).parents[1] / ".env.example"
SERVICES = sorted({durable.service for durable in topology().durables()})
VARIABLE = re.compile(r"^#?([A-Z][A-Z_]*)=(.*)$", re.MULTILINE)
EMPTY = (None, "", ())


class Queues:
    """Stands where a service is given to `register`, and notes what is consumed, and how."""

    def __init__(self) -> None:
        self.found: dict[str, QueueSettings] = {}

    def consume(self, durable: str, _handler: Any, defaults: QueueSettings | None = None) -> None:
        self.found[topology().durable(durable).queue] = defaults or QueueSettings()


def groups() -> Iterator[type[SettingsGroup]]:
    """Every group of settings that a module of the product defines."""
    for name in ("common", "postroom", *SERVICES):
        package = importlib.import_module(name)
        for found in pkgutil.walk_packages(package.__path__, f"{name}."):
            if found.name.endswith("__main__") or found.name.startswith("common.testing"):
                continue
            module = importlib.import_module(found.name)
            for each in vars(module).values():
                if inspect.isclass(each) and issubclass(each, SettingsGroup) and each.__module__ == found.name:
                    yield each


def queues() -> dict[str, QueueSettings]:
    """Every queue, with what its service sets."""
    noted = Queues()
    for service in SERVICES:
        register = importlib.import_module(f"{service}.consumers").register
        register(noted, *[None] * (len(inspect.signature(register).parameters) - 1))
    return noted.found


def declared() -> dict[str, list[tuple[FieldInfo, Any]]]:
    """Every variable, with its field and its default in each group that has it."""
    found: dict[str, list[tuple[FieldInfo, Any]]] = {}
    for group in groups():
        for name, field in group.model_fields.items():
            default = None if field.is_required() else plain(field.get_default(call_default_factory=True))
            found.setdefault(name.upper(), []).append((field, default))
    for queue, settings in queues().items():
        for name, field in QueueSettings.model_fields.items():
            found[f"{queue}_{name}".upper()] = [(field, getattr(settings, name))]
    return found


def plain(value: Any) -> Any:
    """A default as the example can show it."""
    if hasattr(value, "get_secret_value"):
        return value.get_secret_value()
    if isinstance(value, dict):
        return {key: each.model_dump() if isinstance(each, BaseModel) else each for key, each in value.items()}
    return value


def parsed(field: FieldInfo, text: str) -> Any:
    """What a setting becomes that has this text in the environment."""
    kind: Any = Annotated[(field.annotation, *field.metadata, "a setting")]
    return plain(TypeAdapter(kind).validate_python(text))


def example() -> dict[str, str]:
    return dict(VARIABLE.findall(EXAMPLE.read_text(encoding="utf-8")))


def test_every_variable_is_there_once() -> None:
    names = [name for name, _ in VARIABLE.findall(EXAMPLE.read_text(encoding="utf-8"))]
    assert sorted(names) == sorted(declared())


@pytest.mark.parametrize("name", sorted(declared()))
def test_a_variable_has_its_default(name: str) -> None:
    text = example()[name]
    defaults = [(field, default) for field, default in declared()[name] if default not in EMPTY]
    assert text or not defaults, f"{name} has the default {defaults[0][1]!r}"
    assert not text or defaults, f"{name} has no default, so the example must leave it empty"
    for field, default in defaults:
        assert parsed(field, text) == default


def test_copied_as_it_is_the_example_changes_nothing() -> None:
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line and not line.startswith("#")] == []


def test_every_variable_says_what_it_is_for() -> None:
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    for before, line in pairwise(lines):
        if VARIABLE.match(line):
            assert before.startswith("# "), line
