"""The examples of docs/catalog.md are files that the command takes, and what they say arrives."""

import re
import tomllib
from pathlib import Path

import pytest
from pydantic import ValidationError

from common.planning.slots import Slots
from postroom.commands.catalog import CatalogFile

GUIDE = Path(__file__).parents[1] / "docs" / "catalog.md"
BLOCK = re.compile(r"^```toml\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def guide() -> CatalogFile:
    """All examples as one file: that of the slots goes on with the last route."""
    return CatalogFile.model_validate(tomllib.loads("".join(BLOCK.findall(GUIDE.read_text(encoding="utf-8")))))


def test_the_examples_are_a_catalog() -> None:
    route = guide().route[-1]
    assert route.slots == Slots(
        timezone="Europe/Moscow",
        minimum_distance_minutes=30,
        times={"1": ["09:00", "13:00", "18:30"], "6": ["11:00"]},
    )


@pytest.mark.parametrize("slots", ["{}", '{times = {8 = ["09:00"]}}', '{times = {1 = ["09:00"]}, zone = "UTC"}'])
def test_slots_that_can_not_be_are_refused(slots: str) -> None:
    route = '[[route]]\nname = "r"\nprofile = "p"\ntargets = ["telegram:@a"]\n'
    with pytest.raises(ValidationError):
        CatalogFile.model_validate(tomllib.loads(f"{route}slots = {slots}\n"))


@pytest.mark.parametrize("schedule", ["every day", "* * * *", "61 * * * *", "0 9 31 2 *", "* * * * fri-tue"])
def test_a_schedule_that_can_not_be_read_is_refused(schedule: str) -> None:
    source = '[[source]]\nkind = "feed"\naddress = "https://example.org/feed.xml"\n'
    with pytest.raises(ValidationError, match="Value error"):
        CatalogFile.model_validate(tomllib.loads(f'{source}schedule = "{schedule}"\n'))
