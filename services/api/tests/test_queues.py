"""Queues: how they stand, paused, with other settings; the api's own queues follow while it runs."""

from datetime import UTC, datetime, timedelta
from typing import Any

from common.testing.waiting import eventually

from .conftest import Api


async def queue(api: Api, name: str) -> Any:
    answer = await api.http.get(f"/queues/{name}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def works(api: Api) -> dict[str, Any]:
    """Wait until the api has told how it works on its queue."""

    async def told() -> dict[str, Any] | None:
        found = await queue(api, "notify_queue")
        return found if found["replicas"] else None

    found = await eventually(told)
    assert found
    return found


async def test_queues_are_listed(api: Api) -> None:
    items = (await api.http.get("/queues")).json()["items"]
    assert [item["queue"] for item in items][:2] == ["rewrite_queue", "publish_queue"]
    assert {item["priority"] for item in items} == {"high", "medium", "low"}
    behind = {item["queue"]: item["behind"]["what"] for item in items if item["behind"]}
    assert behind == {"publish_queue": "publications", "broadcast_queue": "broadcasts"}


async def test_a_queue_is_paused_and_resumed(api: Api) -> None:
    await works(api)
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    answer = await api.http.post("/queues/notify_queue/pause", json={"reason": "quiet", "until": until})
    assert answer.status_code == 200, answer.text
    paused = answer.json()
    assert (paused["pause"]["reason"], paused["not_following"]) == ("quiet", [])
    assert paused["pause"]["paused_by"].startswith("token:")
    assert [replica["holding"] for replica in paused["replicas"]] == [True]
    assert [durable["paused"] for durable in paused["durables"]] == [True]
    resumed = (await api.http.post("/queues/notify_queue/resume")).json()
    assert (resumed["pause"], [replica["holding"] for replica in resumed["replicas"]]) == (None, [False])
    lines = await api.database.fetch(
        "SELECT action, object, before, after FROM audit_log WHERE before IS NOT NULL ORDER BY id"
    )
    assert [(line["action"], line["object"]) for line in lines] == [
        ("pause_queue", "/api/v1/queues/notify_queue"),
        ("resume_queue", "/api/v1/queues/notify_queue"),
    ]
    assert lines[0]["before"] == {"pause": None, "settings": {}}
    assert lines[1]["before"]["pause"]["reason"] == "quiet"


async def test_settings_are_changed_while_it_runs(api: Api) -> None:
    before = {each["name"]: each for each in (await works(api))["settings"]}
    assert (before["concurrency"]["value"], before["concurrency"]["origin"]) == (50, "default")
    answer = await api.http.patch("/queues/notify_queue/settings", json={"concurrency": 3, "reason": "few"})
    assert answer.status_code == 200, answer.text
    changed = {each["name"]: each for each in answer.json()["settings"]}
    assert (changed["concurrency"]["value"], changed["concurrency"]["origin"]) == (3, "changed")
    assert changed["concurrency"]["reason"] == "few"
    assert answer.json()["not_following"] == []
    [told] = await api.database.fetch("SELECT settings FROM queue_replicas WHERE queue = 'notify_queue'")
    assert told["settings"]["concurrency"] == {"value": 3, "origin": "changed"}
    answer = await api.http.patch("/queues/notify_queue/settings", json={"concurrency": None})
    assert {each["name"]: each for each in answer.json()["settings"]} == before


async def test_what_can_not_be(api: Api) -> None:
    for path, body, status, says in (
        ("notify_queue/settings", {"concurrency": -1}, 422, "notify_queue.concurrency: input should be greater than"),
        ("notify_queue/settings", {"concurrency": "many"}, 422, "1 problem, see errors"),
        ("notify_queue/settings", {"speed": 1}, 422, "1 problem, see errors"),
        ("write_queue/settings", {"concurrency": 1}, 404, "there is no queue write_queue; there are "),
    ):
        answer = await api.http.patch(f"/queues/{path}", json=body)
        assert (answer.status_code, answer.json()["detail"][: len(says)]) == (status, says)
    answer = await api.http.patch("/queues/notify_queue/settings", json={"concurrency": 0})
    assert answer.json()["errors"][0]["pointer"] == "/concurrency"
    answer = await api.http.post("/queues/notify_queue/pause", json={"until": "2020-01-01T00:00:00Z"})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/until")
    assert (await api.http.get("/queues/write_queue")).status_code == 404
    assert await api.database.fetch("SELECT FROM runtime_settings") == []
