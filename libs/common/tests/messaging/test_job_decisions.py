"""Jobs retried and cancelled by a person, one or many, before services that work on them."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import asyncpg
import pytest
from nats.aio.client import Client

from common.events import Event
from common.jobs import JobFilter, JobRefused, Jobs, NoSuchJob, job_operations
from common.messaging import Job
from common.messaging.queue import QueueSettings
from common.messaging.rails import Rails
from common.messaging.within import EmittedWithin
from common.operations import Operation, OperationRunner, Operations
from common.postgres import Database, Within
from common.service import ServiceSettings
from common.testing.trial import First, TrialHandlers, trial_service
from common.testing.waiting import eventually, job_of

LONG = QueueSettings(max_attempts=3, backoff_base_seconds=300, timeout_seconds=30)  # the first pause is 5 minutes
SHORT = QueueSettings(max_attempts=2, backoff_base_seconds=0.05, timeout_seconds=5)
TRACE = "a" * 32


@pytest.fixture
async def rails(nats_client: Client, database: Database) -> AsyncIterator[Rails]:
    rails = Rails(nats_client.jetstream(), database)
    yield rails
    rails.close()


@pytest.fixture
def jobs(nats_client: Client, database: Database, rails: Rails) -> Jobs:
    return Jobs(nats_client, database, rails)


async def publish(client: Client, event_id: str, **payload: object) -> None:
    headers = {"ce-id": event_id, "traceparent": f"00-{TRACE}-{'b' * 16}-01"}
    await client.jetstream().publish("trial.first", json.dumps(payload).encode(), headers=headers)


async def all_acknowledged(client: Client) -> None:
    async def none_left() -> bool:
        info = await client.jetstream().consumer_info("TRIAL", "first")
        return not info.num_pending and not info.num_ack_pending

    await eventually(none_left)


async def test_a_job_that_waits_runs_now(
    trial_settings: ServiceSettings, nats_client: Client, database: Database, jobs: Jobs
) -> None:
    handlers = TrialHandlers()
    async with trial_service(trial_settings, handlers, LONG):
        await publish(nats_client, "flaky", number=1, mode="flaky")
        for run in (1, 2):
            await eventually(lambda run=run: _waits(database, attempts=run))
            await jobs.retry("first", "flaky")
        job = await job_of(database, "flaky")
        await all_acknowledged(nats_client)  # it was called, not copied
        assert (await nats_client.jetstream().consumer_info("TRIAL", "first")).delivered.stream_seq == 1
    assert (job["status"], job["attempts"], handlers.runs[1]) == ("succeeded", 3, 3)


async def _waits(database: Database, attempts: int) -> bool:
    statement = "SELECT 1 FROM jobs WHERE status = 'queued' AND attempts = $1 AND due_at > now() + interval '1 minute'"
    return await database.fetchrow(statement, attempts) is not None


async def test_a_job_whose_message_is_lost_gets_another_one(
    trial_settings: ServiceSettings, nats_client: Client, database: Database, jobs: Jobs
) -> None:
    handlers = TrialHandlers()
    async with trial_service(trial_settings, handlers, LONG):
        await publish(nats_client, "flaky", number=1, mode="flaky")
        await eventually(lambda: _waits(database, attempts=1))
    await nats_client.jetstream().purge_stream("TRIAL")  # an operator's mistake
    await database.execute("UPDATE jobs SET due_at = now()")
    async with trial_service(trial_settings, handlers, SHORT):
        await jobs.retry("first", "flaky")
        job = await job_of(database, "flaky")
    assert job["status"] == "failed"
    assert handlers.runs[1] == 2  # the attempt before counts: SHORT allows two


async def test_a_failed_job_is_replayed(
    trial_settings: ServiceSettings, nats_client: Client, database: Database, jobs: Jobs
) -> None:
    handlers = TrialHandlers()
    async with trial_service(trial_settings, handlers, SHORT):
        await publish(nats_client, "flaky", number=1, mode="flaky")
        assert (await job_of(database, "flaky"))["status"] == "failed"
        details = await jobs.get("first", "flaky")
        assert [(run.attempt, run.outcome) for run in details.runs] == [(1, "failed"), (2, "failed")]
        assert details.letter is not None
        assert details.shown == {"number": 1, "mode": "flaky"}
        await jobs.retry("first", "flaky")
        assert (await job_of(database, "flaky", "succeeded"))["attempts"] == 3
        assert (await jobs.get("first", "flaky")).letter is None
        with pytest.raises(JobRefused, match="done twice"):
            await jobs.retry("first", "flaky")
        with pytest.raises(JobRefused, match="has succeeded already"):
            await jobs.cancel("first", "flaky", by="me")
        with pytest.raises(NoSuchJob):
            await jobs.retry("first", "nothing")


async def test_a_failed_job_without_a_letter_is_made_of_its_message_again(
    trial_settings: ServiceSettings, nats_client: Client, database: Database, jobs: Jobs
) -> None:
    handlers = TrialHandlers()
    async with trial_service(trial_settings, handlers, SHORT):
        for name in ("flaky", "forgotten"):
            await publish(nats_client, name, number=1 if name == "flaky" else 2, mode="flaky")
            assert (await job_of(database, name))["status"] == "failed"
        await database.execute("DELETE FROM dead_letters")  # too old
        await database.execute("DELETE FROM job_messages WHERE event_id = 'forgotten'")
        await jobs.retry("first", "flaky")
        assert (await job_of(database, "flaky", "succeeded"))["attempts"] == 3
        with pytest.raises(JobRefused, match="not kept any more"):
            await jobs.retry("first", "forgotten")
        await jobs.cancel("first", "forgotten", by="me", reason="never mind")
        row = await job_of(database, "forgotten", "cancelled")
        assert row["last_error"] == "cancelled by me: never mind; RuntimeError: run 2 failed"


async def test_a_cancelled_job_is_sent_again_in_its_trace(
    trial_settings: ServiceSettings, nats_client: Client, database: Database, jobs: Jobs
) -> None:
    handlers = TrialHandlers()
    seen = await nats_client.jetstream().subscribe("trial.first", deliver_policy="all", ordered_consumer=True)
    async with trial_service(trial_settings, handlers, LONG):
        await publish(nats_client, "flaky", number=1, mode="flaky")
        await eventually(lambda: _waits(database, attempts=1))
        await jobs.cancel("first", "flaky", by="cli:ann", reason="a test")
        job = await job_of(database, "flaky", "cancelled")
        assert (job["last_error"], job["error_class"]) == ("cancelled by cli:ann: a test", "Cancelled")
        await all_acknowledged(nats_client)  # its message did not wait five minutes
        assert handlers.runs[1] == 1
        with pytest.raises(JobRefused, match="cancelled already"):
            await jobs.cancel("first", "flaky", by="me")

        handlers.runs[1] = 5  # mended
        await jobs.retry("first", "flaky")
        job = await job_of(database, "flaky", "succeeded")
    assert (job["attempts"], job["excused"]) == (2, 1)  # all was forgiven
    first, second = [await seen.next_msg(timeout=5) for _ in range(2)]
    assert first.data == second.data
    assert first.headers["ce-id"] == second.headers["ce-id"]
    assert first.headers["traceparent"] == second.headers["traceparent"]
    assert second.headers["Nats-Msg-Id"].startswith("retry:")


async def test_the_result_of_a_cancelled_run_is_thrown_away(
    trial_settings: ServiceSettings, nats_client: Client, database: Database, jobs: Jobs
) -> None:
    handlers = TrialHandlers(pause=lambda: 0.5)
    async with trial_service(trial_settings, handlers, LONG):
        await publish(nats_client, "long", number=1)
        await job_of(database, "long", "in_progress")
        with pytest.raises(JobRefused, match="in progress"):
            await jobs.retry("first", "long")
        await jobs.cancel("first", "long", by="me")
        await all_acknowledged(nats_client)
        job = await jobs.get("first", "long")
    assert (job.job.status, handlers.runs[1]) == ("cancelled", 1)
    assert [(run.attempt, run.outcome, run.error) for run in job.runs] == [(1, "cancelled", "cancelled by me")]
    assert await database.fetch("SELECT * FROM first_results") == []
    assert await database.fetch("SELECT * FROM jobs WHERE consumer = 'second'") == []


async def test_a_decision_within_a_transaction_has_no_effect_before_its_end(
    trial_settings: ServiceSettings, nats_client: Client, database: Database, rails: Rails
) -> None:
    handlers = TrialHandlers()
    async with trial_service(trial_settings, handlers, LONG):
        await publish(nats_client, "flaky", number=1, mode="flaky")
        await eventually(lambda: _waits(database, attempts=1))
        with contextlib.suppress(ZeroDivisionError):
            async with database.transaction() as connection:
                await Jobs(nats_client, Within(connection), EmittedWithin(rails, connection)).retry("first", "flaky")
                raise ZeroDivisionError
        assert await _waits(database, attempts=1)
        async with database.transaction() as connection:
            within = Jobs(nats_client, Within(connection), EmittedWithin(rails, connection))
            await within.retry("first", "flaky")
        await within.follow()
        await eventually(lambda: _waits(database, attempts=2))


async def operate(
    database: Database, jobs: Jobs, kind: str, given: dict[str, object], between: Callable[[], Awaitable[object]]
) -> Operation:
    kinds = {each.name: each for each in job_operations(jobs)}
    operations = Operations(database, kinds)
    started = await operations.start(kind, given, by="cli:ann", reason="a test")
    await between()
    assert await OperationRunner(database, kinds).run_next()
    return await operations.get(started.id)


class Held(TrialHandlers):
    """What hangs does so until it is released."""

    def __init__(self) -> None:
        super().__init__()
        self.released = asyncio.Event()

    async def first(self, event: First, job: Job) -> Sequence[Event]:
        """Wait, or go on as ever."""
        if event.mode == "hang":
            await self.released.wait()
            return []
        return await super().first(event, job)


async def nothing() -> None:
    """Nothing happens between the question and the work."""


async def test_all_that_match_are_retried(
    trial_settings: ServiceSettings, nats_client: Client, database: Database, jobs: Jobs
) -> None:
    handlers = TrialHandlers()
    async with trial_service(trial_settings, handlers, SHORT):
        for number in range(120):  # more than one step
            await publish(nats_client, f"flaky-{number}", number=number, mode="flaky")
        for number in range(3):
            await publish(nats_client, f"rejected-{number}", number=1000 + number, mode="reject")
        await eventually(lambda: _count(database, "failed", 123))

        async def one_is_faster() -> None:
            await jobs.retry("first", "flaky-7")
            await job_of(database, "flaky-7", "succeeded")

        ended = await operate(
            database, jobs, "jobs.retry", {"error": "RUN 2 failed", "consumer": "first"}, one_is_faster
        )
        assert (ended.status, ended.total, ended.done, ended.refused) == ("done", 120, 119, 0)
        await eventually(lambda: _count(database, "succeeded", 240))  # with the second hop
    assert await jobs.count(JobFilter(status="failed")) == 3
    assert set(handlers.runs.values()) == {3, 1}
    [line] = await database.fetch("SELECT * FROM audit_log")
    assert (line["actor"], line["action"], line["after"]["done"]) == ("cli:ann", "jobs.retry", 119)


async def _count(database: Database, status: str, number: int) -> bool:
    row = await database.fetchrow("SELECT count(*) FROM jobs WHERE status = $1", status)
    return row is not None and row[0] == number


async def test_all_that_match_are_cancelled(
    trial_settings: ServiceSettings, nats_client: Client, database: Database, jobs: Jobs
) -> None:
    handlers = Held()
    async with trial_service(trial_settings, handlers, LONG):
        for number in range(5):
            await publish(nats_client, f"flaky-{number}", number=number, mode="flaky")
            await publish(nats_client, f"rejected-{number}", number=100 + number, mode="reject")
        await publish(nats_client, "hangs", number=1000, mode="hang")
        await eventually(lambda: _count(database, "queued", 5))
        await eventually(lambda: _count(database, "failed", 5))
        await job_of(database, "hangs", "in_progress")

        cancelled = {}
        for status in ("queued", "in_progress", "failed"):
            ended = await operate(database, jobs, "jobs.cancel", {"status": status}, nothing)
            cancelled[status] = (ended.status, ended.total, ended.done, ended.refused)
        assert cancelled == {
            "queued": ("done", 5, 5, 0),
            "in_progress": ("done", 1, 1, 0),
            "failed": ("done", 5, 5, 0),
        }
        handlers.released.set()
        await all_acknowledged(nats_client)
        assert await _count(database, "cancelled", 11)
        assert await database.fetch("SELECT * FROM dead_letters") == []
        rows: list[asyncpg.Record] = await database.fetch("SELECT DISTINCT last_error FROM jobs ORDER BY 1")
    assert [row[0] for row in rows] == ["cancelled by cli:ann: a test", "discarded: Reject: never"]
