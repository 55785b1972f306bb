"""What the publisher asks of Instagram and X is what their machine-readable specifications describe."""

import json
import os
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from publisher.adapters import calls as calling
from sandbox.demo.pictures import picture as drawn

from .conftest import File, Platforms, Stage, publishing
from .test_x import LONG

LARGE = 2**20  # of an upload, from which on it goes in parts
# https://developers.facebook.com/docs/graph-api/results and /guides/error-handling: what every edge takes
EVERYWHERE = {"fields", "limit", "after", "before"}
# The description has no containers: https://developers.facebook.com/docs/instagram-platform/instagram-graph-api/reference/ig-container
CONTAINER_FIELDS = {"status_code", "status"}


@pytest.fixture(scope="session")
def specs() -> Path:
    """The directory of the specifications."""
    beside = Path(__file__).parents[3].parent / "shared" / "specs"
    directory = Path(os.environ.get("POSTROOM_SPECS", beside))
    if not directory.is_dir():
        pytest.skip(f"no specifications at {directory} (POSTROOM_SPECS names the directory)")
    return directory


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[httpx.Request]:
    """Every request that the publisher sends to a platform, with its body."""
    requests: list[httpx.Request] = []
    stream = httpx.AsyncClient.stream

    def noting(self: httpx.AsyncClient, method: str, url: str, **given: Any) -> Any:
        request = self.build_request(method, url, **{name: each for name, each in given.items() if name != "auth"})
        requests.append(request)
        return stream(self, method, url, **given)

    monkeypatch.setattr(calling.httpx.AsyncClient, "stream", noting)
    return requests


async def fields_of(request: httpx.Request) -> dict[str, str]:
    """The fields of a form, or of a form with files: their names are enough there."""
    body = await request.aread()
    if request.headers.get("content-type", "").startswith("multipart/"):
        return {name.decode(): "" for name in re.findall(rb'form-data; name="([^"]+)"', body)}
    return dict(httpx.QueryParams(body.decode()))


async def test_x(stage: Stage, platforms: Platforms, specs: Path, sent: list[httpx.Request]) -> None:
    document = json.loads((specs / "x-api-v2-openapi.json").read_text("utf-8"))
    registry: Registry[Any] = Registry().with_resource("x", DRAFT202012.create_resource(document))
    video = File("video", b"\x00\x00\x00\x18ftypmp42" + bytes(LARGE), "video/mp4")
    platforms.fault("x:/2/tweets", "drop_after")
    async with publishing():
        await stage.ended(await stage.request(post_id=await stage.post("A", video), targets=["x:demo"]))
        await stage.ended(
            await stage.request(post_id=await stage.post("B", File("photo", drawn(1))), targets=["x:demo"])
        )
        await stage.ended(await stage.request(text=LONG, targets=["x:demo"]))
        stage.channel("closed", admin=False)
        await stage.ended(await stage.request(text="Deleted", targets=["x:demo", "telegram:@closed"]))
    seen = set()
    for request in sent:
        path = request.url.path.removeprefix("/x")
        known, operation = described(document, path, request.method)
        seen.add(f"{request.method} {known}")
        parameters = {each["name"]: each["schema"] for each in resolved(document, operation)}
        for name, value in request.url.params.items():
            assert valid_parameter(registry, parameters[name], value), f"{known}: {name}={value}"
        if "requestBody" in operation:
            content = operation["requestBody"]["content"]
            kind = request.headers["content-type"].partition(";")[0]
            assert kind in content, f"{known}: {kind}"
            if kind == "application/json":
                await request.aread()
                body: Any = json.loads(request.content)
                pointer = f"/paths/{known.replace('/', '~1')}/post/requestBody/content/application~1json/schema"
                assert list(Draft202012Validator({"$ref": f"x#{pointer}"}, registry=registry).iter_errors(body)) == []
            else:
                (schema,) = [document["components"]["schemas"][content[kind]["schema"]["$ref"].rpartition("/")[2]]]
                fields = await fields_of(request)
                assert set(schema["required"]) <= set(fields) <= set(schema["properties"])
    upload = "/2/media/upload"
    wanted = {"POST /2/tweets", "GET /2/users/{id}/tweets", "DELETE /2/tweets/{id}", f"POST {upload}", f"GET {upload}"}
    wanted |= {f"POST {upload}/{step}" for step in ("initialize", "{id}/append", "{id}/finalize")}
    assert seen >= wanted


async def test_instagram(stage: Stage, platforms: Platforms, specs: Path, sent: list[httpx.Request]) -> None:
    nodes = {path.stem: json.loads(path.read_text("utf-8")) for path in (specs / "instagram_graph").glob("*.json")}
    platforms.fault("instagram:media_publish", "drop_after")
    async with publishing():
        for number in (1, 2):
            photos = [File("photo", drawn(each)) for each in range(number)]
            post = await stage.post(f"{number}", *photos)
            result = await stage.ended(await stage.request(post_id=post, targets=["instagram:demo"]))
            assert result["status"] == "succeeded"
    user, media = nodes["IGUser"], {each["name"] for each in nodes["IGMedia"]["fields"]}
    node, seen = platforms.parts.announcement("")["instagram"]["accounts"][0]["id"], set()
    for request in sent:
        _, _, _, number, *edge = request.url.path.split("/")
        asked = set(request.url.params.get("fields", "").split(",")) - {""}
        if number != node:
            assert request.method == "GET"
            assert asked <= CONTAINER_FIELDS or asked <= media
            continue
        (call,) = [each for each in user["apis"] if (each["method"], each.get("endpoint")) == (request.method, edge[0])]
        given = set(request.url.params) | (set(await fields_of(request)) if request.method == "POST" else set())
        known = {each["name"] for each in call["params"]}
        assert given - EVERYWHERE <= known
        assert {each["name"] for each in call["params"] if each["required"]} <= given
        assert edge != ["media"] or asked <= media
        seen.add(f"{request.method} {edge[0]}")
    assert seen == {"POST media", "POST media_publish", "GET media", "GET content_publishing_limit"}


def described(document: dict[str, Any], path: str, method: str) -> tuple[str, dict[str, Any]]:
    """The operation of a path, under the path as the document has it."""
    for known, operations in document["paths"].items():
        pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(known))
        if method.lower() in operations and re.fullmatch(pattern, path):
            return known, operations[method.lower()]
    raise AssertionError(f"{method} {path} is not in the document")


def resolved(document: dict[str, Any], operation: dict[str, Any]) -> list[dict[str, Any]]:
    """The parameters of an operation."""
    parameters = document["components"]["parameters"]
    given = operation.get("parameters", [])
    return [parameters[each["$ref"].rpartition("/")[2]] if "$ref" in each else each for each in given]


def valid_parameter(registry: Any, schema: dict[str, Any], value: str) -> bool:
    """Whether a parameter of a query is valid under its schema."""
    typed: Any = value
    if schema.get("type") == "integer":
        typed = int(value)
    if schema.get("type") == "array":
        typed = value.split(",")
    text = json.dumps(schema).replace('"#/', '"x#/')
    return not list(Draft202012Validator(json.loads(text), registry=registry).iter_errors(typed))
