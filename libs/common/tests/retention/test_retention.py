"""What is old is forgotten, and where there is an archive it is written there first."""

import asyncio
import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from common.catalog import Catalog
from common.postgres import Database
from common.posts import NewPost, Posts
from common.retention import EXPORTS, KINDS, Retention, RetentionSettings, export
from common.settings import SettingsError, load_settings
from common.telegram.text import RichText

THREE = "FROM (SELECT $1::timestamptz AS at, n, n || $1::timestamptz::text AS id FROM generate_series(1, 3) n) AS three"
FILL = {
    "jobs": "INSERT INTO jobs (consumer, event_id, queue, subject, status, finished_at)"
    f" SELECT 'rewriter', id, 'rewrite_queue', 'post.collected', 'succeeded', at {THREE}",
    "attempts": "INSERT INTO job_attempts (consumer, event_id, attempt, ended_at, outcome)"
    f" SELECT 'rewriter', id, 1, at, 'failed' {THREE}",
    "payloads": "INSERT INTO job_messages (consumer, event_id, payload, headers, sequence, kept_at)"
    f" SELECT 'rewriter', id, '{{}}', '{{}}', n, at {THREE}",
    "notifications": "INSERT INTO notifications (fingerprint, kind, severity, title, last_at)"
    f" SELECT id, 'k', 'info', 't', at {THREE}",
    "alerts": "INSERT INTO alerts (fingerprint, kind, severity, status, title, notification_id, resolved_at)"
    f" SELECT id, 'k', 'error', 'resolved', 't', gen_random_uuid(), at {THREE}",
    "verifications": f"INSERT INTO verifications (at, balanced, findings, report) SELECT at, true, 0, '{{}}' {THREE}",
    "audit": f"INSERT INTO audit_log (at, actor, action, object) SELECT at, 'a', 'b', 'c' {THREE}",
}
TABLES = {
    "jobs": "jobs", "attempts": "job_attempts", "payloads": "job_messages", "notifications": "notifications",
    "alerts": "alerts", "verifications": "verifications", "audit": "audit_log",
}  # fmt: skip


def settings(archive: Path | None = None) -> RetentionSettings:
    """A day for everything that may be forgotten so soon."""
    days = {f"retention_{kind}_days": 1 for kind in KINDS if kind != "model_calls"}
    return RetentionSettings(_env_file=None, retention_archive=archive, **days)  # type: ignore[call-arg]


async def post(database: Database) -> UUID:
    source = await Catalog(database).put_source("import", "an archive")
    [brought] = await Posts(database).add([NewPost(source, "1", RichText(text="A post that is long enough"))])
    return brought.post_id


async def test_a_trial_is_forgotten_with_its_runs(database: Database, tmp_path: Path) -> None:
    profile, about = await Catalog(database).put_profile("p"), await post(database)
    for days, number in ((2, 1), (0, 2)):
        await database.execute(
            "WITH t AS (INSERT INTO profile_trials (id, profile_id, created_by, created_at)"
            " VALUES (gen_random_uuid(), $1, 'tests', now() - make_interval(days => $3)) RETURNING id)"
            " INSERT INTO profile_trial_runs (trial_id, number, post_id, event_id, text)"
            " SELECT id, $4, $2, gen_random_uuid(), 'written' FROM t",
            profile, about, days, number,
        )  # fmt: skip
    pruned = {each.kind: each.deleted for each in await Retention(database, settings(tmp_path))()}
    assert pruned["trials"] == 1
    assert [row["number"] for row in await database.fetch("SELECT number FROM profile_trial_runs")] == [2]
    [file] = await asyncio.to_thread(lambda: list(tmp_path.iterdir()))
    [line] = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    assert [(run["number"], run["text"]) for run in line["runs"]] == [(1, "written")]


@pytest.mark.parametrize("kind", FILL)
async def test_what_is_old_is_forgotten_and_what_is_young_is_kept(
    database: Database, tmp_path: Path, kind: str
) -> None:
    now = datetime.now(UTC)
    await database.execute(FILL[kind], now - timedelta(days=2))
    await database.execute(FILL[kind], now - timedelta(hours=2))
    pruned = {each.kind: each.deleted for each in await Retention(database, settings(tmp_path))()}
    assert pruned[kind] == 3
    assert sum(pruned.values()) == 3
    assert len(await database.fetch(f"SELECT FROM {TABLES[kind]}")) == 3
    [file] = await asyncio.to_thread(lambda: list(tmp_path.iterdir()))
    assert file.name == f"{kind}-{now:%Y-%m-%d}.jsonl"
    assert len([json.loads(line) for line in file.read_text("utf-8").splitlines()]) == 3
    [run] = await database.fetch("SELECT kind, deleted FROM retention_runs")
    assert (run["kind"], run["deleted"]) == (kind, 3)


async def test_a_job_that_says_where_its_post_stands_is_kept(database: Database) -> None:
    await database.execute(
        "INSERT INTO jobs (consumer, event_id, queue, subject, status, finished_at, post_id)"
        " SELECT 'rewriter', status, 'rewrite_queue', 'post.collected', status, now() - interval '9 days', $1"
        " FROM unnest('{succeeded,failed,cancelled,queued}'::text[]) AS status",
        await post(database),
    )
    before = await database.fetch("SELECT state FROM post_states")
    await Retention(database, settings())()
    rows = await database.fetch("SELECT status FROM jobs")
    assert {row["status"] for row in rows} == {"failed", "cancelled", "queued"}
    assert await database.fetch("SELECT state FROM post_states") == before


async def test_what_notifications_are_folded_into_is_forgotten_with_them(database: Database) -> None:
    """Fingerprints may name posts, so that there are ever more of them."""
    await database.execute(
        "INSERT INTO notification_folds (fingerprint, notification_id, last_at)"
        " SELECT age, gen_random_uuid(), now() - age::interval FROM unnest('{2 days,2 hours}'::text[]) AS age"
    )
    await Retention(database, settings())()
    assert [row["fingerprint"] for row in await database.fetch("SELECT * FROM notification_folds")] == ["2 hours"]


async def test_the_message_of_an_open_job_is_kept(database: Database) -> None:
    await database.execute(FILL["payloads"], datetime.now(UTC) - timedelta(days=2))
    await database.execute(
        "INSERT INTO jobs (consumer, event_id, queue, subject, status)"
        " SELECT consumer, event_id, 'rewrite_queue', 'post.collected', 'queued' FROM job_messages WHERE sequence = 1"
    )
    await Retention(database, settings())()
    [row] = await database.fetch("SELECT sequence FROM job_messages")
    assert row["sequence"] == 1


async def test_what_a_message_says_is_archived_as_it_was_also_where_it_is_no_text(
    database: Database, tmp_path: Path
) -> None:
    """Whoever typed it by hand must not keep anything from being forgotten."""
    await database.execute(
        "INSERT INTO job_messages (consumer, event_id, payload, headers, sequence, kept_at)"
        " VALUES ('publisher', 'typed', $1, '{}', 1, now() - interval '2 days')",
        b"\xff\x00{",
    )
    await database.execute(FILL["audit"], datetime.now(UTC) - timedelta(days=2))
    pruned = {each.kind: each.deleted for each in await Retention(database, settings(tmp_path))()}
    assert (pruned["payloads"], pruned["audit"]) == (1, 3)
    [file] = await asyncio.to_thread(lambda: list(tmp_path.glob("payloads-*")))
    [line] = file.read_text("utf-8").splitlines()
    assert base64.b64decode(json.loads(line)["payload_base64"]) == b"\xff\x00{"


async def test_what_other_consumers_did_with_a_dead_letter_is_known_as_long_as_it_can_be_replayed(
    database: Database,
) -> None:
    """A replay goes to the subject: those that did not fail drop it by their jobs."""
    await database.execute(FILL["jobs"], datetime.now(UTC) - timedelta(days=2))
    await database.execute(
        "INSERT INTO dead_letters (consumer, event_id, queue, stream, sequence, subject, attempts, error_class, error,"
        " fingerprint) SELECT 'other', event_id, 'q', 'POSTS', 1, 'post.collected', 1, 'E', 'e', 'f'"
        " FROM jobs ORDER BY event_id LIMIT 1"
    )
    await Retention(database, settings())()
    [kept] = await database.fetch("SELECT event_id FROM jobs")
    assert await database.fetch("SELECT FROM dead_letters WHERE event_id = $1", kept["event_id"])


def test_jobs_are_kept_as_long_as_messages_that_can_be_sent_again() -> None:
    given = {"retention_jobs_days": 3, "retention_payloads_days": 14}
    assert RetentionSettings(_env_file=None, **given).days("jobs") == 14  # type: ignore[call-arg,arg-type]
    given["retention_payloads_days"] = 0
    assert RetentionSettings(_env_file=None, **given).days("jobs") == 0  # type: ignore[call-arg,arg-type]


async def test_nothing_is_forgotten_that_the_archive_does_not_have(database: Database, tmp_path: Path) -> None:
    await database.execute(FILL["jobs"], datetime.now(UTC) - timedelta(days=2))
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        await Retention(database, settings(tmp_path / "file"))()
    assert len(await database.fetch("SELECT FROM jobs")) == 3


async def test_zero_keeps_for_ever(database: Database) -> None:
    await database.execute(FILL["audit"], datetime(2001, 1, 1, tzinfo=UTC))
    pruned = await Retention(database, RetentionSettings(_env_file=None))()  # type: ignore[call-arg]
    assert "audit" not in {each.kind for each in pruned}
    assert len(await database.fetch("SELECT FROM audit_log")) == 3


def test_budgets_need_a_month_of_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETENTION_MODEL_CALLS_DAYS", "7")
    with pytest.raises(
        SettingsError, match=r"^RETENTION_MODEL_CALLS_DAYS: input should be greater than or equal to 32"
    ):
        load_settings(RetentionSettings)


@pytest.mark.parametrize("kind", EXPORTS)
async def test_records_are_exported_as_they_were_in_a_time(database: Database, kind: str) -> None:
    await post(database)
    for statement in FILL.values():
        await database.execute(statement, datetime.now(UTC))
    beginning, now = datetime(2001, 1, 1, tzinfo=UTC), datetime.now(UTC) + timedelta(minutes=1)
    lines = [line async for line in export(database, kind, beginning, now)]
    assert all(isinstance(json.loads(line), dict) for line in lines)
    filled = {"posts": 1, "jobs": 3, "attempts": 3, "notifications": 3, "audit": 3}
    assert len(lines) == filled.get(kind, 0)
    assert [line async for line in export(database, kind, beginning, beginning)] == []
