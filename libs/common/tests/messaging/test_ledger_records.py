"""What the ledger keeps of each job beyond its status: its message, its runs, and when it is due again."""

import json
from typing import Any

import asyncpg
from nats.aio.client import Client

from common.messaging.queue import QueueSettings
from common.postgres import Database
from common.service import ServiceSettings
from common.testing.trial import TrialHandlers, trial_service
from common.testing.waiting import eventually, job_of

LONG = QueueSettings(max_attempts=3, backoff_base_seconds=300, timeout_seconds=5)  # the first pause is 5 minutes


async def publish(client: Client, event_id: str, **payload: object) -> bytes:
    body = json.dumps(payload).encode()
    headers = {"ce-id": event_id, "traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}
    await client.jetstream().publish("trial.first", body, headers=headers)
    return body


async def runs(database: Database, event_id: str) -> list[asyncpg.Record]:
    return await database.fetch("SELECT * FROM job_attempts WHERE event_id = $1 ORDER BY attempt", event_id)


async def message(database: Database, event_id: str) -> dict[str, Any]:
    row = await database.fetchrow("SELECT * FROM job_messages WHERE consumer = 'first' AND event_id = $1", event_id)
    assert row
    return dict(row)


async def test_each_run_that_did_not_succeed_is_kept(
    trial_settings: ServiceSettings, nats_client: Client, database: Database
) -> None:
    async with trial_service(trial_settings, TrialHandlers()):
        for number, mode in enumerate(("", "flaky", "boom", "skip", "retry", "reject")):
            await publish(nats_client, mode or "plain", number=number, mode=mode)
        jobs = {mode: await job_of(database, mode) for mode in ("plain", "flaky", "boom", "skip", "retry", "reject")}
    kept = {mode: [(run["attempt"], run["outcome"]) for run in await runs(database, mode)] for mode in jobs}
    assert kept == {
        "plain": [],
        "flaky": [(1, "failed"), (2, "failed")],  # and the third succeeded
        "boom": [(1, "failed"), (2, "failed"), (3, "failed")],
        "skip": [(1, "skipped")],
        "retry": [(number, "retry") for number in range(1, 8)],
        "reject": [(1, "failed")],
    }
    first, second = await runs(database, "flaky")
    assert (first["error_class"], first["error"]) == ("RuntimeError", "RuntimeError: run 1 failed")
    assert first["started_at"] < first["ended_at"] < second["started_at"] < second["ended_at"]
    assert second["ended_at"] < jobs["flaky"]["started_at"]
    assert {mode: (job["status"], job["error_class"], job["trouble"]) for mode, job in jobs.items()} == {
        "plain": ("succeeded", None, None),
        "flaky": ("succeeded", "RuntimeError", "succeeded"),
        "boom": ("failed", "RuntimeError", "failed"),
        "skip": ("cancelled", "Skip", "cancelled"),
        "retry": ("succeeded", "Retry", "succeeded"),
        "reject": ("failed", "Reject", "failed"),
    }


async def test_the_message_is_kept_as_it_arrived(
    trial_settings: ServiceSettings, nats_client: Client, database: Database
) -> None:
    body = await publish(nats_client, "one", number=1)
    broken = b'{"number": \xff'
    await nats_client.jetstream().publish("trial.first", broken, headers={"ce-id": "two"})
    async with trial_service(trial_settings, TrialHandlers()):
        for event_id in ("one", "two"):
            await job_of(database, event_id)
    kept = await message(database, "one")
    assert (kept["payload"], kept["sequence"]) == (body, 1)
    assert json.loads(kept["headers"]) == {"ce-id": "one", "traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}
    assert (await message(database, "two"))["payload"] == broken


async def test_a_job_is_not_run_before_it_is_due(
    trial_settings: ServiceSettings, nats_client: Client, database: Database
) -> None:
    handlers = TrialHandlers()
    async with trial_service(trial_settings, handlers, LONG):
        await publish(nats_client, "flaky", number=1, mode="flaky")
        job = await job_of(database, "flaky", "queued")
        assert 200 < (job["due_at"] - job["finished_at"]).total_seconds() < 400
        # A second copy, as a replay or a restart of the server may bring it, is put off; the next one is not.
        await publish(nats_client, "flaky", number=1, mode="flaky")

        async def put_off() -> bool:
            info = await nats_client.jetstream().consumer_info("TRIAL", "first")
            return info.delivered.stream_seq == 2 and info.num_ack_pending == 2

        await eventually(put_off)
        await publish(nats_client, "other", number=2)
        await job_of(database, "other")
        assert handlers.runs == {1: 1, 2: 1}

        # Its waiting message is called by whoever knows where it is answered.
        await database.execute("UPDATE jobs SET due_at = now() WHERE event_id = 'flaky'")
        await nats_client.publish(job["ack_subject"], b"-NAK")
        again = await eventually(lambda: _second_run(database))
        assert again["ack_subject"] != job["ack_subject"]
        assert handlers.runs[1] == 2


async def _second_run(database: Database) -> asyncpg.Record | None:
    return await database.fetchrow("SELECT * FROM jobs WHERE event_id = 'flaky' AND status = 'queued' AND attempts = 2")


async def test_the_end_of_a_job_writes_to_no_index(
    trial_settings: ServiceSettings, nats_client: Client, database: Database
) -> None:
    """Otherwise the hop gets slower with each index: whoever adds one looks here whether it costs that."""
    async with trial_service(trial_settings, TrialHandlers()):
        for number in range(20):
            await publish(nats_client, f"job-{number}", number=number)
            await job_of(database, f"job-{number}")
    async with database.lax.acquire() as connection:
        await connection.execute("SELECT pg_stat_force_next_flush()")

    async def updates() -> asyncpg.Record | None:
        return await database.fetchrow(
            "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'jobs' AND n_tup_upd >= 20"
        )

    found = await eventually(updates)
    assert found["n_tup_hot_upd"] == found["n_tup_upd"]


async def test_what_a_crash_ended_is_kept_too(
    trial_settings: ServiceSettings, nats_client: Client, database: Database
) -> None:
    await publish(nats_client, "left", number=1)
    await database.execute(
        "INSERT INTO jobs (consumer, event_id, queue, subject, status, holder, lease_until)"
        " VALUES ('first', 'left', 'first_queue', 'trial.first', 'in_progress', gen_random_uuid(), now())"
    )
    async with trial_service(trial_settings, TrialHandlers()):
        job = await job_of(database, "left")
        assert (job["status"], job["attempts"], job["crashes"], job["trouble"]) == ("succeeded", 2, 1, "succeeded")
    [run] = await runs(database, "left")
    assert (run["attempt"], run["outcome"], run["started_at"]) == (1, "crashed", None)
