"""`postroom verify`, `export` and `prune`, on servers where no service runs."""

import asyncio
import json
from typing import Any

from common.catalog import Catalog
from common.postgres import Database
from common.posts import NewPost, Posts
from common.telegram.text import RichText


async def lost(database: Database) -> str:
    """A post that came in an hour ago, and that nobody was told of."""
    source = await Catalog(database).put_source("import", "an archive")
    [brought] = await Posts(database).add([NewPost(source, "1", RichText(text="A post that is long enough"))])
    await database.execute("UPDATE posts SET collected_at = now() - interval '1 hour'")
    return str(brought.post_id)


async def test_what_nobody_carries_on_is_found_and_mended(connected: Any, database: Database) -> None:
    done = connected.command("verify")
    assert "Everything adds up." in done.stdout
    post = await lost(database)
    found = connected.command("verify", check=False)
    assert found.returncode == 1
    assert f"! post {post} (1) has no next step" in found.stdout
    assert "1 finding can be mended: `postroom verify --fix`" in found.stdout
    mended = connected.command("verify", "--fix", "--json")
    said = json.loads(mended.stdout)
    assert [finding["mended"] for finding in said["findings"]] == [True]
    assert said["balanced"] is True
    [line] = await database.fetch("SELECT action, after FROM audit_log")
    assert line["action"] == "verify"
    rows = await database.fetch("SELECT balanced, findings, mended FROM verifications ORDER BY id")
    assert [tuple(row) for row in rows] == [(True, 0, 0), (False, 1, 0), (True, 1, 1)]


async def test_records_are_exported(connected: Any, database: Database) -> None:
    post = await lost(database)
    done = connected.command("export", "posts")
    assert [json.loads(line)["id"] for line in done.stdout.splitlines()] == [post]
    assert "1 record of posts written." in done.stderr
    connected.command("export", "posts", "--since", "2001-01-01", "--until", "2001-02-01", "-o", "old.jsonl")
    assert (connected.directory / "old.jsonl").read_text() == ""
    again = connected.command("export", "posts", "-o", "old.jsonl", check=False)
    assert (again.returncode, again.stderr) == (1, "postroom: old.jsonl is there already\n")
    wrong = connected.command("export", "secrets", check=False)
    assert wrong.returncode == 2
    assert "secrets is not one of posts, rewrites" in " ".join(wrong.stderr.replace("│", " ").split())


async def test_what_is_old_is_forgotten_at_once(connected: Any, database: Database) -> None:
    await database.execute(
        "INSERT INTO verifications (at, balanced, findings, report) VALUES (now() - interval '9 days', true, 0, '{}')"
    )
    done = connected.command("prune", "--json", RETENTION_VERIFICATIONS_DAYS="3", RETENTION_ARCHIVE="kept")
    assert json.loads(done.stdout)["verifications"] == 1
    [file] = await asyncio.to_thread(lambda: list((connected.directory / "kept").iterdir()))
    assert file.name.startswith("verifications-")
    wrong = connected.command("prune", check=False, RETENTION_JOBS_DAYS="-1")
    assert wrong.returncode == 2
    assert wrong.stderr.startswith("postroom: RETENTION_JOBS_DAYS: input should be greater than or equal to 0")
