"""The JSON API."""

import base64
from typing import Any

import httpx
import pytest

from sandbox.app import Sandbox
from sandbox.demo.pictures import picture


async def add_channel(http: httpx.AsyncClient, **given: Any) -> int:
    answer = await http.post("/api/chats", json={"title": "Town", "username": "town_news"} | given)
    assert answer.status_code == 201, answer.text
    number: int = answer.json()["id"]
    return number


async def test_a_person_posts_and_it_can_be_read(http: httpx.AsyncClient) -> None:
    chat = await add_channel(http)
    posted = await http.post(f"/api/chats/{chat}/messages", json={"text": "😀 **Bridge** open: https://a.example #now"})
    assert posted.status_code == 201
    (message,) = (await http.get(f"/api/chats/{chat}/messages")).json()
    assert message["text"] == "😀 Bridge open: https://a.example #now"
    assert [(each["type"], each["offset"], each["length"]) for each in message["entities"]] == [
        ("bold", 3, 6),
        ("url", 16, 17),
        ("hashtag", 34, 4),
    ]
    assert message["id"] == posted.json()["id"]


async def test_messages_are_paged_by_id(http: httpx.AsyncClient) -> None:
    chat = await add_channel(http)
    for number in range(5):
        await http.post(f"/api/chats/{chat}/messages", json={"text": f"No. {number}"})
    page = (await http.get(f"/api/chats/{chat}/messages", params={"after": 2, "limit": 2})).json()
    assert [message["id"] for message in page] == [3, 4]
    assert (await http.get("/api/chats/@town_news/messages", params={"after": 5})).json() == []
    described = (await http.get(f"/api/chats/{chat}")).json()
    assert (described["message_count"], described["last_message_id"]) == (5, 5)


async def test_photos_become_an_album(http: httpx.AsyncClient) -> None:
    chat = await add_channel(http)
    photos = [base64.b64encode(picture(number, 120, 90)).decode() for number in range(2)]
    await http.post(f"/api/chats/{chat}/messages", json={"text": "Two views", "photos": photos})
    first, second = (await http.get(f"/api/chats/{chat}/messages")).json()
    assert first["grouped_id"] == second["grouped_id"]
    assert (first["text"], second["text"]) == ("Two views", "")
    assert (first["media"]["type"], first["media"]["width"]) == ("photo", 120)
    shown = await http.get(first["media"]["path"])
    assert shown.headers["content-type"] == "image/png"
    assert base64.b64encode(shown.content).decode() == photos[0]


async def test_messages_are_edited_and_deleted(http: httpx.AsyncClient) -> None:
    chat = await add_channel(http)
    await http.post(f"/api/chats/{chat}/messages", json={"text": "Old"})
    edited = await http.patch(f"/api/chats/{chat}/messages/1", json={"text": "New"})
    assert edited.json()["edit_date"]
    assert (await http.delete(f"/api/chats/{chat}/messages/1")).status_code == 204
    assert (await http.get(f"/api/chats/{chat}/messages")).json() == []
    assert (await http.delete(f"/api/chats/{chat}/messages/1")).status_code == 404


async def test_a_chat_has_the_rules_it_was_given(http: httpx.AsyncClient, sandbox: Sandbox) -> None:
    rules = {"kind": "megagroup", "members": ["postroom_collector"], "noforwards": True, "slow_mode_seconds": 30}
    chat = await add_channel(http, **rules)
    described = (await http.get(f"/api/chats/{chat}")).json()
    assert described["noforwards"]
    assert described["slow_mode_seconds"] == 30
    collector = sandbox.world.find_user("postroom_collector")
    assert collector
    assert collector.id in described["members"]


@pytest.mark.parametrize(
    ("path", "body", "status", "field"),
    [
        ("/api/chats", {}, 422, "title"),
        ("/api/chats", {"title": "x", "username": "a b"}, 422, "username"),
        ("/api/chats", {"title": "x", "username": "postroom_collector"}, 409, "username"),
        ("/api/chats", {"title": "x", "members": ["nobody_here"]}, 422, "members"),
        ("/api/chats/@postroom_demo/messages", {"text": ""}, 422, "text"),
        ("/api/chats/@postroom_demo/messages", {"text": "x" * 4097}, 422, "text"),
        ("/api/chats/@postroom_demo/messages", {"photos": ["AAAA"]}, 422, "photos"),
        ("/api/chats/@postroom_demo/messages", {"photos": [7]}, 422, "photos.0"),
        ("/api/chats/@postroom_demo/messages", {"text": "x", "author": "nobody_here"}, 422, "author"),
        ("/api/faults", {"kind": "drop"}, 422, "where"),
        ("/api/faults", {"where": "moon", "kind": "drop"}, 422, "where"),
        ("/api/faults", {"where": "model", "kind": "eclipse"}, 422, "kind"),
        ("/api/faults", {"where": "telegram:*", "kind": "invalid_json"}, 422, "kind"),
        ("/api/faults", {"where": "model", "kind": "drop", "times": 0}, 422, "times"),
        ("/api/faults", {"where": "model", "kind": "drop", "often": 1}, 422, "often"),
    ],
)
async def test_bad_input_is_named(
    http: httpx.AsyncClient, path: str, body: dict[str, Any], status: int, field: str
) -> None:
    answer = await http.post(path, json=body)
    problem = answer.json()
    assert (answer.status_code, problem["status"]) == (status, status)
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["errors"][0]["field"] == field


@pytest.mark.parametrize(
    "path", ["/nothing", "/api/chats/7", "/api/chats/--7/messages", "/chats/@nobody", "/feeds/none"]
)
async def test_what_is_not_there(http: httpx.AsyncClient, path: str) -> None:
    answer = await http.get(path)
    assert answer.status_code == 404
    assert answer.json()["instance"] == path


@pytest.mark.parametrize("query", ["after=x", "after=-1", "limit=0", "limit=1001", "after=99999999999"])
async def test_a_bad_query_is_named(http: httpx.AsyncClient, query: str) -> None:
    answer = await http.get(f"/api/chats/@postroom_demo/messages?{query}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["parameter"] == query.partition("=")[0]


async def test_a_wrong_method_is_a_problem_too(http: httpx.AsyncClient) -> None:
    answer = await http.put("/api/faults")
    assert answer.status_code == 405
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["allow"]


async def test_faults_are_listed_and_cleared(http: httpx.AsyncClient) -> None:
    for kind in ("drop", "hang", "refusal"):
        assert (await http.post("/api/faults", json={"where": "model", "kind": kind})).status_code == 201
    first = (await http.get("/api/faults")).json()[0]
    assert first["kind"] == "drop"
    await http.delete(f"/api/faults/{first['id']}")
    assert [fault["kind"] for fault in (await http.get("/api/faults")).json()] == ["hang", "refusal"]
    await http.delete("/api/faults")
    assert (await http.get("/api/faults")).json() == []


async def test_the_model_journal(http: httpx.AsyncClient) -> None:
    key = {"authorization": "Bearer sk-sandbox"}
    await http.post("/v1/responses", json={"model": "m", "input": "Hello there"}, headers=key)
    await http.post("/v1/responses", json={"model": "m"}, headers=key)
    journal = (await http.get("/api/model/requests", params={"limit": 1})).json()
    assert journal["total"] == 2
    assert [served["status"] for served in journal["requests"]] == [400]


async def test_health(http: httpx.AsyncClient) -> None:
    assert (await http.get("/health/live")).status_code == 200
    assert (await http.get("/health/ready")).json() == {"status": "ok"}
