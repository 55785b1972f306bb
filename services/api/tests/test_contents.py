"""Contents over HTTP. The rewriter is played by the test: what it writes is what the real one writes."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest

from common.catalog import Catalog
from common.testing.waiting import eventually

from .conftest import Api

BRIEF = {"title": "The new bridge", "description": "It was opened on **12 May**."}


async def write(api: Api, post_id: str, text: str = "The bridge is open", **given: Any) -> UUID:
    """Do as the rewriter does."""
    values = {"status": "succeeded", "reason": None} | given
    row = await api.database.strict_fetch(
        "INSERT INTO rewrites (id, post_id, status, reason, title, text, hashtags, language, model, request, answer,"
        " prompt_tokens, completion_tokens, cost_usd, duration_ms) VALUES (gen_random_uuid(), $1, $2, $3, 'Bridge', $4,"
        " '{bridge}', 'en', 'm', '{}', '{}', 1, 1, 0.5, 1) RETURNING id",
        UUID(post_id), values["status"], values["reason"], text,
    )  # fmt: skip
    return UUID(str(row[0]["id"]))


async def create(api: Api, **given: Any) -> dict[str, Any]:
    answer = await api.http.post("/content/create", json=BRIEF | given)
    assert answer.status_code == 202, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_a_content_that_a_person_has_written_is_there_at_once(api: Api) -> None:
    answer = await api.http.post("/content/create", json={"title": "By hand", "text": "The **bridge** is open"})
    assert answer.status_code == 202, answer.text
    made = answer.json()
    assert (made["status"], made["text"], made["edited_by"]) == ("created", "The bridge is open", made["created_by"])
    [mark] = made["entities"]
    assert (mark["kind"], mark["offset"], mark["length"]) == ("bold", 4, 6)
    assert await api.silent("content.requested")
    plan = {"content_id": made["id"], "target": "telegram:@by_hand", "scheduled_time": "2100-01-01T00:00:00Z"}
    planned = await api.http.post("/scheduled-posts", json=plan)
    assert planned.status_code == 201, planned.text
    query = {"content_id": made["id"], "target": "telegram:@by_hand"}
    assert (await api.http.get("/scheduled-posts/preview", params=query)).json()["text"] == "The bridge is open"
    for wrong, pointer in (
        ({"text": ""}, "/text"),
        ({"text": "**  **"}, "/text"),
        ({"text": "x" * 4097}, "/text"),
        ({"text": "a", "illustrate": True}, "/illustrate"),
        ({"text": "a", "profile": "news"}, "/profile"),
    ):
        refused = await api.http.post("/content/create", json={"title": "By hand"} | wrong)
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, pointer)
    assert len((await api.http.get("/content")).json()["items"]) == 1


async def test_a_content_is_asked_for_and_read_edited_and_deleted(api: Api) -> None:
    await Catalog(api.database).put_profile("news")
    answer = await api.http.post("/content/create", json=BRIEF | {"profile": "news", "illustrate": True})
    assert answer.status_code == 202
    made = answer.json()
    path = f"/content/{made['id']}"
    assert answer.headers["location"] == f"/api/v1{path}"
    assert (made["status"], made["text"]) == ("requested", None)
    by = made["created_by"]
    assert by.startswith("token:")
    [event] = await api.emitted("content.requested")
    assert event == {"content_id": made["id"], "post_id": made["post_id"]}
    tag = (await api.http.get(path)).headers["etag"]
    assert tag == answer.headers["etag"]
    await write(api, made["post_id"])
    read = (await api.http.get(path)).json()
    assert (read["status"], read["text"], read["headline"]) == ("created", "The bridge is open", "Bridge")
    assert (read["hashtags"], read["language"], read["awaits_image"]) == (["bridge"], "en", True)
    stale = await api.http.patch(path, json={"text": "By **hand**"}, headers={"If-Match": tag})
    assert stale.status_code == 412
    edited = (await api.http.patch(path, json={"text": "By **hand**"})).json()
    assert (edited["text"], edited["edited_by"], edited["status"]) == ("By hand", by, "created")
    assert edited["entities"][0]["kind"] == "bold"
    assert (await api.http.get(f"/posts/{made['post_id']}")).json()["rewrites"][0]["route_id"] is None
    assert (await api.http.delete(path)).status_code == 204
    for method in ("GET", "PATCH", "DELETE"):
        body = {"json": {"text": "x"}} if method == "PATCH" else {}
        assert (await api.http.request(method, path, **body)).status_code == 404
    listed = (await api.http.get("/content", params={"status": "deleted"})).json()["items"]
    assert [item["id"] for item in listed] == [made["id"]]
    assert (await api.http.get("/content")).json()["items"] == []
    actions = [item["action"] for item in (await api.http.get("/audit-log")).json()["items"]]
    assert actions[:3] == ["delete_content", "edit_content", "create_content"]


async def test_it_can_be_waited_for(api: Api) -> None:
    headers = {"Idempotency-Key": "once"}
    asking = asyncio.create_task(api.http.post("/content/create", params={"wait": 15}, json=BRIEF, headers=headers))

    async def asked() -> list[Any]:
        return await api.database.fetch("SELECT post_id FROM contents")

    [row] = await eventually(asked)
    await api.emitted("content.requested")  # it was told before the answer
    assert not asking.done()
    await write(api, str(row["post_id"]))
    answer = await asking
    assert (answer.status_code, answer.json()["status"]) == (200, "created")
    assert answer.json()["text"] == "The bridge is open"
    path = answer.headers["location"].removeprefix("/api/v1")
    assert (await api.http.get(path)).headers["etag"] == answer.headers["etag"]
    again = await api.http.post("/content/create", params={"wait": 15}, json=BRIEF, headers=headers)
    assert (again.status_code, again.json()) == (200, answer.json())
    assert again.headers["idempotency-replayed"] == "true"


async def test_whoever_waits_in_vain_gets_what_there_is(api: Api) -> None:
    answer = await api.http.post("/content/create", params={"wait": 0.2}, json=BRIEF)
    assert (answer.status_code, answer.json()["status"]) == (202, "requested")


async def test_a_refusal_is_said_and_a_person_can_write_it(api: Api) -> None:
    made = await create(api)
    await write(api, made["post_id"], "", status="refused", reason="I can't help with that.")
    path = f"/content/{made['id']}"
    read = (await api.http.get(path)).json()
    assert (read["status"], read["reason"]) == ("failed", "I can't help with that.")
    assert [item["id"] for item in (await api.http.get("/content?status=failed")).json()["items"]] == [made["id"]]
    await api.database.execute(
        "INSERT INTO scheduled_posts (post_id, content_id, platform, target, scheduled_time, due_at, created_by)"
        " VALUES ($1, $2, 'telegram', 'telegram:@city', now(), now() + interval '1 minute', 'me')",
        UUID(made["post_id"]), UUID(made["id"]),
    )  # fmt: skip
    assert (await api.http.patch(path, json={"text": "By hand"})).json()["status"] == "created"
    [planned] = (await api.http.get("/scheduled-posts", params={"content_id": made["id"]})).json()["items"]
    assert planned["due_at"] == planned["scheduled_time"]  # it does not wait for the next check


async def test_what_is_scheduled_stays(api: Api) -> None:
    made = await create(api)
    order = {"content_id": made["id"], "target": "telegram:@city", "scheduled_time": "2100-01-01T00:00:00Z"}
    planned = await api.http.post("/scheduled-posts", json=order)
    assert planned.status_code == 201, planned.text
    refused = await api.http.delete(f"/content/{made['id']}")
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/conflict")
    assert "is scheduled" in refused.json()["detail"]
    await api.http.delete(f"/scheduled-posts/{planned.json()['id']}")
    assert (await api.http.delete(f"/content/{made['id']}")).status_code == 204


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ({"title": ""}, "/title"),
        ({"title": " "}, "/title"),
        ({"title": "x" * 201}, "/title"),
        ({"title": "t", "description": "x" * 20_001}, "/description"),
        ({"title": "t", "profile": "nobody"}, "/profile"),
        ({"title": "t", "descripton": "misspelt"}, "/descripton"),
        ({"description": "no title"}, "/title"),
    ],
)
async def test_what_is_wrong_is_said(api: Api, given: dict[str, Any], pointer: str) -> None:
    answer = await api.http.post("/content/create", json=given)
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/invalid")
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert (await api.http.get("/content")).json()["items"] == []


async def test_pages_of_contents(api: Api) -> None:
    made = [(await create(api, title=f"brief {number}"))["title"] for number in range(7)]
    rule = uuid4()
    await api.database.execute("UPDATE contents SET rule_id = $1 WHERE title = 'brief 3'", rule)
    titles, cursor = [], None
    while True:
        page = (await api.http.get("/content", params={"limit": 3} | ({"cursor": cursor} if cursor else {}))).json()
        titles += [item["title"] for item in page["items"]]
        if (cursor := page["next"]) is None:
            break
    assert titles == made[::-1]
    assert [
        item["title"] for item in (await api.http.get("/content", params={"rule_id": str(rule)})).json()["items"]
    ] == ["brief 3"]
