"""Dead letters and bulk operations over HTTP: found, opened, edited, replayed, discarded, one or many."""

import json
from typing import Any

import httpx

from common.testing.waiting import eventually

from .conftest import Api

BROKEN = b'{"kind": "tests.told", "title": 5, "fingerprint": "f"}'
MENDED = {"kind": "tests.told", "title": "mended", "fingerprint": "f"}


async def die(api: Api, number: int, payload: bytes = BROKEN) -> list[dict[str, Any]]:
    """Let jobs fail; return their letters once there are so many, the newest first."""
    for _ in range(number):
        await api.nats.jetstream().publish("notify.requested", payload)

    async def probe() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await api.http.get("/dead-letters?limit=200")).json()["items"]
        return found if len(found) == number else []

    return await eventually(probe)


async def audited(api: Api, action: str) -> list[dict[str, Any]]:
    """The lines of the audit log about an action, the newest first."""
    answer = await api.http.get("/audit-log", params={"action": action})
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def ended(api: Api, started: httpx.Response) -> dict[str, Any]:
    """An operation, once it has ended."""
    assert started.status_code == 202, started.text

    async def probe() -> dict[str, Any] | None:
        answer = await api.http.get(started.headers["location"].removeprefix("/api/v1"))
        operation: dict[str, Any] = answer.json()
        return operation if operation["status"] not in ("pending", "running") else None

    found = await eventually(probe)
    assert found
    return found


async def test_a_letter_is_read_edited_and_replayed(api: Api) -> None:
    [letter] = await die(api, 1)
    assert letter["error"].startswith("ValidationError: title: Input should be a valid string")
    path = f"/dead-letters/{letter['number']}"
    read = await api.http.get(path)
    assert read.json() == letter | {"payload": json.loads(BROKEN), "headers": read.json()["headers"]}
    assert read.json()["headers"]["dl-subject"] == "notify.requested"

    wrong = await api.http.patch(path, json={"payload": {"title": "x"}})
    assert (wrong.status_code, wrong.json()["detail"]) == (422, "kind: Field required; fingerprint: Field required")
    assert (await api.http.patch(path, json={"payload": "text"})).status_code == 422
    tag = {"If-Match": read.headers["etag"]}
    edited = await api.http.patch(path, json={"payload": MENDED}, headers=tag)
    assert (edited.status_code, edited.json()["payload"]) == (200, MENDED)
    assert edited.json()["edited_by"].startswith("token:")
    assert (await api.http.post(f"{path}/replay", headers=tag)).status_code == 412
    assert (await api.http.get(path)).json() == edited.json()

    replayed = await api.http.post(f"{path}/replay")
    assert replayed.json() == edited.json()
    assert (await api.http.post(f"{path}/replay")).status_code == 404
    await eventually(lambda: api.database.fetchrow("SELECT 1 FROM notifications WHERE title = 'mended'"))
    assert (await api.nats.jetstream().stream_info("DEADLETTER")).state.messages == 0

    [line] = await audited(api, "edit_dead_letter")
    assert (line["object"], line["actor"]) == (f"/api/v1{path}", edited.json()["edited_by"])
    assert (line["before"]["payload"], line["after"]["payload"]) == (json.loads(BROKEN), MENDED)
    [line] = await audited(api, "replay_dead_letter")
    assert line["before"]["payload"] == MENDED


async def test_a_letter_is_discarded(api: Api) -> None:
    [letter] = await die(api, 1, b"{")
    path = f"/dead-letters/{letter['number']}"
    assert (await api.http.get(path)).json()["payload"] == "{"
    assert (await api.http.post(f"{path}/discard")).status_code == 200
    assert (await api.http.get("/dead-letters")).json()["items"] == []
    assert await api.database.lax.fetchval("SELECT status FROM jobs") == "cancelled"
    assert (await api.nats.jetstream().stream_info("DEADLETTER")).state.messages == 0
    assert len(await audited(api, "discard_dead_letter")) == 1
    missing = await api.http.get(path)
    assert (missing.status_code, missing.json()["type"]) == (404, "/problems/not-found")


async def test_a_letter_that_its_stream_lost_is_not_replayed(api: Api) -> None:
    [letter] = await die(api, 1)
    path = f"/dead-letters/{letter['number']}"

    async def arrived() -> bool:
        info = await api.nats.jetstream().stream_info("DEADLETTER")
        return bool(info.state.messages == 1)

    await eventually(arrived)
    await api.nats.jetstream().purge_stream("DEADLETTER")
    assert (await api.http.get(path)).json()["payload"] is None
    refused = await api.http.post(f"{path}/replay")
    assert (refused.status_code, refused.json()["detail"]) == (409, "its letter is not kept any more")
    assert (await api.http.patch(path, json={"payload": MENDED})).status_code == 409
    assert await audited(api, "replay_dead_letter") == []
    assert (await api.http.post(f"{path}/discard")).status_code == 200


async def test_groups_and_filters(api: Api) -> None:
    await die(api, 3)
    await api.nats.jetstream().publish("notify.requested", b"{")

    async def both() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await api.http.get("/dead-letters/groups")).json()["items"]
        return found if len(found) == 2 else []

    malformed, mistyped = await eventually(both)
    assert (malformed["count"], mistyped["count"]) == (1, 3)
    queues = (await api.http.get("/queues")).json()["items"]
    assert {queue["queue"]: queue["dead"] for queue in queues if queue["dead"]} == {"notify_queue": 4}
    assert (await api.http.get("/queues/notify_queue")).json()["dead"] == 4
    assert mistyped["error"].startswith("ValidationError: title: ")
    page = (await api.http.get("/dead-letters/groups?limit=1")).json()
    rest = (await api.http.get("/dead-letters/groups", params={"limit": 1, "cursor": page["next"]})).json()
    assert page["items"] + rest["items"] == [malformed, mistyped]
    for wanted, number in (
        ({"fingerprint": mistyped["fingerprint"]}, 3),
        ({"error": "INVALID json"}, 1),
        ({"consumer": "api-notifications", "queue": "notify_queue", "error_class": "ValidationError"}, 4),
        ({"died_from": mistyped["last_at"], "died_until": malformed["last_at"]}, 1),
        ({"post_id": "00000000-0000-0000-0000-000000000001"}, 0),
    ):
        answer = await api.http.get("/dead-letters", params=wanted)
        assert len(answer.json()["items"]) == number, wanted


async def test_a_group_is_counted_replayed_and_discarded(api: Api) -> None:
    await die(api, 130)
    wanted = {"kind": "dead_letters.replay", "filter": {"error_class": "ValidationError"}, "reason": "mended"}
    counted = await api.http.post("/operations", json=wanted | {"dry_run": True})
    assert (counted.status_code, counted.json()) == (200, {"kind": "dead_letters.replay", "matching": 130})
    operation = await ended(api, await api.http.post("/operations", json=wanted))
    assert (operation["status"], operation["total"], operation["done"], operation["refused"]) == ("done", 130, 130, 0)
    assert operation["filter"] == {"error_class": "ValidationError"}

    async def again() -> bool:  # they fail again, and are young
        return len((await api.http.get("/dead-letters?limit=200")).json()["items"]) == 130

    await eventually(again)
    operation = await ended(
        api, await api.http.post("/operations", json={"kind": "dead_letters.discard", "filter": {}})
    )
    assert operation["done"] == 130
    assert (await api.http.get("/dead-letters")).json()["items"] == []
    listed = (await api.http.get("/operations?status=done")).json()["items"]
    assert [each["kind"] for each in listed] == ["dead_letters.discard", "dead_letters.replay"]
    assert (await api.http.post(f"/operations/{operation['id']}/cancel")).status_code == 409
    assert (await api.http.get("/operations/00000000-0000-0000-0000-000000000001")).status_code == 404
    [line] = await audited(api, "dead_letters.replay")
    assert line["after"] == {"status": "done", "total": 130, "done": 130, "refused": 0, "error": None}
    assert line["before"] == {"filter": {"error_class": "ValidationError"}, "reason": "mended"}
    assert len(await audited(api, "start_operation")) == 2  # not the dry run


async def test_what_an_operation_does_not_understand_is_refused(api: Api) -> None:
    unknown = await api.http.post("/operations", json={"kind": "posts.delete", "filter": {}})
    assert (unknown.status_code, unknown.json()["errors"][0]["pointer"]) == (422, "/kind")
    wanted = {
        "kind": "dead_letters.discard",
        "filter": {"fingerprint": 5, "numbers": [1, 0], "wrong": 1},
        "dry_run": True,
    }
    answer = await api.http.post("/operations", json=wanted)
    assert answer.status_code == 422
    assert {error["pointer"] for error in answer.json()["errors"]} == {
        "/filter/fingerprint",
        "/filter/numbers/1",
        "/filter/wrong",
    }
