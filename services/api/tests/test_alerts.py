"""Alerts: what is wrong is told once with a count, and once more when it is over."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

import pytest
from nats.aio.client import Client

from api.alerts.ports import Finding
from api.alerts.queues import QueueCheck
from api.alerts.records import AlertRecords
from api.alerts.storage import StorageCheck
from api.alerts.watching import Watcher
from api.notifying.ports import Audience
from common.contracts import Topology
from common.leases import Leases
from common.live import Live
from common.postgres import Database
from common.service import ServiceSettings
from common.testing.waiting import eventually

from .conftest import Api, replicas
from .mailbox import Mailbox, receiving, settings, text

LETTERS = (
    "INSERT INTO dead_letters (consumer, event_id, queue, stream, sequence, subject, attempts, error_class, error,"
    " fingerprint, died_at) SELECT 'rewriter', n::text, 'rewrite_queue', 'POSTS', n, 'post.collected', 5, 'Reject',"
    " 'Reject: no. ' || n, 'abc', now() - make_interval(secs => $3) FROM generate_series($1::int, $2::int) n"
)
SOON = {"ALERT_CHECK_SECONDS": "0.2", "ALERT_LEDGER_SECONDS": "0.2"}


@pytest.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    async with receiving() as mailbox:
        yield mailbox


@pytest.fixture
def environment(mailbox: Mailbox) -> dict[str, str]:
    return SOON | settings(mailbox.port, NOTIFY_GATHER_SECONDS="2")


async def test_a_storm_of_failures_is_one_message_with_a_count_and_one_when_it_is_over(
    api: Api, mailbox: Mailbox
) -> None:
    await api.database.execute(LETTERS, 1, 2500, 0)
    found = await api.alert()
    await api.database.execute(LETTERS, 2501, 5000, 0)  # while nobody was told yet

    async def all_counted() -> bool:
        return bool((await api.alert())["count"] == 5000)

    await eventually(all_counted)
    [message] = await mailbox.messages(1)
    assert message["subject"] == "[Postroom] error: rewrite_queue: 5,000 jobs have failed (5,000 times)"
    assert "5,000 × Reject: no. 5000 (abc)" in text(message)
    assert "postroom dead list --queue rewrite_queue" in text(message)
    await api.database.execute("DELETE FROM dead_letters")
    over = await api.alert("resolved")
    assert over["id"] == found["id"]
    _, message = await mailbox.messages(2)
    assert message["subject"] == "[Postroom] info: Over: rewrite_queue: 5,000 jobs have failed"
    assert "5,000 were counted" in text(message)
    [kept] = (await api.http.get("/notifications?kind=alert.queue_failures")).json()["items"]
    assert (kept["id"], kept["count"]) == (found["notification_id"], 5000)
    assert len(mailbox.took) == 2


@pytest.mark.parametrize("failures", [500, pytest.param(5000, marks=pytest.mark.soak)])
async def test_a_storm_of_failing_jobs_is_one_message(
    service_settings: ServiceSettings,
    database: Database,
    nats_client: Client,
    mailbox: Mailbox,
    monkeypatch: pytest.MonkeyPatch,
    failures: int,
) -> None:
    """What people are told of each dead letter, and that the queue fails, is in the same message, with both counts."""
    wanted = {"WEBHOOK_QUEUE_MAX_ATTEMPTS": "1", **SOON, **settings(mailbox.port, NOTIFY_GATHER_SECONDS="4")}
    for name, value in wanted.items():
        monkeypatch.setenv(name, value)
    publish = nats_client.jetstream().publish
    for _ in range(0, failures, 100):
        await asyncio.gather(*(publish("broadcast.result", b'{"task_id": "none"}', 30) for _ in range(100)))
    async with replicas(1):

        async def all_died() -> bool:
            return bool(await database.strict.fetchval("SELECT count(*) FROM dead_letters") == failures)

        await eventually(all_died, within=60)
        [message] = await mailbox.messages(1)
        rows = await database.fetch("SELECT kind, count FROM notifications ORDER BY kind")
        assert [tuple(row) for row in rows] == [("alert.queue_failures", failures), ("delivery.dead_letter", failures)]
    assert message["subject"].startswith("[Postroom] 2 error: webhook_queue: ")
    assert text(message).count(f"{failures:,} times") == 2
    assert f"webhook_queue: {failures:,} jobs have failed" in text(message)
    assert len(mailbox.took) == 1


async def test_it_is_told_once_however_long_it_fires(api: Api, mailbox: Mailbox) -> None:
    await api.database.execute(LETTERS, 1, 20, 0)
    await mailbox.messages(1)
    await api.database.execute(LETTERS, 21, 60, 0)

    async def counted() -> bool:
        return bool((await api.alert())["count"] == 60)

    await eventually(counted)
    rows = await api.database.fetch("SELECT status, tellings FROM notification_deliveries WHERE channel = 'email'")
    assert [tuple(row) for row in rows] == [("told", 1)]


@dataclass
class Script:
    """A check that finds: `+` it is wrong, `-` it is not, `!` nobody can know, `?` the check itself is wrong."""

    looks: list[str]
    patience: int = 1
    kinds: tuple[str, ...] = ("tests",)
    every_seconds: float = 1.0

    async def find(self) -> list[Finding]:
        match self.looks.pop(0):
            case "+":
                return [Finding("tests", "it", "error", "it is wrong", patience=self.patience)]
            case "!":
                raise ConnectionResetError("away")
            case "?":
                raise KeyError("never seen")
        return []


@pytest.mark.parametrize(
    ("script", "patience", "fired", "over"),
    [
        ("+++", 1, 1, 0),
        ("+-+-+-+", 1, 1, 0),  # it comes and goes: one alert
        ("+--", 1, 1, 1),
        ("+-!-!", 1, 1, 1),
        ("+-?-", 1, 1, 1),
        ("+!!!!-", 1, 1, 0),  # what nobody can know is not over
        ("+--+--", 1, 2, 2),
        ("+-+-+", 2, 0, 0),
        ("+!+", 2, 1, 0),
        ("++-", 2, 1, 0),
    ],
)
async def test_when_it_fires_and_when_it_is_over(
    database: Database, nats_client: Client, script: str, patience: int, fired: int, over: int
) -> None:
    watcher = Watcher(Leases(database, uuid4()), AlertRecords(database, Audience(), 1), [], Live(nats_client))
    check = Script([*script], patience)
    while check.looks:
        await watcher.look(check)
    rows = await database.fetch("SELECT status FROM alerts")
    assert (len(rows), sum(row["status"] == "resolved" for row in rows)) == (fired, over)
    assert await database.strict.fetchval("SELECT count(*) FROM notifications") == fired + over


@pytest.mark.parametrize(
    ("letters", "age", "setting"),
    [(19, 0, {}), (20, 400, {}), (20, 0, {"REWRITE_QUEUE_ALERT_FAILURES": "0"})],
)
async def test_what_is_within_the_limits_calls_for_nobody(
    service_settings: ServiceSettings, database: Database, letters: int, age: int, setting: dict[str, str],
    monkeypatch: pytest.MonkeyPatch, nats_client: Client,
) -> None:  # fmt: skip
    for name, value in setting.items():
        monkeypatch.setenv(name, value)
    await database.execute(LETTERS, 1, letters, age)
    assert await QueueCheck(database, nats_client.jetstream(), 10).find() == []


async def test_limits_change_at_run_time(
    service_settings: ServiceSettings, database: Database, nats_client: Client
) -> None:
    check = QueueCheck(database, nats_client.jetstream(), 10)
    await database.execute(LETTERS, 1, 5, 0)
    assert await check.find() == []
    await database.execute(
        "INSERT INTO runtime_settings (name, value, changed_by) VALUES ('rewrite_queue.alert_failures', '5', 'tests')"
    )
    [finding] = await check.find()
    assert (finding.about, finding.count) == ("rewrite_queue", 5)


async def test_a_message_that_is_too_old_calls_for_help_unless_the_queue_is_paused(
    service_settings: ServiceSettings, database: Database, nats_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMAGEGEN_QUEUE_ALERT_OLDEST_SECONDS", "0.001")
    check = QueueCheck(database, nats_client.jetstream(), 10)
    assert await check.find() == []
    await nats_client.jetstream().publish("image.requested", b"{}")
    await nats_client.jetstream().publish("post.collected", b"{}")
    [finding] = await check.find()
    assert (finding.kind, finding.about) == ("queue_oldest", "imagegen_queue")
    assert "No replica of its service lives" in finding.detail
    await database.execute("INSERT INTO queue_pauses (queue, paused_by, reason) VALUES ('imagegen_queue', 'tests', '')")
    assert await check.find() == []


async def test_a_service_that_goes_without_a_word_is_missed(api: Api, mailbox: Mailbox) -> None:
    beat = (
        "INSERT INTO service_beats (service, replica, address, ready, beat_at)"
        " VALUES ($1, $2, 'a:1', true, now() - $3::interval)"
    )
    dead, replaced = uuid4(), uuid4()
    await api.database.execute(beat, "userbot", dead, timedelta(days=2))
    await api.database.execute(beat, "publisher", replaced, timedelta(hours=1))
    await api.database.execute(beat, "publisher", uuid4(), timedelta(seconds=-3600))  # its new replica
    found = await api.alert(kind="service_gone")
    assert found["title"] == "userbot gives no sign of life"
    await mailbox.messages(1)
    # Its row is not forgotten as long as none took its place, so that it stays missed.
    sql = "SELECT count(*) FROM service_beats WHERE replica = $1"
    assert await api.database.strict.fetchval(sql, dead) == 1
    await api.database.execute(beat, "userbot", uuid4(), timedelta(seconds=-3600))
    assert (await api.alert("resolved", "service_gone"))["id"] == found["id"]


async def test_workers_that_vanish_or_fail_are_missed_and_those_switched_off_are_not(api: Api) -> None:
    beat = (
        "INSERT INTO worker_beats (worker, replica, running, next_run, last_beat)"
        " VALUES ($1, $2, $3, $4, now() + $5::interval)"
    )
    hour = timedelta(hours=1)
    now = await api.database.strict.fetchval("SELECT now()")
    await api.database.execute(beat, "ScheduledPostsWorker", uuid4(), True, now, -hour)
    await api.database.execute(beat, "AutoPostingWorker", uuid4(), False, None, hour)  # DISABLE_WORKERS
    await api.database.execute(beat, "CollectionClock", uuid4(), False, now, hour)
    assert (await api.alert(kind="worker_gone"))["fingerprint"] == "worker_gone/ScheduledPostsWorker"
    assert (await api.alert(kind="worker_failing"))["fingerprint"] == "worker_failing/CollectionClock"


async def test_records_that_do_not_balance_call_for_help(api: Api) -> None:
    post = await api.post()
    await api.publication(post, "succeeded")  # without a message
    found = await api.alert(kind="ledger_unbalanced")
    assert "succeeded without a message" in found["detail"]
    await api.database.execute("UPDATE publications SET message_ids = '{1}'")
    await api.alert("resolved", "ledger_unbalanced")


async def test_a_stream_that_is_nearly_full_calls_for_help(nats_client: Client) -> None:
    streams = {
        "FULL": {"subjects": ["full.>"], "retention": "interest", "max_bytes": 2000},
        "FORGETS": {"subjects": ["forgets.>"], "retention": "limits", "max_bytes": 2000},
    }
    stream = nats_client.jetstream()
    for name, contract in streams.items():
        await stream.add_stream(name=name, subjects=contract["subjects"], max_bytes=2000)
    check = StorageCheck(stream, 10, 0.5, Topology.model_validate({"streams": streams, "subjects": {}}))
    assert await check.find() == []
    for subject in ("full.a", "forgets.a"):
        await stream.publish(subject, b"x" * 1200)
    [finding] = await check.find()
    assert (finding.about, finding.severity) == ("FULL", "warning")
    assert "% full" in finding.title


async def test_two_replicas_make_one_alert(
    service_settings: ServiceSettings,
    database: Database,
    mailbox: Mailbox,
    environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    async with replicas(2):
        await database.execute(LETTERS, 1, 20, 0)
        await mailbox.messages(1)
        assert await database.strict.fetchval("SELECT count(*) FROM alerts") == 1


async def test_webhooks_are_told_of_alerts(api: Api) -> None:
    events = ["alert.firing", "alert.resolved"]
    await api.http.post("/webhooks", json={"url": "https://a.example/", "events": events})
    await api.database.execute(LETTERS, 1, 20, 0)
    await api.alert()
    await api.database.execute("DELETE FROM dead_letters")
    found = await api.alert("resolved")
    rows = await api.database.fetch("SELECT event, event_id FROM webhook_deliveries ORDER BY event")
    assert [tuple(row) for row in rows] == [(event, f"{event}/{found['id']}") for event in events]


async def test_an_alert_is_acknowledged_and_fires_on(api: Api) -> None:
    await api.database.execute(LETTERS, 1, 20, 0)
    found = await api.alert()
    seen = (await api.http.post(f"/alerts/{found['id']}/acknowledge")).json()
    assert (seen["status"], seen["acknowledged_by"][:6]) == ("firing", "token:")
    again = (await api.http.post(f"/alerts/{found['id']}/acknowledge")).json()
    assert again["acknowledged_at"] == seen["acknowledged_at"]
    assert (await api.http.get(f"/alerts/{uuid4()}")).status_code == 404
    [line] = (await api.http.get("/audit-log?action=acknowledge_alert")).json()["items"][1:]
    assert line["object"].endswith("/acknowledge")


async def test_notifications_are_read_until_more_comes(api: Api) -> None:
    await api.database.execute(LETTERS, 1, 20, 0)
    notification = (await api.alert())["notification_id"]
    read = await api.http.patch(f"/notifications/{notification}", json={"read": True})
    assert read.json()["read_by"].startswith("token:")
    assert [each["id"] for each in (await api.http.get("/notifications?read=true")).json()["items"]] == [notification]
    assert (await api.http.get("/notifications?read=false")).json()["items"] == []
    unread = await api.http.patch(f"/notifications/{notification}", json={"read": False})
    assert unread.json()["read_at"] is None
