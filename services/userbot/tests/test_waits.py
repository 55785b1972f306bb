"""Waiting: for Telegram, for the pace, for the next day; and the account that Telegram has stopped."""

import asyncio
from itertools import pairwise

import pytest

from common.testing.waiting import eventually

from .conftest import Stage, addresses, broadcasting


async def sent_to(stage: Stage, number: int) -> None:
    """Wait until so many chats got it."""

    async def there() -> bool:
        rows = await stage.sql("SELECT FROM broadcast_attempts WHERE outcome = 'sent'")
        return len(rows) >= number

    await eventually(there)


async def blocked(stage: Stage) -> float:
    """For how many seconds the account waits."""
    rows = await stage.sql(
        "SELECT extract(epoch FROM blocked_until - now())::float8 AS left FROM pacing WHERE key = 'userbot:userbot'"
    )
    return rows[0]["left"] if rows else 0.0


async def test_a_flood_wait_is_waited_out_and_the_task_goes_on(stage: Stage) -> None:
    chats = stage.chats(4)
    stage.fault("flood_wait", seconds=2, chat=chats[2].id)
    async with broadcasting():
        task = await stage.request(text="patience", target_chat_ids=addresses(chats))
        row = await stage.until(task)
    assert (row["status"], row["sent_count"], row["attempts"]) == ("done", 4, 1)
    assert [stage.texts(chat) for chat in chats] == [["patience"]] * 4
    assert stage.calls() == 5  # nobody asks again before the time is over


async def test_a_flood_wait_while_an_address_is_resolved(stage: Stage) -> None:
    chats = stage.chats(3)
    stage.fault("flood_wait", "contacts.ResolveUsername", seconds=1)
    async with broadcasting():
        row = await stage.until(await stage.request(text="patience", target_chat_ids=addresses(chats)))
    assert (row["sent_count"], row["attempts"]) == (3, 1)


@pytest.mark.parametrize("decision", ["pause", "cancel", "pause all", "stop"])
async def test_a_long_wait_is_no_obstacle_to_a_decision(stage: Stage, decision: str) -> None:
    chats = stage.chats(3)
    stage.fault("flood_wait", seconds=1000, chat=chats[1].id)
    async with broadcasting():
        task = await stage.request(text="slowly", target_chat_ids=addresses(chats))

        async def waits() -> bool:
            return await blocked(stage) > 900

        await eventually(waits)
        status, problems = await stage.ready()
        assert status == 503
        assert "FLOOD_WAIT" in problems["telegram"]
        if decision == "pause":
            await stage.sql("UPDATE userbot_tasks SET paused_at = now()")
            row = await stage.until(task, "pending", within=5)
        elif decision == "cancel":
            await stage.sql("UPDATE userbot_tasks SET cancel_requested_at = now()")
            row = await stage.until(task, within=5)
        elif decision == "pause all":
            await stage.sql("INSERT INTO queue_pauses (queue, paused_by) VALUES ('broadcast_queue', 'me')")
            row = await stage.until(task, "pending", within=5)
    if decision == "stop":
        row = await stage.task(task)
    assert row["status"] == ("cancelled" if decision == "cancel" else "pending")
    assert (row["holder"], row["lease_until"]) == (None, None)
    assert row["attempts"] == (1 if decision == "cancel" else 0)
    assert row["sent_count"] == 1
    assert await blocked(stage) > 900  # also for the next task, and after a restart
    if decision == "cancel":
        assert (await stage.result(task))["status"] == "cancelled"


async def test_a_long_wait_keeps_the_task(stage: Stage) -> None:
    (chat,) = stage.chats(1)
    stage.fault("flood_wait", seconds=1000)
    async with broadcasting():
        task = await stage.request(text="slowly", target_chat_ids=[chat.id])
        await stage.until(task, "processing")
        first = (await stage.task(task))["lease_until"]

        async def renewed() -> bool:
            return bool((await stage.task(task))["lease_until"] > first)

        await eventually(renewed)
        await sleep_until_renewals(stage, task)
        assert (await stage.task(task))["status"] == "processing"


async def sleep_until_renewals(stage: Stage, task: object) -> None:
    """Let several renewals go by."""
    for _ in range(2):
        before = (await stage.sql("SELECT lease_until FROM userbot_tasks WHERE id = $1", task))[0]["lease_until"]

        async def later(before: object = before) -> bool:
            rows = await stage.sql("SELECT FROM userbot_tasks WHERE id = $1 AND lease_until > $2", task, before)
            return bool(rows)

        await eventually(later)


async def test_the_pace_survives_a_restart(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIN_SECONDS_BETWEEN_CHATS", "3")
    monkeypatch.setenv("MAX_SECONDS_BETWEEN_CHATS", "4")
    chats = stage.chats(2)
    async with broadcasting():
        task = await stage.request(text="paced", target_chat_ids=addresses(chats))
        await sent_to(stage, 1)
        assert 2 < await blocked(stage) <= 4
        status, problems = await stage.ready()
        assert (status, problems) == (200, {})  # a wait between chats is nothing to tell
    assert (await stage.task(task))["status"] == "pending"
    async with broadcasting():
        row = await stage.until(task)
    assert row["sent_count"] == 2
    times = [stage.world.messages(chat.id)[0].date for chat in chats]
    assert min(later - earlier for earlier, later in pairwise(times)) >= 3


async def test_peer_flood_stops_the_account_until_a_person_resumes_it(stage: Stage) -> None:
    chats = stage.chats(4)
    stage.fault("rpc_error", message="PEER_FLOOD", chat=chats[2].id)
    async with broadcasting():
        task = await stage.request(text="too much", target_chat_ids=addresses(chats))
        row = await stage.until(task, "pending", sent_count=2)
        (notice,) = await stage.notices("userbot.account_stopped")

        async def unready() -> bool:
            return "PEER_FLOOD" in (await stage.ready())[1].get("telegram", "")

        await eventually(unready)
    assert (row["attempts"], row["holder"]) == (0, None)
    assert "PEER_FLOOD" in row["last_error"]
    assert notice["severity"] == "error"
    async with broadcasting():
        second = await stage.request(text="another", target_chat_ids=addresses(chats[:1]))
        await stage.until(second, "pending")

        async def looked() -> bool:
            return "PEER_FLOOD" in (await stage.ready())[1].get("telegram", "")

        await eventually(looked)
        assert stage.calls() == 3
        await stage.sql("UPDATE userbot_accounts SET stopped_at = NULL, stopped_reason = NULL")
        row = await stage.until(task)
        await stage.until(second)
    assert (row["status"], row["sent_count"], row["error_count"], row["attempts"]) == ("done", 4, 0, 1)
    assert row["last_error"] is None
    assert [stage.texts(chat)[0] for chat in chats] == ["too much"] * 4


@pytest.mark.parametrize(
    ("method", "message"),
    [("messages.SendMessage", "FROZEN_METHOD_INVALID"), ("contacts.ResolveUsername", "PEER_FLOOD")],
)
async def test_whatever_says_that_the_account_is_blocked_stops_it(stage: Stage, method: str, message: str) -> None:
    (chat,) = stage.chats(1)
    stage.fault("rpc_error", method, message=message, times=1000)
    async with broadcasting():
        task = await stage.request(text="too much", target_chat_ids=addresses([chat]))
        (notice,) = await stage.notices("userbot.account_stopped")
        await stage.until(task, "pending", attempts=0)
    assert message in notice["title"]
    assert stage.calls(method) == 1
    assert len(await stage.sql("SELECT FROM userbot_accounts WHERE stopped_at IS NOT NULL")) == 1


async def test_the_daily_cap_parks_and_goes_on(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCOUNT_MESSAGES_PER_DAY", "3")
    chats = stage.chats(5)
    async with broadcasting():
        task = await stage.request(text="rationed", target_chat_ids=addresses(chats))
        row = await stage.until(task, "pending", sent_count=3)

        async def unready() -> bool:
            return "cap" in (await stage.ready())[1].get("telegram", "")

        await eventually(unready)
        assert "24 hours" in row["last_error"]
        await stage.sql("UPDATE broadcast_attempts SET finished_at = finished_at - interval '1 day'")
        row = await stage.until(task)
    assert (row["status"], row["sent_count"], row["attempts"], row["last_error"]) == ("done", 5, 1, None)
    assert [stage.texts(chat) for chat in chats] == [["rationed"]] * 5


async def test_telegram_goes_away_and_comes_back(stage: Stage) -> None:
    chats = stage.chats(3)
    stage.fault("flood_wait", seconds=2, chat=chats[1].id)
    async with broadcasting():
        task = await stage.request(text="still here", target_chat_ids=addresses(chats))
        await sent_to(stage, 1)
        await stage.server.stop()
        await asyncio.wait_for(stage.until(task, "pending"), 20)
        await stage.server.start()
        row = await stage.until(task)
    assert (row["status"], row["sent_count"], row["attempts"]) == ("done", 3, 1)
    assert [stage.texts(chat) for chat in chats] == [["still here"]] * 3


async def test_a_send_without_an_answer_is_told_of(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("userbot.trying.AWAITED_SECONDS", 0.2)
    (chat,) = stage.chats(1)
    stage.fault("lost_answer")
    async with broadcasting():
        await stage.request(text="hello", target_chat_ids=[chat.id])

        async def told() -> bool:
            if not await stage.sql("SELECT FROM service_beats WHERE service = 'userbot'"):
                return False
            status, problems = await stage.ready()
            return status == 503 and "an answer of Telegram is awaited since" in problems.get("telegram", "")

        await eventually(told)
