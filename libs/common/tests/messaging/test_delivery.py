"""What happens to a message, case by case, on real servers."""

import asyncio
import json
from contextlib import AsyncExitStack
from typing import Any

import pytest
from nats.aio.client import Client
from nats.js.errors import NotFoundError

from common.messaging.dead_letters import ATTEMPTS, CONSUMER, ERROR, ERROR_CLASS, SUBJECT
from common.messaging.queue import QueueSettings
from common.messaging.streams import TopologyError
from common.postgres import Database
from common.service import ServiceSettings, create_service
from common.testing.trial import CONTRACTS, TrialHandlers, trial_service
from common.testing.waiting import eventually


async def publish(client: Client, payload: object, **headers: str) -> None:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    await client.jetstream().publish("trial.first", body, headers=named or None)


async def ended(database: Database, count: int, consumer: str = "first") -> dict[str, Any]:
    """Wait until `count` jobs of a consumer have ended, and return them by event id."""

    async def probe() -> dict[str, Any]:
        rows = await database.strict.fetch("SELECT * FROM jobs WHERE consumer = $1", consumer)
        found = {row["event_id"]: row for row in rows if row["status"] in ("succeeded", "failed", "cancelled")}
        return found if len(found) >= count else {}

    return await eventually(probe)


async def dead_letters(client: Client, count: int) -> list[Any]:
    subscription = await client.jetstream().pull_subscribe("dlq.>", durable="reader", stream="DEADLETTER")
    letters: list[Any] = []
    while len(letters) < count:
        letters += await subscription.fetch(count - len(letters), timeout=10)
    return letters


@pytest.mark.parametrize(
    ("mode", "status", "runs"),
    [
        ("", "succeeded", 1),
        ("flaky", "succeeded", 3),
        ("retry", "succeeded", 8),  # far more runs than attempts: a Retry is not counted
        ("slow", "succeeded", 1),  # longer than ack_wait: heartbeats keep it
        ("boom", "failed", 3),
        ("reject", "failed", 1),
        ("skip", "cancelled", 1),
        ("hang", "failed", 3),
        ("refused", "failed", 3),  # its row violates a constraint
    ],
)
async def test_each_way_to_end(
    trial_settings: ServiceSettings, nats_client: Client, database: Database, mode: str, status: str, runs: int
) -> None:
    handlers = TrialHandlers()
    quick = QueueSettings(max_attempts=3, backoff_base_seconds=0.2, timeout_seconds=0.4 if mode == "hang" else 5)
    async with trial_service(trial_settings, handlers, quick):
        await publish(nats_client, {"number": 7, "mode": mode}, ce_id="the-event")
        await publish(nats_client, {"number": 8}, ce_id="its-neighbour")
        jobs = await ended(database, 2)
    assert jobs["the-event"]["status"] == status
    assert jobs["its-neighbour"]["status"] == "succeeded"
    assert handlers.runs == {7: runs, 8: 1}
    results = [row["number"] for row in await database.fetch("SELECT number FROM first_results ORDER BY 1")]
    assert results == ([7, 8] if status == "succeeded" else [8])


async def test_a_success_reaches_the_second_hop_once(
    trial_settings: ServiceSettings, nats_client: Client, database: Database
) -> None:
    async with trial_service(trial_settings, TrialHandlers()):
        await publish(nats_client, {"number": 1}, ce_id="one")
        await publish(nats_client, {"number": 1}, ce_id="one")  # another copy of the same event
        assert len(await ended(database, 1, "second")) == 1
        await no_more_pending(nats_client)
    assert await database.lax.fetchval("SELECT count(*) FROM second_results") == 1
    assert await database.lax.fetchval("SELECT count(*) FROM outbox") == 0


async def no_more_pending(client: Client) -> None:
    async def idle() -> bool:
        infos = [await client.jetstream().consumer_info("TRIAL", durable) for durable in ("first", "second")]
        return all(info.num_pending == 0 and info.num_ack_pending == 0 for info in infos)

    await eventually(idle)


async def test_a_message_typed_by_a_person_has_an_id_and_a_job(
    trial_settings: ServiceSettings, nats_client: Client, database: Database
) -> None:
    async with trial_service(trial_settings, TrialHandlers()):
        await publish(nats_client, {"number": 1})
        await publish(nats_client, {"number": 1})  # typed twice: meant twice
        jobs = await ended(database, 2)
    assert {job["status"] for job in jobs.values()} == {"succeeded"}
    assert len({job["trace_id"] for job in jobs.values()} - {None}) == 2  # a trace begins with each


@pytest.mark.parametrize("payload", [b"{not json", b"\xff\xfe", b"", b'{"number": "seven"}', b"[]", b"null"])
async def test_poison_arrives_once_in_the_dead_letters_with_its_reason(
    trial_settings: ServiceSettings, nats_client: Client, database: Database, payload: bytes
) -> None:
    async with trial_service(trial_settings, TrialHandlers()):
        await publish(nats_client, payload, ce_id="poison", x_mine="kept", Nats_Expected_Stream="TRIAL")
        await publish(nats_client, {"number": 2}, ce_id="innocent")
        jobs = await ended(database, 2)
        [letter] = await dead_letters(nats_client, 1)
    assert jobs["innocent"]["status"] == "succeeded"
    assert letter.data == payload
    assert letter.headers["ce-id"] == "poison"
    assert letter.headers["x-mine"] == "kept"
    assert "Nats-Expected-Stream" not in letter.headers
    assert letter.headers[SUBJECT] == "trial.first"
    assert letter.headers[CONSUMER] == "first"
    assert letter.headers[ATTEMPTS] == "1"
    assert letter.headers[ERROR_CLASS] == "ValidationError"
    assert letter.headers[ERROR] == " ".join(letter.headers[ERROR].split())
    assert (await nats_client.jetstream().stream_info("DEADLETTER")).state.messages == 1


async def test_a_dead_letter_is_told_of(trial_settings: ServiceSettings, nats_client: Client) -> None:
    async with trial_service(trial_settings, TrialHandlers()):
        await publish(nats_client, {"number": 3, "mode": "reject"}, ce_id="rejected")
        await dead_letters(nats_client, 1)
        notice = await eventually(lambda: last_notice(nats_client))
    assert notice["kind"] == "delivery.dead_letter"
    assert "never" in notice["title"]


async def last_notice(client: Client) -> Any:
    try:
        message = await client.jetstream().get_last_msg("NOTIFY", "notify.requested")
    except NotFoundError:
        return None
    return json.loads(message.data or b"null")


async def test_one_trace_through_both_hops(
    trial_settings: ServiceSettings, nats_client: Client, database: Database
) -> None:
    trace_id = "0af7651916cd43dd8448eb211c80319c"
    async with trial_service(trial_settings, TrialHandlers()):
        await publish(nats_client, {"number": 1}, ce_id="traced", traceparent=f"00-{trace_id}-b7ad6b7169203331-01")
        [job] = (await ended(database, 1, "second")).values()
    assert job["trace_id"] == trace_id


async def test_events_that_a_crash_left_behind_are_published(
    trial_settings: ServiceSettings, nats_client: Client, database: Database
) -> None:
    left = """INSERT INTO outbox (id, consumer, cause_id, subject, headers, payload, created_at)
              VALUES ($1, 'first', $1, 'trial.second', $2, '{"number": 5}', now() - $3 * interval '1 second')"""
    await database.execute(left, "old", json.dumps({"Nats-Msg-Id": "old", "ce-id": "old"}), 60)
    await database.execute(left, "fresh", json.dumps({"Nats-Msg-Id": "fresh", "ce-id": "fresh"}), 0)
    async with trial_service(trial_settings, TrialHandlers()) as service:
        assert await service.rails.outbox.sweep_once(["first"], older=10.0) == 1
        assert set(await ended(database, 1, "second")) == {"old"}
        # A redelivered message whose job is done already publishes what is left of it at once.
        await database.execute(
            "INSERT INTO jobs (consumer, event_id, queue, subject, status) "
            "VALUES ('first', 'fresh', 'q', 's', 'succeeded')"
        )
        await publish(nats_client, {"number": 5}, ce_id="fresh")
        assert set(await ended(database, 2, "second")) == {"old", "fresh"}


async def test_a_drained_service_gives_back_what_it_only_prefetched(
    trial_settings: ServiceSettings, nats_client: Client
) -> None:
    handlers = TrialHandlers(pause=lambda: 3.0)
    for number in range(100):
        await publish(nats_client, {"number": number}, ce_id=f"event-{number}")
    async with AsyncExitStack() as service:
        await service.enter_async_context(trial_service(trial_settings, handlers, QueueSettings(concurrency=5)))
        await eventually(lambda: asyncio.sleep(0, len(handlers.runs) == 5))
        stopping = asyncio.create_task(service.aclose())
        subscription = await nats_client.jetstream().pull_subscribe_bind("first", "TRIAL")
        returned: list[Any] = []
        while len(returned) < 95:
            returned += await subscription.fetch(95, timeout=2)
        assert not stopping.done()  # what was prefetched did not have to wait for what runs
        await stopping
    assert len(handlers.runs) == 5


async def test_a_missing_durable_stops_the_start_and_shows_in_health(
    trial_settings: ServiceSettings, nats_client: Client
) -> None:
    stream = nats_client.jetstream()
    async with trial_service(trial_settings, TrialHandlers()) as service:
        assert await eventually(lambda: healthy(service.health))
        await stream.delete_consumer("TRIAL", "first")
        problems = await service.health.problems()
        assert "postroom migrate" in problems["consumers"]
    async with create_service("trial", trial_settings, CONTRACTS) as service:
        service.consume("first", TrialHandlers().first)
        with pytest.raises(TopologyError, match="postroom migrate"):
            await service.run(asyncio.Event())


async def healthy(health: Any) -> bool:
    return not await health.problems()
