"""`postroom broadcast` and `postroom broadcasts`, on servers without services: here the userbot is the test."""

import asyncio
import json
import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest
from nats.aio.client import Client

from common.broadcasts import task_of
from common.catalog import Catalog
from common.postgres import Database
from common.posts import NewPost, Posts
from common.telegram.text import RichText
from common.testing.waiting import eventually

SOCKET = ".s.PGSQL.5432"


@pytest.fixture
async def post(database: Database) -> UUID:
    source = await Catalog(database).put_source("import", "an archive")
    [brought] = await Posts(database).add([NewPost(source, "1", RichText(text="A post that is long enough"))])
    return brought.post_id


async def requests(client: Client, subject: str) -> list[tuple[str, dict[str, Any]]]:
    """Ids and payloads of what was published under a subject."""
    reader = await client.jetstream().pull_subscribe(
        subject, stream=await client.jetstream().find_stream_name_by_subject(subject)
    )
    found = []
    try:
        while True:
            for message in await reader.fetch(10, timeout=0.3):
                found.append((message.headers["ce-id"], json.loads(message.data)))
    except TimeoutError:
        return found
    finally:
        await reader.unsubscribe()


async def task(database: Database, task_id: UUID | None = None, **columns: Any) -> UUID:
    """Insert a row as the userbot or an operator would."""
    values = {"text": "Hello", **({"id": task_id} if task_id else {}), **columns}
    marks = ", ".join(f"${n}" for n in range(1, len(values) + 1))
    [row] = await database.strict_fetch(
        f"INSERT INTO userbot_tasks ({', '.join(values)}) VALUES ({marks}) RETURNING id", *values.values()
    )
    return UUID(str(row["id"]))


async def attempt(database: Database, task_id: UUID, chat: str, outcome: str, at: datetime, **more: Any) -> None:
    await database.execute(
        "INSERT INTO broadcast_attempts"
        " (task_id, chat, attempt, account, outcome, started_at, finished_at, error, message_ids)"
        " VALUES ($1, $2, $3, 'userbot', $4, $5, $5, $6, $7)",
        task_id, chat, more.get("attempt", 1), outcome, at, more.get("error"), more.get("message_ids", []),
    )  # fmt: skip


async def test_a_post_is_requested_and_its_task_known_beforehand(
    connected: Any, nats_client: Client, post: UUID
) -> None:
    said = connected.said(
        "broadcast", str(post), "--chats", "-1001234567890,@City", "--chats", "https://t.me/city",
        "--account", "second", "--at", "2030-01-01T12:00:00+03:00",
    )  # fmt: skip
    [(event_id, request)] = await requests(nats_client, "broadcast.requested")
    assert said == {"id": str(task_of(event_id))}
    assert request["post_id"] == str(post)
    assert request["target_chat_ids"] == ["-1001234567890", "@city"]
    assert (request["account"], request["forward"]) == ("second", False)
    assert datetime.fromisoformat(request["not_before"]) == datetime(2030, 1, 1, 9, tzinfo=UTC)


async def test_a_text_is_requested_for_the_usual_chats(connected: Any, nats_client: Client) -> None:
    said = connected.command("broadcast", "--text", "**Hello**").stdout
    [(event_id, request)] = await requests(nats_client, "broadcast.requested")
    assert said.startswith(f"{task_of(event_id)} is on its way")
    assert (request["text"], request["post_id"], request["target_chat_ids"]) == ("**Hello**", None, [])


async def test_what_cannot_be_broadcast_is_refused_at_once(
    connected: Any, nats_client: Client, database: Database, post: UUID
) -> None:
    nobody = str(UUID(int=1))
    assert connected.refusal("broadcast", nobody) == f"postroom: there is no post {nobody}"
    assert connected.refusal("broadcast", str(post), "--forward") == (
        f"postroom: post {post} can't be forwarded: it was not published on Telegram"
    )
    second = NewPost(
        await Catalog(database).put_source("import", "other"), "1", RichText(text="A post that is long enough")
    )
    await Posts(database).add([second])
    assert "is a duplicate of" in connected.refusal("broadcast", str(second.id))
    for wrong in (
        (), (str(post), "--text", "x"), ("--text", " "), ("--text", "x", "--forward"),
        ("--text", "x", "--chats", "no chat"), ("--text", "x", "--at", "tomorrow"),
        ("--text", "x", "--chats", ""), ("--text", "x", "--chats", " ,"),  # not those of TARGET_CHAT_IDS
    ):  # fmt: skip
        assert connected.command("broadcast", *wrong, check=False).returncode == 2
    assert await requests(nats_client, "broadcast.requested") == []


@pytest.mark.parametrize(("status", "code"), [("done", 0), ("failed", 1)])
async def test_waiting_shows_the_progress_until_it_ends(
    connected: Any, nats_client: Client, database: Database, status: str, code: int
) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "postroom", "broadcast", "--text", "Hello", "--chats", "@first,@second",
        "--wait", "--json", cwd=connected.directory, env=connected.environment(**connected.servers),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip

    async def requested() -> list[tuple[str, dict[str, Any]]]:
        return await requests(nats_client, "broadcast.requested")

    [(event_id, _)] = await eventually(requested)
    task_id = await task(
        database, task_of(event_id), chats=["@first", "@second"], status="processing", account="userbot"
    )
    assert process.stderr
    await attempt(database, task_id, "@first", "sent", datetime.now(UTC))
    lines = []
    while not (lines and lines[-1].startswith("processing, 1 of 2 chats")):
        lines.append((await process.stderr.readline()).decode())
        assert lines[-1], lines
    await database.execute(
        "UPDATE userbot_tasks SET status = $2, finished_at = now(), sent_count = 1, error_count = 1, last_error = 'no'"
        " WHERE id = $1",
        task_id, status,
    )  # fmt: skip
    out, _ = await process.communicate()
    said = json.loads(out)
    assert (said["id"], said["status"], said["sent_count"], said["error_count"]) == (str(task_id), status, 1, 1)
    assert process.returncode == code


async def test_waiting_ends_with_one_line_where_the_database_is_gone(
    connected: Any, nats_client: Client, database: Database, tmp_path: Path
) -> None:
    [directory] = parse_qs(urlsplit(connected.servers["DATABASE_URL"]).query).get("host", [""])
    if not directory:
        pytest.skip("its server is no embedded one")
    writers: list[asyncio.StreamWriter] = []

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        its_reader, its_writer = await asyncio.open_unix_connection(f"{directory}/{SOCKET}")
        writers.extend((writer, its_writer))
        await asyncio.gather(pump(reader, its_writer), pump(its_reader, writer))

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            writer.write(data)
        writer.close()

    between = await asyncio.start_unix_server(pass_on, tmp_path / SOCKET)
    url = connected.servers["DATABASE_URL"].replace(directory, str(tmp_path))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "postroom", "broadcast", "--text", "Hello", "--chats", "@first", "--wait",
        cwd=connected.directory, env=connected.environment(**{**connected.servers, "DATABASE_URL": url}),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip

    async def requested() -> list[tuple[str, dict[str, Any]]]:
        return await requests(nats_client, "broadcast.requested")

    [(event_id, _)] = await eventually(requested)
    task_id = await task(database, task_of(event_id), chats=["@first"])
    assert process.stderr
    while "pending, 0 of 1 chat" not in (line := (await process.stderr.readline()).decode()):
        assert line
    between.close()
    (tmp_path / SOCKET).unlink(missing_ok=True)
    for writer in writers:
        writer.close()
    out, said = await process.communicate()
    assert (out, process.returncode) == (b"", 4)
    [line] = said.decode().splitlines()
    assert line.startswith("postroom: PostgreSQL can't be reached any more.")
    assert str(task_id) in line


async def test_broadcasts_are_listed_and_shown(connected: Any, database: Database, post: UUID) -> None:
    assert connected.command("broadcasts", "list").stdout == "No broadcasts.\n"
    started = datetime.now(UTC) - timedelta(seconds=90)
    under_way = await task(
        database, text=None, post_id=post, chats=["@a", "@b", "@c", "@d"], status="processing", account="userbot",
        started_at=started, sent_count=1, error_count=1,
    )  # fmt: skip
    failed = await task(database, status="failed", last_error="no chats", finished_at=started)
    await attempt(database, under_way, "@a", "retry", started)
    await attempt(database, under_way, "@a", "sent", started, attempt=2, message_ids=[41])
    await attempt(database, under_way, "@b", "refused", started + timedelta(seconds=30), error="forbidden")
    assert {row["id"] for row in connected.said("broadcasts", "list")} == {str(under_way), str(failed)}
    for name in ("failed", "error"):
        assert [row["id"] for row in connected.said("broadcasts", "list", "--status", name)] == [str(failed)]
    assert connected.command("broadcasts", "list", "--status", "nonsense", check=False).returncode == 2
    human = connected.command("broadcasts", "list").stdout
    assert "2/4" in human
    assert "no chats" in human

    shown = connected.said("broadcasts", "show", str(under_way))
    assert (shown["done"], shown["left"], shown["total"]) == (2, 2, 4)
    left = datetime.fromisoformat(shown["ends_at"]) - datetime.now(UTC)
    assert timedelta(seconds=20) < left <= timedelta(seconds=60)  # two more, at the pace of one in 30 s
    assert [(chat["chat"], chat["outcome"], chat["attempts"]) for chat in shown["chats"]] == [
        ("@a", "sent", 2), ("@b", "refused", 1), ("@c", None, 0), ("@d", None, 0),
    ]  # fmt: skip
    assert (shown["chats"][0]["message_ids"], shown["chats"][1]["error"]) == ([41], "forbidden")
    human = connected.command("broadcasts", "show", str(under_way)).stdout
    assert "2 of 4 done, 2 left" in human
    assert "ends about" in human
    nobody = UUID(int=1)
    assert connected.refusal("broadcasts", "show", str(nobody)) == f"postroom: there is no broadcast {nobody}"


async def test_an_account_that_nobody_has_is_warned_of(connected: Any, nats_client: Client, database: Database) -> None:
    def warned(*arguments: str) -> str:
        done = connected.command("broadcast", "--text", "Hello", *arguments, "--json")
        assert "id" in json.loads(done.stdout)  # it may be one that is still to be started
        return str(done.stderr)

    assert warned("--account", "nobody") == (
        "postroom: no userbot of the account nobody has run here (none has run here yet): "
        "the broadcast waits until one does\n"
    )
    await database.execute("INSERT INTO userbot_accounts VALUES ('userbot'), ('second')")
    assert "(there are second, userbot)" in warned("--account", "nobody")
    assert warned("--account", "second") == ""
    assert warned() == ""
    assert len(await requests(nats_client, "broadcast.requested")) == 4


async def test_one_goes_by_the_beginning_of_its_id(connected: Any, database: Database) -> None:
    ids = [UUID(f"{beginning}-0000-4000-8000-000000000000") for beginning in ("abcd1234", "abcd5678")]
    for task_id in ids:
        await task(database, task_id, not_before=datetime(2030, 1, 1, 9, tzinfo=UTC))
    assert connected.said("broadcasts", "show", "ABCD1")["id"] == str(ids[0])
    assert connected.refusal("broadcasts", "show", "abcd") == (
        "postroom: several broadcasts begin with abcd: give more of the id"
    )
    assert connected.refusal("broadcasts", "show", "ffff") == "postroom: there is no broadcast ffff"
    assert connected.said("broadcasts", "pause", "abcd5") == {"paused": str(ids[1])}
    shown = connected.command("broadcasts", "show", "abcd5").stdout
    assert re.search(r"^state +paused by cli", shown, re.MULTILINE)
    assert re.search(r"^not before +2030-01-01 09:00:00$", shown, re.MULTILINE)
    for arguments in (("broadcasts", "show", "abc"), ("broadcasts", "cancel", "nonsense"), ("broadcasts", "pause")):
        refused = connected.command(*arguments, check=False)
        assert refused.returncode == 2
        assert "Invalid value for TASK_ID" in refused.stderr
    for arguments in (("broadcast", "x"), ("broadcast",), ("trace", "x"), ("images", "request", "x")):
        assert "Invalid value for POST_ID" in connected.command(*arguments, check=False).stderr


async def test_a_send_without_an_answer_is_told_of(connected: Any, database: Database) -> None:
    began = datetime.now(UTC) - timedelta(seconds=40)
    task_id = await task(database, chats=["@a", "@b"], status="processing", account="userbot")
    await attempt(database, task_id, "@a", "sending", began)
    await attempt(database, task_id, "@a", "sending", began + timedelta(seconds=30), attempt=2)
    said = f"processing, an answer of Telegram is awaited since {began:%H:%M:%S} UTC"
    assert said in connected.command("broadcasts", "show", str(task_id)).stdout
    assert said in connected.command("broadcasts", "list").stdout
    assert connected.said("broadcasts", "show", str(task_id))["awaited_since"] == began.isoformat()
    await database.execute("UPDATE broadcast_attempts SET started_at = now() WHERE task_id = $1", task_id)
    assert "awaited" not in connected.command("broadcasts", "show", str(task_id)).stdout  # it has only begun
    await database.execute("UPDATE broadcast_attempts SET outcome = 'retry' WHERE task_id = $1", task_id)
    assert connected.said("broadcasts", "show", str(task_id))["awaited_since"] is None


async def test_one_is_paused_and_resumed(connected: Any, database: Database) -> None:
    task_id, ended = await task(database), await task(database, status="done", finished_at=datetime.now(UTC))
    assert connected.command("broadcasts", "pause", str(task_id)).stdout == f"Broadcast {task_id} is paused.\n"
    [row] = await database.fetch("SELECT paused_at, paused_by FROM userbot_tasks WHERE id = $1", task_id)
    assert row["paused_at"]
    assert row["paused_by"].startswith("cli")
    connected.said("broadcasts", "pause", str(task_id))
    [again] = await database.fetch("SELECT paused_at, paused_by FROM userbot_tasks WHERE id = $1", task_id)
    assert again["paused_at"] == row["paused_at"]
    assert f"paused by {row['paused_by']}" in connected.command("broadcasts", "show", str(task_id)).stdout
    assert connected.said("broadcasts", "resume", str(task_id)) == {"resumed": str(task_id)}
    [row] = await database.fetch("SELECT paused_at, paused_by FROM userbot_tasks WHERE id = $1", task_id)
    assert dict(row) == {"paused_at": None, "paused_by": None}
    for decision in ("pause", "resume", "cancel"):
        assert connected.refusal("broadcasts", decision, str(ended)) == (
            f"postroom: broadcast {ended} has ended already: it is done"
        )
        assert "there is no broadcast" in connected.refusal("broadcasts", decision, str(UUID(int=1)))


async def test_all_are_paused_with_a_reason(connected: Any, database: Database) -> None:
    connected.command("broadcasts", "pause", "--all", "--reason", "a holiday", "--until", "2030-01-01T00:00:00Z")
    [row] = await database.fetch("SELECT * FROM queue_pauses")
    assert (row["queue"], row["reason"], row["until"]) == (
        "broadcast_queue", "a holiday", datetime(2030, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    assert row["paused_by"].startswith("cli")
    notice = f"All broadcasts are paused until 2030-01-01 00:00 UTC by {row['paused_by']}: a holiday"
    assert connected.command("broadcasts", "list").stdout.splitlines()[0] == notice
    assert "! broadcast_queue is paused until 2030-01-01 00:00 UTC by" in connected.command("status").stdout
    await database.execute("UPDATE queue_pauses SET until = now()")
    assert notice not in connected.command("broadcasts", "list").stdout
    assert connected.said("broadcasts", "resume", "--all") == {"resumed": "all"}
    assert await database.fetch("SELECT FROM queue_pauses") == []
    for wrong in ((), (str(UUID(int=1)), "--all"), (str(UUID(int=1)), "--reason", "x")):
        assert connected.command("broadcasts", "pause", *wrong, check=False).returncode == 2


async def test_an_account_is_resumed(connected: Any, database: Database) -> None:
    await database.execute("INSERT INTO userbot_accounts VALUES ('userbot', now(), 'PEER_FLOOD')")
    task_id = await task(database, account="userbot")
    anybodys = await task(database)
    for each, which in ((task_id, "account userbot"), (anybodys, "every account")):
        assert f"waits: {which} was stopped (PEER_FLOOD)" in connected.command("broadcasts", "show", str(each)).stdout
    await database.execute("INSERT INTO userbot_accounts VALUES ('second')")  # which may take it
    assert "PEER_FLOOD" not in connected.command("broadcasts", "show", str(anybodys)).stdout
    assert "was stopped (PEER_FLOOD)" in connected.command("broadcasts", "show", str(task_id)).stdout
    assert "! account userbot was stopped: PEER_FLOOD" in connected.command("status").stdout
    assert connected.said("broadcasts", "resume", "--account", "userbot") == {"resumed": "userbot"}
    [row] = await database.fetch("SELECT stopped_at, stopped_reason FROM userbot_accounts WHERE name = 'userbot'")
    assert dict(row) == {"stopped_at": None, "stopped_reason": None}
    assert connected.refusal("broadcasts", "resume", "--account", "userbot") == (
        "postroom: no account userbot was stopped"
    )


async def test_one_is_cancelled_at_once_or_by_whoever_works_on_it(
    connected: Any, nats_client: Client, database: Database
) -> None:
    waiting = await task(
        database, sent_count=2, account="userbot", last_error="parked", target_chat_ids=["@never_reached"]
    )
    doubtful, taken = await task(database), await task(database, status="processing")
    await attempt(database, doubtful, "@a", "sending", datetime.now(UTC))
    for task_id in (waiting, doubtful, taken):
        assert connected.said("broadcasts", "cancel", str(task_id)) == {"cancelled": str(task_id)}
    rows = await database.fetch("SELECT id, status, cancel_requested_at, finished_at, cancelled_by FROM userbot_tasks")
    assert all(row["cancel_requested_at"] and row["cancelled_by"].startswith("cli") for row in rows)
    assert {row["id"]: (row["status"], row["finished_at"] is not None) for row in rows} == {
        waiting: ("cancelled", True), doubtful: ("pending", False), taken: ("processing", False),
    }  # fmt: skip
    [(_, result)] = await requests(nats_client, "broadcast.result")
    assert (result["task_id"], result["status"]) == (str(waiting), "cancelled")
    assert (result["sent_count"], result["account"], result["last_error"]) == (2, "userbot", "parked")
    assert re.search("@never_reached +not sent", connected.command("broadcasts", "show", str(waiting)).stdout)
    assert "has ended already" in connected.refusal("broadcasts", "cancel", str(waiting))
    assert len(await requests(nats_client, "broadcast.result")) == 1
