"""Parameters and answers are those of the machine-readable descriptions of the Graph API."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

TYPES = {"string": str, "int": int, "bool": bool, "datetime": str, "User": dict, "IGUser": dict}


@pytest.fixture(scope="session")
def described(specs: Path) -> dict[str, Any]:
    """The descriptions by name: fields with their types, and calls with their parameters."""
    directory = specs / "instagram_graph"
    if not directory.is_dir():
        pytest.skip(f"no descriptions of the Graph API at {directory} (POSTROOM_SPECS names the directory above)")
    return {path.stem: json.loads(path.read_text("utf-8")) for path in directory.glob("*.json")}


def parameters(node: dict[str, Any], method: str, endpoint: str) -> dict[str, bool]:
    """Return the parameters of a call, and which of them are required."""
    (call,) = [each for each in node["apis"] if each["method"] == method and each.get("endpoint") == endpoint]
    return {each["name"]: each["required"] for each in call["params"]}


def test_the_parameters_that_publishing_uses_are_described(described: dict[str, Any]) -> None:
    user = described["IGUser"]
    making = {"image_url", "caption", "alt_text", "is_carousel_item", "media_type", "children"}
    assert making <= parameters(user, "POST", "media").keys()
    assert parameters(user, "POST", "media_publish") == {"creation_id": True}
    assert parameters(user, "GET", "content_publishing_limit").keys() == {"since"}
    assert parameters(user, "GET", "media").keys() == {"since", "until"}


@pytest.mark.parametrize("name", ["IGMedia", "IGMediaForIGOnlyAPI", "IGUserForIGOnlyAPI", "IGUser"])
async def test_every_field_may_be_asked_for_and_has_its_type(
    instagram: Any, described: dict[str, Any], name: str
) -> None:
    types = {each["name"]: each["type"] for each in described[name]["fields"]}
    post = await instagram.published("A caption")
    node = post if "Media" in name else "me"
    answer = await instagram.get(node, fields=",".join(types))
    assert "error" not in answer, answer
    assert answer.keys() <= types.keys()
    for field, value in answer.items():
        assert isinstance(value, TYPES[types[field]]), (field, value)
        if types[field] == "datetime":
            assert datetime.fromisoformat(value).timestamp() == int(instagram.clock.now)
    assert ("caption" in answer) == ("Media" in name)


async def test_a_refreshed_token_is_described(instagram: Any, described: dict[str, Any]) -> None:
    asked = {"grant_type": "ig_refresh_token", "access_token": instagram.token}
    answer = (await instagram.http.get("refresh_access_token", params=asked)).json()
    fields = {each["name"]: each["type"] for each in described["IGRefreshAccessTokenForIGOnlyAPI"]["fields"]}
    assert answer.keys() == fields.keys()
    assert all(isinstance(value, TYPES[fields[name]]) for name, value in answer.items())
