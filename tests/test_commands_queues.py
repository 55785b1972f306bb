"""`postroom queues`: the queues as an operator sees them, paused, resumed, with other settings."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from nats.aio.client import Client

from common.postgres import Database


async def waiting(client: Client, count: int) -> None:
    for number in range(count):
        await client.jetstream().publish("post.collected", json.dumps({"number": number}).encode())


async def test_the_queues_are_listed(connected: Any, nats_client: Client) -> None:
    await waiting(nats_client, 3)
    rows = {row["queue"]: row for row in connected.said("queues", "list")}
    assert list(rows)[:2] == ["rewrite_queue", "publish_queue"]
    assert (rows["rewrite_queue"]["priority"], rows["imagegen_queue"]["priority"]) == ("high", "low")
    assert (rows["rewrite_queue"]["waiting"], rows["rewrite_queue"]["in_flight"]) == (3, 0)
    assert 0 < rows["rewrite_queue"]["oldest_seconds"] < 60
    assert (rows["imagegen_queue"]["waiting"], rows["imagegen_queue"]["oldest_seconds"]) == (0, None)
    assert rows["rewrite_queue"]["eta_seconds"] is None  # nobody works on it
    assert rows["imagegen_queue"]["eta_seconds"] == 0
    assert connected.command("queues").stdout.splitlines()[1].split()[:3] == ["rewrite_queue", "high", "3"]


async def test_paused_and_resumed(connected: Any, database: Database, nats_client: Client) -> None:
    before = datetime.now(UTC)
    done = connected.command("queues", "pause", "rewrite_queue", "imagegen_queue", "--reason", "a look", "--for", "2h")
    assert done.stdout == "rewrite_queue, imagegen_queue: paused.\n"
    rows = await database.fetch("SELECT * FROM queue_pauses ORDER BY queue")
    assert [(row["queue"], row["reason"]) for row in rows] == [
        ("imagegen_queue", "a look"),
        ("rewrite_queue", "a look"),
    ]
    assert rows[0]["paused_by"].startswith("cli")
    assert timedelta(hours=1.9) < rows[0]["until"] - before < timedelta(hours=2.1)
    for durable in ("rewriter", "rewriter-contents"):
        assert (await nats_client.jetstream().consumer_info("POSTS", durable)).paused
    assert not (await nats_client.jetstream().consumer_info("POSTS", "scheduler-routes")).paused
    assert "paused until" in connected.command("queues").stdout
    assert f"paused until {rows[0]['until']:%Y-%m-%d %H:%M} UTC by {rows[0]['paused_by']}: a look" in (
        connected.command("queues", "show", "rewrite_queue").stdout
    )
    resumed = connected.said("queues", "resume", "--all")
    assert (set(resumed["resumed"]), resumed["not_following"]) == ({"imagegen_queue", "rewrite_queue"}, [])
    assert connected.command("queues", "resume", "rewrite_queue").stdout == "Nothing of that was paused.\n"
    assert await database.fetch("SELECT FROM queue_pauses") == []
    assert not (await nats_client.jetstream().consumer_info("POSTS", "rewriter")).paused
    lines = await database.fetch("SELECT actor, action, object FROM audit_log ORDER BY id")
    assert [(line["action"], line["object"]) for line in lines] == [
        ("pause_queue", "/api/v1/queues/rewrite_queue"),
        ("pause_queue", "/api/v1/queues/imagegen_queue"),
        ("resume_queue", "/api/v1/queues/imagegen_queue"),
        ("resume_queue", "/api/v1/queues/rewrite_queue"),
    ]
    assert {line["actor"] for line in lines} == {rows[0]["paused_by"]}


async def test_settings_are_changed_and_taken_back(connected: Any, database: Database) -> None:
    done = connected.command(
        "queues", "set", "rewrite_queue", "concurrency=8", "timeout_seconds=45.5", "--reason", "slow"
    )
    assert done.stdout == "rewrite_queue.concurrency is 8.\nrewrite_queue.timeout_seconds is 45.5.\n"
    rows = await database.fetch("SELECT name, value, reason FROM runtime_settings ORDER BY name")
    assert [tuple(row) for row in rows] == [
        ("rewrite_queue.concurrency", 8, "slow"),
        ("rewrite_queue.timeout_seconds", 45.5, "slow"),
    ]
    shown = connected.command("queues", "show", "rewrite_queue").stdout
    assert " by cli" in shown
    assert ": slow" in shown
    done = connected.command("queues", "unset", "rewrite_queue", "concurrency")
    assert done.stdout == "rewrite_queue.concurrency is no longer changed.\n"
    assert connected.said("queues", "unset", "rewrite_queue")["settings"] == {"timeout_seconds": None}
    assert await database.fetch("SELECT FROM runtime_settings") == []
    assert connected.command("queues", "unset", "rewrite_queue").stdout == "Nothing of rewrite_queue was changed.\n"


def test_what_can_not_be(connected: Any) -> None:
    for arguments, says in (
        (("pause", "write_queue"), "there is no queue write_queue; there are rewrite_queue, "),
        (("show", "write_queue"), "there is no queue write_queue; there are "),
        (("set", "write_queue", "concurrency=1"), "there is no queue write_queue; there are "),
        (
            ("set", "rewrite_queue", "concurrency=-8"),
            "rewrite_queue.concurrency: input should be greater than or equal",
        ),
        (("set", "rewrite_queue", "concurrency=eight"), "rewrite_queue.concurrency: input should be a valid integer"),
        (("set", "rewrite_queue", "timeout_seconds=inf"), "rewrite_queue.timeout_seconds: input should be a finite"),
        (("set", "rewrite_queue", "speed=8"), "rewrite_queue.speed: there is no such setting; there are concurrency, "),
        (("unset", "rewrite_queue", "speed"), "rewrite_queue.speed: there is no such setting; there are concurrency, "),
        (("pause", "rewrite_queue", "--until", "2020-01-01T00:00:00Z"), "until: 2020-01-01T00:00:00+00:00 has been"),
    ):
        assert connected.refusal("queues", *arguments, code=2).startswith(f"postroom: {says}")
    for arguments in (
        ("pause",),
        ("pause", "rewrite_queue", "--all"),
        ("pause", "rewrite_queue", "--for", "soon"),
        ("set", "rewrite_queue", "concurrency"),
    ):
        assert connected.command("queues", *arguments, check=False).returncode == 2
