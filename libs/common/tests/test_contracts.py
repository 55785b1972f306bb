"""The contracts: complete, without drift, and every example ever committed still decodes."""

import json
import shutil
import subprocess
from pathlib import Path

import jsonschema
import pytest

from common.contracts import topology
from common.contracts.generate import EXAMPLES, drift, schema
from common.events import EVENTS, Event

BY_NAME = {event.wire_name(): event for event in EVENTS}


def examples() -> list[Path]:
    return sorted(EXAMPLES.glob("*/*.json"))


def test_generated_files_are_what_the_contracts_say() -> None:
    assert drift() == []


@pytest.mark.parametrize("example", examples(), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_example_decodes_and_is_valid(example: Path) -> None:
    event = BY_NAME[example.parent.name]
    payload = example.read_text()
    assert isinstance(event.model_validate_json(payload), Event)
    jsonschema.validate(json.loads(payload), schema(event))


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.wire_name())
def test_every_event_has_examples_and_a_subject(event: type[Event]) -> None:
    assert list((EXAMPLES / event.wire_name()).glob("*.json"))
    assert event.subject in topology().subjects


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.wire_name())
def test_an_event_ignores_what_a_newer_producer_adds(event: type[Event]) -> None:
    example = next((EXAMPLES / event.wire_name()).glob("*.json"))
    payload = json.loads(example.read_text()) | {"added_later": {"x": 1}}
    assert event.model_validate(payload) == event.model_validate_json(example.read_text())


def test_examples_are_append_only() -> None:
    git = shutil.which("git")
    root = Path(__file__).parents[3]
    if git is None or not (root / ".git").exists():
        pytest.skip("no git history here")
    folder = EXAMPLES.relative_to(root)
    changed = subprocess.run(
        [git, "log", "--diff-filter=MDR", "--name-status", "--format=", "--", str(folder)],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    assert changed.stdout == ""


def test_every_subject_lies_in_its_stream_and_every_durable_has_one_name() -> None:
    contracts = topology()
    names = [durable.name for durable in contracts.durables()]
    assert len(names) == len(set(names))
    for subject, contract in contracts.subjects.items():
        patterns = contracts.streams[contract.stream].subjects
        assert any(
            subject.startswith(pattern.rstrip(">")) or pattern.startswith(subject.rstrip(">")) for pattern in patterns
        )
