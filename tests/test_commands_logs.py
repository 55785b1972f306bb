"""`postroom logs`: what was kept, what is in the files of this machine, and both at once."""

import asyncio
import contextlib
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from common.logs import SQL, LogFilter, Logs
from common.messaging.ledger import columns
from common.postgres import Database
from postroom.commands.logs import Sources, _follow
from postroom.local_logs import LocalLogs, last_used

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
POST = uuid4()


async def keep(database: Database, *records: dict[str, Any]) -> None:
    """Keep records as the api does."""
    rows = [
        (
            uuid4().hex,
            datetime.fromisoformat(record["timestamp"]),
            record.get("service", "rewriter"),
            record["level"],
            record["event"],
            record.get("post_id"),
            record.get("job_id"),
            None,
            json.dumps({"error": record["error"]} if "error" in record else {}),
            f"{record['event']}\n{record.get('error', '')}",
        )
        for record in records
    ]
    await database.execute(SQL["keep_logs"], *columns(rows, 10))


def said(event: str, level: str = "warning", *, seconds: float = 0, **more: Any) -> dict[str, Any]:
    return {"timestamp": (NOON + timedelta(seconds=seconds)).isoformat(), "level": level, "event": event, **more}


def write(folder: Path, name: str, *lines: dict[str, Any] | str) -> None:
    (folder / "logs").mkdir(parents=True, exist_ok=True)
    with (folder / "logs" / f"{name}.log").open("a", encoding="utf-8") as file:
        for line in lines:
            text = line if isinstance(line, str) else json.dumps({"service": name, **line}, default=str)
            file.write(f"{text}\n")


def events(records: Any) -> list[str]:
    return [record["event"] if isinstance(record, dict) else record.event for record in records]


async def test_what_was_kept_is_found_and_shown(connected: Any, database: Database) -> None:
    await keep(
        database,
        said("the model is slow", post_id=POST, job_id="rewriter/one"),
        said("job ended", "error", seconds=1, post_id=POST, job_id="rewriter/two", error="Reject: 50% too long"),
        said("job ended", "info", seconds=2, job_id="publisher/three", service="publisher"),
    )
    command = asyncio.to_thread
    assert events(await command(connected.said, "logs")) == ["the model is slow", "job ended", "job ended"]
    for option, value, found in (
        ("--post", str(POST), 2),
        ("--service", "publisher", 1),
        ("--level", "ERROR", 1),
        ("--job", "rewriter/one", 1),
        ("--text", "50% TOO", 1),
        ("--text", "50_", 0),
        ("--since", "2026-01-01T12:00:01+00:00", 2),
        ("--until", "2026-01-01T12:00:01+00:00", 1),
        ("--limit", "2", 2),
    ):
        assert len(await command(connected.said, "logs", option, value)) == found, (option, value)
    shown = (await command(connected.command, "logs", "--level", "error")).stdout
    assert shown == (
        f"2026-01-01 12:00:01.000  ERROR     rewriter   job ended  post={POST}  job=rewriter/two  "
        "error=Reject: 50% too long\n"
    )
    assert (await command(connected.command, "logs", "--text", "nowhere")).stdout == "No such log records.\n"
    usage = await command(connected.command, "logs", "--level", "loud", check=False)
    assert usage.returncode == 2
    assert "loud is not one of" in usage.stderr
    assert (await command(connected.command, "logs", "--post", "no-id", check=False)).returncode == 2


def test_files_hold_what_was_not_shipped_and_what_went_past_the_logs(tmp_path: Path) -> None:
    write(tmp_path, "rewriter", said("rewriter is up", "info"), said("odd", seconds=2, post_id=POST))
    write(tmp_path, "collector", said("collector is up", "info", seconds=1), "Traceback (most …):", "  Boom", "{half")
    write(tmp_path, "sandbox", "WARNING sandbox: a file is missing")
    local = LocalLogs(tmp_path)
    found = local.latest(LogFilter(), 100)
    assert [(record.service, record.level) for record in found[:4]] == [
        ("rewriter", "info"), ("collector", "info"), ("collector", "error"), ("rewriter", "warning"),
    ]  # fmt: skip
    assert found[2].event == "Traceback (most …):\n  Boom\n{half"
    assert found[2].at == NOON + timedelta(seconds=1)  # as the last one before it
    assert (found[4].service, found[4].level) == ("sandbox", "warning")
    assert events(LocalLogs(tmp_path).latest(LogFilter(post_id=POST), 100)) == ["odd"]
    assert events(LocalLogs(tmp_path).latest(LogFilter(level="error", text="BOOM"), 100)) == [found[2].event]
    assert events(LocalLogs(tmp_path).latest(LogFilter(service="rewriter"), 1)) == ["odd"]


def test_files_are_followed_line_by_line(tmp_path: Path) -> None:
    write(tmp_path, "rewriter", said("one", "info"))
    local = LocalLogs(tmp_path)
    assert events(local.latest(LogFilter(), 100)) == ["one"]
    path = tmp_path / "logs" / "rewriter.log"
    line = json.dumps(said("two", "info"))
    with path.open("a") as file:
        file.write(line[:20])
        file.flush()
        assert events(local.added(LogFilter())) == []  # it is not whole
        file.write(f"{line[20:]}\n")
    assert events(local.added(LogFilter())) == ["two"]
    path.write_text(f"{json.dumps(said('3', 'info'))}\n")  # it was put aside, and began anew
    assert events(local.added(LogFilter())) == ["3"]
    assert events(local.added(LogFilter())) == []


async def test_a_record_that_is_kept_and_in_a_file_is_one(database: Database, tmp_path: Path) -> None:
    both = said("in both", seconds=1, service="rewriter", job_id="rewriter/one")
    await keep(database, *(said(f"old {number}", seconds=-number) for number in range(20)), both)
    write(tmp_path, "rewriter", said("only in the file", "info"), both)
    sources = Sources(Logs(database), LocalLogs(tmp_path))
    assert events(await sources.latest(LogFilter(), 4)) == ["old 1", "old 0", "only in the file", "in both"]
    assert events(await sources.added(LogFilter())) == []  # nor what the limit left out
    later = said("first in the file, then kept", seconds=2, service="rewriter")
    write(tmp_path, "rewriter", later)
    assert events(await sources.added(LogFilter())) == [later["event"]]
    await keep(database, later, said("of another machine, and late", seconds=-60))
    assert events(await sources.added(LogFilter())) == ["of another machine, and late"]


async def test_following_prints_what_comes(connected: Any, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in connected.servers.items():
        monkeypatch.setenv(name, value)
    await keep(database, said("before"))
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        following = asyncio.create_task(_follow(LogFilter(), 10, as_json=True))

        async def said_so_far(number: int) -> list[str]:
            while len(lines := output.getvalue().splitlines()) < number:
                await asyncio.sleep(0.02)
                if following.done():
                    following.result()
            return [json.loads(line)["event"] for line in lines]

        async with asyncio.timeout(15):
            assert await said_so_far(1) == ["before"]
            await keep(database, said("and after"))
            assert await said_so_far(2) == ["before", "and after"]
        following.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await following


def test_without_a_system_the_files_of_the_last_run_are_read(connected: Any) -> None:
    folder = connected.directory / ".postroom" / "demo"
    write(folder, "rewriter", said("the last words", exception="Traceback\nBoom"))
    connected.servers = {}
    with contextlib.chdir(connected.directory):
        assert last_used() == Path(".postroom/demo")
    done = connected.command("logs", DATABASE_URL="", NATS_URL="")
    assert done.stdout == ("2026-01-01 12:00:00.000  WARNING   rewriter   the last words\n    Traceback\n    Boom\n")
    assert "only from the files of .postroom/demo: nothing runs here" in done.stderr
    (folder / "logs" / "rewriter.log").unlink()
    assert connected.command("logs", check=False, DATABASE_URL="", NATS_URL="").returncode == 4
