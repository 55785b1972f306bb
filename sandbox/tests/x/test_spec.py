"""Requests and answers are valid under X's own OpenAPI document."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from sandbox.x.fields import MEDIA_FIELDS, POST_FIELDS, USER_FIELDS


class Document:
    """The document, with answers and bodies checked against it."""

    def __init__(self, contents: dict[str, Any]) -> None:
        self.contents = contents
        self._registry: Registry[Any] = Registry().with_resource("x", DRAFT202012.create_resource(contents))

    def errors(self, pointer: str, value: Any) -> list[str]:
        """Return what is wrong with a value under the schema at a pointer."""
        validator = Draft202012Validator({"$ref": f"x#{pointer}"}, registry=self._registry)
        return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]

    def answered(self, method: str, path: str, answer: httpx.Response) -> None:
        """Check an answer of an operation."""
        operation = self.contents["paths"][path][method]
        status = str(answer.status_code)
        if status in operation["responses"]:
            assert answer.headers["content-type"] == "application/json"
            pointer = f"/paths/{path.replace('/', '~1')}/{method}/responses/{status}/content/application~1json/schema"
        else:
            assert answer.headers["content-type"] == "application/problem+json"
            pointer = "/components/schemas/Problem"
        assert self.errors(pointer, answer.json()) == []

    def sent(self, path: str, body: Any) -> None:
        """Check the JSON body of a call that posts something."""
        pointer = f"/paths/{path.replace('/', '~1')}/post/requestBody/content/application~1json/schema"
        assert self.errors(pointer, body) == []


@pytest.fixture(scope="session")
def document(specs: Path) -> Document:
    """X's OpenAPI document."""
    path = specs / "x-api-v2-openapi.json"
    if not path.exists():
        pytest.skip(f"no OpenAPI document of X at {path} (POSTROOM_SPECS names the directory)")
    return Document(json.loads(path.read_text("utf-8")))


async def test_posts(x: Any, document: Document, draw: Any) -> None:
    media = await x.uploaded(draw())
    first = await x.posted("One https://example.com/x", media={"media_ids": [media]})
    body = {"text": "Two", "reply": {"in_reply_to_tweet_id": first}}
    document.sent("/2/tweets", body)
    document.answered("post", "/2/tweets", await x.http.post("/2/tweets", json=body))
    asked = {
        "post.fields": "attachments,created_at,conversation_id,entities,public_metrics",
        "expansions": "author_id,referenced_posts,attachments.media_keys,in_reply_to_user_id",
        "media.fields": "url,width,height,alt_text",
        "user.fields": "created_at,public_metrics,url,verified,protected",
    }
    document.answered("get", "/2/tweets/{id}", await x.http.get(f"/2/tweets/{first}", params=asked))
    timeline = await x.http.get(f"/2/users/{x.id}/tweets", params=asked | {"max_results": 5})
    assert len(timeline.json()["data"]) == 2
    document.answered("get", "/2/users/{id}/tweets", timeline)
    document.answered(
        "get", "/2/users/me", await x.http.get("/2/users/me", params={"user.fields": asked["user.fields"]})
    )
    document.answered("delete", "/2/tweets/{id}", await x.http.delete(f"/2/tweets/{first}"))


async def test_uploads(x: Any, document: Document, draw: Any) -> None:
    upload = "/2/media/upload"
    document.answered("post", upload, await x.upload(draw()))
    gif = draw(64, 64, "GIF", 3)
    opened = {"media_type": "image/gif", "media_category": "tweet_gif", "total_bytes": len(gif)}
    document.sent(f"{upload}/initialize", opened)
    answer = await x.http.post(f"{upload}/initialize", json=opened)
    document.answered("post", f"{upload}/initialize", answer)
    number = answer.json()["data"]["id"]
    part = await x.http.post(f"{upload}/{number}/append", files={"media": ("a", gif)}, data={"segment_index": "0"})
    document.answered("post", f"{upload}/{{id}}/append", part)
    document.answered("post", f"{upload}/{{id}}/finalize", await x.http.post(f"{upload}/{number}/finalize"))
    document.answered("get", upload, await x.http.get(upload, params={"media_id": number, "command": "STATUS"}))
    described = {"id": number, "metadata": {"alt_text": {"text": "A bridge"}}}
    document.sent("/2/media/metadata", described)
    document.answered("post", "/2/media/metadata", await x.http.post("/2/media/metadata", json=described))


async def test_problems(x: Any, document: Document) -> None:
    answers = [
        ("post", "/2/tweets", await x.post("x" * 281)),
        ("post", "/2/tweets", await x.post("x", media={"media_ids": ["1"]})),
        ("get", "/2/tweets/{id}", await x.http.get("/2/tweets/12")),
        ("get", "/2/users/{id}/tweets", await x.http.get(f"/2/users/{x.id}/tweets", params={"max_results": 1})),
        ("post", "/2/media/upload", await x.upload(b"text")),
    ]
    for method, path, answer in answers:
        assert "errors" in answer.json()
        document.answered(method, path, answer)


async def test_other_problems_have_the_members_that_x_gives_them(x: Any) -> None:
    """The document has no `about:blank`, which X answers to what is refused whatever the parameters were."""
    await x.post("same")
    for status, answer in (
        (403, await x.post("same")),
        (401, await x.http.get("/2/users/me", headers={"authorization": "Bearer x"})),
        (404, await x.http.get("/2/nothing")),
    ):
        body = answer.json()
        assert body.keys() == {"title", "detail", "type", "status"}
        assert (body["type"], body["status"], answer.status_code) == ("about:blank", status, status)


def test_every_field_is_in_the_document(document: Document) -> None:
    parameters = document.contents["components"]["parameters"]
    for name, known in (("Post", POST_FIELDS), ("User", USER_FIELDS), ("Media", MEDIA_FIELDS)):
        assert set(parameters[f"{name}FieldsParameter"]["schema"]["items"]["enum"]) == set(known)


def test_the_check_finds_what_is_wrong(document: Document) -> None:
    assert document.errors("/components/schemas/CreatePostsResponse", {"data": {"id": "x"}})
    assert document.errors("/components/schemas/Problem", {"title": "x"})
