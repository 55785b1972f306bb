"""Sends of which it is not known whether they arrived: once, or looked for, or told so."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from common.testing.waiting import eventually

from .conftest import Stage, addresses, broadcasting, picture


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a second for each call."""
    monkeypatch.setenv("BROADCAST_QUEUE_TIMEOUT_SECONDS", "0.5")


@pytest.mark.parametrize("duplicates", ["repeat", "error"])
@pytest.mark.parametrize("kind", ["lost_answer", "drop_after", "drop", "error_after", "random_id_duplicate"])
async def test_what_may_have_arrived_is_there_once(stage: Stage, kind: str, duplicates: str) -> None:
    chats = stage.chats(3)
    stage.world.duplicates = duplicates  # type: ignore[assignment]
    stage.fault(kind, chat=chats[1].id, message="RPC_CALL_FAIL" if kind == "error_after" else "")
    async with broadcasting():
        task = await stage.request(text="perhaps", target_chat_ids=addresses(chats))
        row = await stage.until(task)
    assert [stage.texts(chat) for chat in chats] == [["perhaps"]] * 3
    assert (row["status"], row["sent_count"], row["error_count"], row["attempts"]) == ("done", 3, 0, 1)
    tries = await stage.attempts(task, f"@{chats[1].username}")
    assert [each["outcome"] for each in tries][:-1] == ["retry"] * (len(tries) - 1)
    assert (tries[-1]["outcome"], tries[-1]["message_ids"]) == ("sent", [1])
    assert len({tuple(each["random_ids"]) for each in tries}) == 1


async def test_an_album_whose_answer_is_lost_is_there_once(stage: Stage) -> None:
    (chat,) = stage.chats(1)
    post = await stage.pictured("two of them", [picture("red"), picture("blue")])
    stage.fault("lost_answer", "messages.SendMultiMedia")
    async with broadcasting():
        task = await stage.request(post_id=post, target_chat_ids=[chat.id])
        await stage.until(task)
    assert stage.texts(chat) == ["two of them", ""]
    assert (await stage.attempts(task))[-1]["message_ids"] == [1, 2]


@pytest.mark.parametrize(("kind", "outcome"), [("lost_answer", "sent"), ("drop", "unknown")])
async def test_after_the_bound_it_is_looked_for(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, kind: str, outcome: str
) -> None:
    monkeypatch.setenv("UNKNOWN_AFTER_SECONDS", "1")
    chats = stage.chats(2)
    stage.world.post(chats[0], "in the fog", author=stage.account, date=stage.world.clock() - 3600)
    stage.world.post(chats[0], "in the fog", author=stage.owner)
    stage.fault(kind, times=500, chat=chats[0].id)
    async with broadcasting():
        task = await stage.request(text="in the fog", target_chat_ids=addresses(chats))
        row = await stage.until(task)
        result = await stage.result(task)
    there = outcome == "sent"
    assert stage.texts(chats[0]) == ["in the fog"] * (3 if there else 2)
    assert stage.texts(chats[1]) == ["in the fog"]
    assert await stage.outcomes(task) == {f"@{chats[0].username}": outcome, f"@{chats[1].username}": "sent"}
    assert (row["sent_count"], row["error_count"]) == ((2, 0) if there else (1, 1))
    assert (result["sent_count"], result["error_count"]) == (row["sent_count"], row["error_count"])
    if there:
        assert (await stage.attempts(task, f"@{chats[0].username}"))[-1]["message_ids"] == [3]
    else:
        assert "not found there" in row["last_error"]


async def test_an_old_send_of_a_killed_process_is_looked_for_and_not_repeated(stage: Stage) -> None:
    chats = stage.chats(2)
    async with broadcasting():
        task = await stage.request(text="long ago", target_chat_ids=addresses(chats))
        await stage.until(task)
    sends = stage.calls()
    await stage.sql(
        """UPDATE broadcast_attempts SET outcome = 'sending', message_ids = '{}', finished_at = NULL,
               started_at = now() - interval '1 h'"""
    )
    stage.world.delete(stage.world.messages(chats[1].id))
    await stage.sql(
        """UPDATE userbot_tasks SET status = 'processing', lease_until = now() - interval '1 s', sent_count = 0,
               finished_at = NULL, holder = gen_random_uuid()"""
    )
    async with broadcasting():
        row = await stage.until(task)
    assert await stage.outcomes(task) == {f"@{chats[0].username}": "sent", f"@{chats[1].username}": "unknown"}
    assert (row["sent_count"], row["error_count"], row["attempts"]) == (1, 1, 1)
    assert stage.calls() == sends


async def test_what_another_account_may_have_sent_is_unknown(stage: Stage) -> None:
    (chat,) = stage.chats(1)
    task = await stage.insert(text="whose", target_chat_ids=[str(chat.id)], account="userbot")
    await stage.sql(
        """INSERT INTO broadcast_attempts (task_id, chat, attempt, account, outcome, random_ids)
           VALUES ($1, $2, 1, 'another', 'sending', '{1}')""",
        task,
        str(chat.id),
    )
    async with broadcasting():
        row = await stage.until(task)
    assert (row["sent_count"], row["error_count"]) == (0, 1)
    assert "another" in row["last_error"]
    assert stage.calls() == 0


async def test_an_upload_that_is_not_answered_leaves_nothing_in_doubt(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNKNOWN_AFTER_SECONDS", "1")
    (chat,) = stage.chats(1)
    post = await stage.pictured("look", [picture()])
    stage.fault("lost_answer", "upload.SaveFilePart", times=3)
    async with broadcasting():
        task = await stage.request(post_id=post, target_chat_ids=[chat.id])
        row = await stage.until(task)
    assert (row["status"], row["sent_count"], row["error_count"], row["attempts"]) == ("done", 1, 0, 1)
    assert stage.texts(chat) == ["look"]
    assert stage.calls("messages.GetHistory") == 0


async def in_doubt(stage: Stage, chat: str, seconds: int) -> UUID:
    """Insert a task that may have been sent to its chat so many seconds ago."""
    task = await stage.insert(text="perhaps", target_chat_ids=[chat], account="userbot")
    await stage.sql(
        """INSERT INTO broadcast_attempts (task_id, chat, attempt, account, outcome, started_at)
           VALUES ($1, $2, 1, 'userbot', 'sending', now() - $3::interval)""",
        task,
        chat,
        timedelta(seconds=seconds),
    )
    return task


async def test_what_cannot_be_looked_for_is_unknown_and_the_task_ends(stage: Stage) -> None:
    (chat,) = stage.chats(1)
    stage.fault("rpc_error", "messages.GetHistory", message="INTERDC_2_CALL_ERROR", times=1000)
    task = await in_doubt(stage, str(chat.id), 3600)
    async with broadcasting():
        row = await stage.until(task)
    assert (row["status"], row["sent_count"], row["error_count"]) == ("done", 0, 1)
    assert "looking for it: INTERDC_CALL_ERROR" in row["last_error"]
    assert stage.calls() == 0


async def test_a_stop_while_leave_is_asked_for_forgets_no_doubt(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    (chat,) = stage.chats(1)
    await stage.sql(
        "INSERT INTO pacing (key, arrival, blocked_until) VALUES ('userbot:userbot', now(), now() + interval '1 h')"
    )
    task = await in_doubt(stage, str(chat.id), 1)

    async def asks() -> bool:
        return bool(
            await stage.sql(
                "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%AS cancelled, paused_at%'"
            )
        )

    async def stops() -> bool:
        return "userbot stops" in caplog.text

    async def unlock() -> None:
        async with stage.database.transaction() as other:
            await other.execute("SELECT FROM userbot_tasks WHERE id = $1 FOR UPDATE", task)
            locked.set()
            await eventually(stops)

    locked = asyncio.Event()
    with caplog.at_level("INFO"):
        async with broadcasting():
            await stage.until(task, "processing")
            unlocking = asyncio.create_task(unlock())
            await locked.wait()
            await eventually(asks)
        await unlocking
    assert [each["outcome"] for each in await stage.attempts(task)] == ["sending"]
    assert (await stage.task(task))["status"] == "pending"
