"""What people decide: pause, resume, cancel; for one task, and for all."""

import pytest

from common.broadcasts import QUEUE, Broadcasts
from common.messaging.rails import Rails
from common.queues.control import Enforcement, QueueControl
from common.testing.waiting import eventually

from .conftest import Stage, addresses, broadcasting


async def begun(stage: Stage, task: object, number: int = 1) -> None:
    """Wait until so many chats got it."""

    async def there() -> bool:
        rows = await stage.sql("SELECT FROM broadcast_attempts WHERE task_id = $1 AND outcome = 'sent'", task)
        return len(rows) >= number

    await eventually(there)


def slow(stage: Stage) -> None:
    """Let each send take a little."""
    stage.fault("delay", seconds=0.15, times=1000)


async def test_pause_and_resume(stage: Stage) -> None:
    chats = stage.chats(12)
    people = Broadcasts(stage.database, Rails(stage.nats.jetstream(), stage.database))
    slow(stage)
    async with broadcasting():
        task = await stage.request(text="on and off", target_chat_ids=addresses(chats))
        await begun(stage, task, 2)
        await people.pause(task, "me")
        row = await stage.until(task, "pending")
        assert 2 <= row["sent_count"] < 12
        assert (row["attempts"], row["last_error"]) == (0, None)
        another = await stage.request(text="meanwhile", target_chat_ids=addresses(chats[:1]))
        await stage.until(another)
        assert (await stage.task(task))["sent_count"] == row["sent_count"]
        await people.resume(task)
        row = await stage.until(task)
    assert (row["status"], row["sent_count"], row["attempts"]) == ("done", 12, 1)
    assert all(stage.texts(chat).count("on and off") == 1 for chat in chats)


async def test_the_pause_of_the_queue(stage: Stage) -> None:
    chats = stage.chats(12)
    control, enforcement = QueueControl(stage.database), Enforcement(stage.database, stage.nats)
    slow(stage)
    async with broadcasting():
        tasks = [await stage.request(text="task 0", target_chat_ids=addresses(chats))]
        await begun(stage, tasks[0], 2)
        tasks.append(await stage.request(text="task 1", target_chat_ids=addresses(chats)))
        await stage.until(tasks[1], "pending")
        await control.pause([QUEUE], by="me", reason="holidays")
        assert await enforcement.bring([QUEUE], by="me") == []
        await stage.until(tasks[0], "pending")

        async def told() -> bool:
            return "holidays" in (await stage.ready())[1].get("telegram", "")

        await eventually(told)
        sends = stage.calls()
        assert (await stage.task(tasks[1]))["status"] == "pending"
        await control.resume([QUEUE])
        assert await enforcement.bring([QUEUE], by="me") == []
        rows = [await stage.until(task, within=30) for task in tasks]
    assert sends < 13
    assert [(row["status"], row["sent_count"], row["attempts"]) for row in rows] == [("done", 12, 1)] * 2
    assert [stage.texts(chat) for chat in chats] == [["task 0", "task 1"]] * 12


async def test_cancel_while_it_is_sent(stage: Stage) -> None:
    chats = stage.chats(12)
    people = Broadcasts(stage.database, Rails(stage.nats.jetstream(), stage.database))
    slow(stage)
    async with broadcasting():
        task = await stage.request(text="no more", target_chat_ids=addresses(chats))
        await begun(stage, task, 2)
        await people.cancel(task, "me")
        row = await stage.until(task)
        result = await stage.result(task)
        sent = sum(stage.texts(chat) == ["no more"] for chat in chats)
    assert row["status"] == result["status"] == "cancelled"
    assert 2 <= row["sent_count"] == result["sent_count"] == sent < 12
    assert result["error_count"] == 0


async def test_cancel_what_is_in_doubt_and_nobody_works_on(stage: Stage) -> None:
    people = Broadcasts(stage.database, Rails(stage.nats.jetstream(), stage.database))
    task = await stage.insert(text="in doubt", target_chat_ids=["@a_chat", "@b_chat"], account="gone")
    await stage.sql(
        """INSERT INTO broadcast_attempts (task_id, chat, attempt, account, outcome) VALUES
               ($1, '@a_chat', 1, 'gone', 'sending'), ($1, '@a_chat', 2, 'gone', 'retry'),
               ($1, '@b_chat', 1, 'gone', 'sent')""",
        task,
    )
    await stage.sql("UPDATE userbot_tasks SET sent_count = 1 WHERE id = $1", task)
    await people.cancel(task, "me")
    async with broadcasting():
        row = await stage.until(task)
        result = await stage.result(task)
    assert (row["status"], row["sent_count"], row["error_count"]) == ("cancelled", 1, 1)
    assert (result["sent_count"], result["error_count"]) == (1, 1)
    assert await stage.outcomes(task) == {"@a_chat": "unknown", "@b_chat": "sent"}


async def test_cancel_looks_for_what_is_in_doubt(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROADCAST_QUEUE_TIMEOUT_SECONDS", "0.3")
    chats = stage.chats(2)
    stage.fault("lost_answer", times=1000)
    async with broadcasting():
        task = await stage.request(text="arrived", target_chat_ids=addresses(chats))

        async def doubtful() -> bool:
            rows = await stage.sql("SELECT FROM broadcast_attempts WHERE error IS NOT NULL AND outcome = 'sending'")
            return bool(rows)

        await eventually(doubtful)
        await stage.sql("UPDATE userbot_tasks SET cancel_requested_at = now()")
        row = await stage.until(task)
    assert (row["status"], row["sent_count"], row["error_count"]) == ("cancelled", 1, 0)
    assert [stage.texts(chat) for chat in chats] == [["arrived"], []]


async def test_a_stop_finishes_the_send_and_a_start_goes_on_at_the_next_chat(stage: Stage) -> None:
    chats = stage.chats(10)
    slow(stage)
    counts = []
    task = await stage.request(text="in pieces", target_chat_ids=addresses(chats))
    for number in range(1, 4):
        async with broadcasting():
            await begun(stage, task, 2 * number)
        row = await stage.task(task)
        tries = await stage.attempts(task)
        assert (row["status"], row["holder"], row["attempts"]) == ("pending", None, 0)
        assert all(each["outcome"] == "sent" or each["error"] == "stopped before it was made" for each in tries)
        assert sum(bool(stage.texts(chat)) for chat in chats) == row["sent_count"]
        counts.append(row["sent_count"])
    async with broadcasting():
        row = await stage.until(task)
    assert counts == sorted(counts)
    assert (row["status"], row["sent_count"], row["attempts"]) == ("done", 10, 1)
    assert [stage.texts(chat) for chat in chats] == [["in pieces"]] * 10
    assert stage.calls() == 10


async def test_a_task_that_somebody_else_took_is_let_go(stage: Stage) -> None:
    chats = stage.chats(20)
    slow(stage)
    async with broadcasting():
        task = await stage.request(text="stolen", target_chat_ids=addresses(chats))
        await begun(stage, task, 2)
        await stage.sql(
            "UPDATE userbot_tasks SET holder = gen_random_uuid(), lease_until = now() + interval '3 s' WHERE id = $1",
            task,
        )
        row = await stage.until(task, within=30)
    assert (row["status"], row["sent_count"], row["attempts"]) == ("done", 20, 1)
    assert [stage.texts(chat) for chat in chats] == [["stolen"]] * 20
