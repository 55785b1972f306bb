"""Settings of queues that change while a service runs, and how queues stand meanwhile."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from nats.aio.client import Client

from common.messaging.queue import QueueSettings
from common.messaging.slots import Slots
from common.postgres import Database
from common.queues.control import Enforcement, QueueControl
from common.queues.effective import effective
from common.queues.records import QueueRecords
from common.queues.settings import layers
from common.queues.standing import QueueStanding, standing
from common.service import ServiceSettings, SettingsError
from common.testing.trial import CONTRACTS, TrialHandlers, trial_service
from common.testing.waiting import eventually, job_of

from .test_pausing import Held, running

Changing = Callable[..., Awaitable[None]]


@pytest.fixture
def change(database: Database, nats_client: Client) -> Changing:
    """Changes settings of the first queue, and waits until its service follows."""

    async def change(**given: object) -> None:
        await eventually(lambda: QueueRecords(database).replicas(["first_queue"]))
        await QueueControl(database, CONTRACTS).change("first_queue", given, by="cli:me", reason="a test")
        late = await Enforcement(database, nats_client, CONTRACTS).bring(["first_queue"], by="cli:me", patience=10.0)
        assert late == []

    return change


async def publish(client: Client, count: int, mode: str = "", **headers: str) -> None:
    for number in range(count):
        body = json.dumps({"number": number, "mode": mode}).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        await client.jetstream().publish("trial.first", body, headers=named or None)


async def first_queue(database: Database, client: Client) -> QueueStanding:
    found = await standing(database, client.jetstream(), CONTRACTS)
    return next(each for each in found if each.queue == "first_queue")


async def test_more_run_at_once_and_then_fewer(
    trial_settings: ServiceSettings, nats_client: Client, change: Changing
) -> None:
    handlers = Held()
    async with trial_service(trial_settings, handlers, QueueSettings(concurrency=1)):
        await publish(nats_client, 30)
        await running(handlers, 1)
        await change(concurrency=8)
        await running(handlers, 8)
        await change(concurrency=2)
        assert handlers.now == 8  # nobody is thrown out
        for gone in range(1, 12):
            handlers.let_one_go()

            async def it_has_gone(gone: int = gone) -> bool:
                return len(handlers.runs) == gone and handlers.now == max(2, 8 - gone)

            await eventually(it_has_gone)
        handlers.let_all_go()


async def test_attempts_and_timeouts_change(
    trial_settings: ServiceSettings, nats_client: Client, database: Database, change: Changing
) -> None:
    async with trial_service(trial_settings, TrialHandlers(), QueueSettings(max_attempts=100, timeout_seconds=3000)):
        await change(max_attempts=2, backoff_base_seconds=0.1)
        await publish(nats_client, 1, "boom", ce_id="boom")
        assert (await job_of(database, "boom"))["attempts"] == 2
        await change(max_attempts=1, timeout_seconds=0.2)
        await publish(nats_client, 1, "hang", ce_id="hang")
        job = await job_of(database, "hang")
        assert (job["attempts"], job["last_error"]) == (1, "TimeoutError: no result within 0.2 s")


async def test_what_holds_and_where_it_is_from(
    trial_settings: ServiceSettings,
    nats_client: Client,
    database: Database,
    change: Changing,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FIRST_QUEUE_MAX_ATTEMPTS", "7")
    monkeypatch.setenv("FIRST_QUEUE_TIMEOUT_SECONDS", "7")
    records = QueueRecords(database)
    async with trial_service(trial_settings, TrialHandlers(), QueueSettings(concurrency=9, max_attempts=9)):
        await change(timeout_seconds=8)
        found = effective("first_queue", await records.replicas(), await records.changes())
    settings = {each.name: (each.value, each.origin, each.changed_by) for each in found}
    assert settings["concurrency"] == (9, "default", None)
    assert settings["max_attempts"] == (7, "environment", None)
    assert settings["timeout_seconds"] == (8, "changed", "cli:me")
    # Where nobody works on it, only that is known; and it holds when somebody does again.
    assert [each.name for each in effective("first_queue", await records.replicas(), await records.changes())] == [
        "timeout_seconds"
    ]
    async with trial_service(trial_settings, TrialHandlers()) as service:

        async def it_takes(seconds: float) -> bool:
            await nats_client.publish("control.queues")
            return service.queue("first").settings.timeout_seconds == seconds

        await eventually(lambda: it_takes(8))
        assert await QueueControl(database, CONTRACTS).unset("first_queue") == ["timeout_seconds"]
        await eventually(lambda: it_takes(7))


async def test_a_change_of_another_release_does_no_harm(trial_settings: ServiceSettings, database: Database) -> None:
    for name, value in (("concurrency", -1), ("speed", 3), ("max_attempts", 4)):
        await database.execute(
            "INSERT INTO runtime_settings (name, value, changed_by) VALUES ($1, $2, 'x')", f"first_queue.{name}", value
        )
    async with trial_service(trial_settings, TrialHandlers(), QueueSettings(concurrency=9, max_attempts=9)) as service:
        assert service.queue("first").settings.max_attempts == 9

        async def obeyed() -> bool:
            return service.queue("first").settings.max_attempts == 4

        await eventually(obeyed)
        assert service.queue("first").settings.concurrency == 9


def test_an_environment_that_is_wrong_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIRST_QUEUE_ALERT_FAILURES", "-1")
    with pytest.raises(SettingsError, match=r"^FIRST_QUEUE_ALERT_FAILURES: input should be greater than or equal to 0"):
        layers("first_queue")


async def test_a_queue_that_there_is_not_is_named(
    trial_settings: ServiceSettings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("FRIST_QUEUE_CONCURRENCY=3\nPUBLISH_QUEUES_CONCURRENCY=3\n")
    with pytest.raises(
        SettingsError, match=r"^FRIST_QUEUE_CONCURRENCY: there is no queue frist_queue; there are first_"
    ):
        async with trial_service(trial_settings, TrialHandlers()):
            pass
    (tmp_path / ".env").write_text("FIRST_QUEUE_CONCURRENCY=3\n")
    monkeypatch.setenv("WRITE_QUEUE_MAX_ATTEMPTS", "3")
    with pytest.raises(SettingsError, match=r"^WRITE_QUEUE_MAX_ATTEMPTS: there is no queue write_queue"):
        async with trial_service(trial_settings, TrialHandlers()):
            pass


async def test_how_a_queue_stands(trial_settings: ServiceSettings, nats_client: Client, database: Database) -> None:
    await publish(nats_client, 1)
    [oldest] = [await nats_client.jetstream().get_msg("TRIAL", 1)]
    await publish(nats_client, 9)
    found = await first_queue(database, nats_client)
    assert (found.waiting, found.in_flight, found.redelivered, found.backlog) == (10, 0, 0, 10)
    assert (found.rate, found.eta_seconds, found.replicas, found.pause) == (0, None, (), None)
    assert found.oldest_seconds is not None
    handlers = Held()
    async with trial_service(trial_settings, handlers, QueueSettings(concurrency=4)):
        await running(handlers, 4)
        found = await first_queue(database, nats_client)
        assert found.in_flight >= 4  # what runs, and what is here for when a place is free
        assert found.backlog == 10
        assert found.oldest_seconds is not None
        handlers.let_one_go()

        async def the_next_one_is_the_oldest() -> bool:
            info = await nats_client.jetstream().consumer_info("TRIAL", "first")
            return info.ack_floor is not None and info.ack_floor.stream_seq >= 1

        await eventually(the_next_one_is_the_oldest)
        younger = await first_queue(database, nats_client)
        assert younger.oldest_seconds is not None
        handlers.let_all_go()

        async def nothing_is_left() -> bool:
            return (await first_queue(database, nats_client)).backlog == 0

        await eventually(nothing_is_left)

        async def a_rate_is_told() -> QueueStanding | None:
            service_told = await first_queue(database, nats_client)
            return service_told if service_told.rate > 0 else None

        found = await eventually(a_rate_is_told) or found
    assert (found.oldest_seconds, found.eta_seconds) == (None, 0)
    assert oldest.time is not None


async def test_places_are_given_in_order_and_none_is_lost() -> None:
    slots, order = Slots(1), []

    async def take(number: int) -> None:
        async with slots:
            order.append(number)
            await asyncio.sleep(0)

    async with slots:
        tasks = [asyncio.create_task(take(number)) for number in range(6)]
        await asyncio.sleep(0)
        tasks[0].cancel()
        tasks[3].cancel()
        slots.resize(0)
    assert order == []
    await asyncio.sleep(0)
    slots.resize(1)
    tasks[1].cancel()  # a place was given to it in the same moment
    await asyncio.gather(*tasks, return_exceptions=True)
    assert order == [2, 4, 5]
    async with asyncio.timeout(1):
        await take(9)
