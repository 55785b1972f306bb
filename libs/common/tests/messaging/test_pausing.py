"""A paused queue stands still, whatever happens meanwhile, and loses nothing."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import nats
import pytest
from nats.aio.client import Client

from common.events import Event
from common.messaging import Job
from common.messaging.queue import QueueSettings
from common.postgres import Database
from common.queues.control import Enforcement, QueueControl
from common.queues.records import QueueRecords, Replica
from common.queues.settings import NoSuchQueue, WrongSetting
from common.service import ServiceSettings
from common.testing.trial import CONTRACTS, First, TrialHandlers, trial_service
from common.testing.trial_run import Trial, a_trial
from common.testing.waiting import eventually

QUEUES = ["first_queue", "second_queue"]


class Held(TrialHandlers):
    """Handlers of the first hop that run until they are let go, and say how many run at once."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self.most = 0
        self._open = False
        self._turns: deque[asyncio.Event] = deque()

    async def first(self, event: First, job: Job) -> Sequence[Event]:
        """Wait for its turn."""
        self.now += 1
        self.most = max(self.most, self.now)
        self._turns.append(turn := asyncio.Event())
        try:
            if not self._open:
                await turn.wait()
        finally:
            self.now -= 1
        return await super().first(event, job)

    def let_one_go(self) -> None:
        """Let the one finish that runs longest."""
        self._turns.popleft().set()

    def let_all_go(self) -> None:
        """Let all finish, also those to come."""
        self._open = True
        while self._turns:
            self.let_one_go()


class Operator:
    """Somebody who pauses and resumes."""

    def __init__(self, database: Database, client: Client) -> None:
        self.control = QueueControl(database, CONTRACTS)
        self.enforcement = Enforcement(database, client, CONTRACTS)

    async def pause(
        self, *queues: str, until: datetime | None = None, reason: str = "", patience: float = 10.0
    ) -> list[Replica]:
        await self.control.pause(queues, by="cli:me", until=until, reason=reason)
        return await self.enforcement.bring(queues, by="cli:me", patience=patience)

    async def resume(self, *queues: str) -> list[Replica]:
        await self.control.resume(queues)
        return await self.enforcement.bring(queues, by="cli:me", patience=10.0)


@pytest.fixture
def operator(database: Database, nats_client: Client) -> Operator:
    return Operator(database, nats_client)


async def publish(client: Client, count: int, first: int = 0) -> None:
    for number in range(first, first + count):
        await client.jetstream().publish("trial.first", json.dumps({"number": number}).encode())


async def running(handlers: Held, count: int) -> None:
    async def so_many() -> bool:
        return handlers.now == count

    await eventually(so_many)


async def done(database: Database, count: int) -> None:
    async def all_of_them() -> bool:
        rows = await database.fetch("SELECT count(*) FROM jobs WHERE consumer = 'second' AND status = 'succeeded'")
        return bool(rows[0][0] == count)

    await eventually(all_of_them)


async def beaten(database: Database, client: Client | None = None) -> None:
    """Wait until each replica has looked again; with a client, at once."""
    [[now]] = await database.fetch("SELECT now()")

    async def looked() -> bool:
        if client:
            await client.publish("control.queues")
        replicas = await QueueRecords(database).replicas()
        return bool(replicas) and all(replica.seen_at > now for replica in replicas)

    await eventually(looked)


async def paused_on_the_server(client: Client, durable: str) -> bool:
    return bool((await client.jetstream().consumer_info("TRIAL", durable)).paused)


async def test_what_runs_finishes_and_what_waits_goes_back(
    trial_settings: ServiceSettings, nats_client: Client, database: Database, operator: Operator
) -> None:
    handlers = Held()
    async with trial_service(trial_settings, handlers, QueueSettings(concurrency=2)):
        await publish(nats_client, 10)
        await running(handlers, 2)
        assert await operator.pause("first_queue", reason="to look") == []
        [told] = [each for each in await QueueRecords(database).replicas() if each.durable == "first"]
        assert (told.holding, told.in_flight) == (True, 2)
        handlers.let_all_go()
        await done(database, 2)  # what ran has finished, and gone on to the second queue, which is not paused
        await beaten(database, nats_client)
        [told] = [each for each in await QueueRecords(database).replicas() if each.durable == "first"]
        assert (told.holding, told.in_flight, handlers.most, len(handlers.runs)) == (True, 0, 2, 2)
        [pause] = await QueueRecords(database).pauses()
        assert (pause.queue, pause.paused_by, pause.reason, pause.until) == ("first_queue", "cli:me", "to look", None)
        assert await operator.resume("first_queue") == []
        await done(database, 10)
    assert set(handlers.runs.values()) == {1}
    assert await QueueRecords(database).replicas() == []  # it stopped in order


async def test_nothing_is_started_where_it_starts_paused(
    trial_settings: ServiceSettings, nats_client: Client, database: Database, operator: Operator
) -> None:
    handlers = TrialHandlers()
    # Only the record: as after a crash before the server was told.
    await operator.control.pause(["first_queue"], by="cli:me")
    await publish(nats_client, 5)
    async with trial_service(trial_settings, handlers):
        await eventually(lambda: paused_on_the_server(nats_client, "first"))
        await beaten(database, nats_client)
        assert handlers.runs == {}
        # And the other way round: the record is gone, and the server was not told.
        await operator.control.resume(["first_queue"])
        await beaten(database, nats_client)
        await done(database, 5)


async def test_a_pause_ends_by_itself(
    trial_settings: ServiceSettings, nats_client: Client, database: Database, operator: Operator
) -> None:
    async with trial_service(trial_settings, TrialHandlers()):
        await operator.pause("first_queue", until=datetime.now(UTC) + timedelta(seconds=3))
        assert await paused_on_the_server(nats_client, "first")
        await publish(nats_client, 3)
        await done(database, 3)
        assert await QueueRecords(database).pauses() == []


async def test_a_replica_that_does_not_obey_is_named(
    trial_settings: ServiceSettings, nats_client: Client, database: Database, operator: Operator
) -> None:
    dead = uuid4()
    async with trial_service(trial_settings, TrialHandlers()):
        await beaten(database, nats_client)
        await database.execute(
            "INSERT INTO queue_replicas SELECT service, $1, durable, queue, settings, holding, in_flight, rate"
            " FROM queue_replicas WHERE durable = 'first'",
            dead,
        )
        assert [late.replica for late in await operator.pause("first_queue", patience=0.5)] == [dead]


async def test_what_can_not_be_paused(operator: Operator) -> None:
    with pytest.raises(NoSuchQueue, match="there is no queue third_queue; there are first_queue, "):
        await operator.control.pause(["third_queue"], by="cli:me")
    with pytest.raises(WrongSetting, match=r"until: 2020-01-01T00:00:00.* has been already"):
        await operator.control.pause(["first_queue"], by="cli:me", until=datetime(2020, 1, 1, tzinfo=UTC))


@asynccontextmanager
async def operating(run: Trial) -> AsyncIterator[tuple[Database, Operator]]:
    client = await nats.connect(run.nats.url)
    async with Database.connect(run.postgres.dsn) as database:
        yield database, Operator(database, client)
    await client.close()


async def counts(database: Database) -> list[int]:
    rows = await database.fetch(
        "SELECT (SELECT count(*) FROM first_results), (SELECT count(*) FROM second_results),"
        " (SELECT sum(attempts) FROM jobs), (SELECT count(*) FROM jobs WHERE status = 'in_progress')"
    )
    return list(rows[0])


async def pause_and_restart_everything(run: Trial, posts: int) -> None:
    """Pause in the middle of a load, restart workers and servers, see that nothing moves; then resume."""
    await run.publish(posts // 2)
    async with run.worker():
        publishing = asyncio.create_task(run.publish(posts - posts // 2))
        async with operating(run) as (database, operator):

            async def some_are_done() -> bool:
                return (await counts(database))[1] >= posts // 10

            await eventually(some_are_done)
            assert await operator.pause(*QUEUES, patience=30.0) == []

            async def nothing_runs() -> bool:
                return (await counts(database))[3] == 0

            await eventually(nothing_runs)
            before = await counts(database)
            assert posts // 10 <= before[1] < posts  # in the middle of it
            assert await counts(database) == before
    await publishing
    await run.restart_servers()
    async with run.worker(), operating(run) as (database, operator):
        await run.publish(10)
        await beaten(database)
        await beaten(database)
        assert await counts(database) == before
        assert await operator.resume(*QUEUES) == []
        await run.drained(within=120)
    assert await run.flaws() == []


async def test_pause_during_a_load_restart_everything_and_resume(server_directory: Path) -> None:
    async with a_trial(server_directory) as run:
        await pause_and_restart_everything(run, 300)


@pytest.mark.soak
@pytest.mark.timeout(600)
async def test_pause_during_a_load_restart_everything_and_resume_at_full_size(server_directory: Path) -> None:
    async with a_trial(server_directory) as run:
        await pause_and_restart_everything(run, 2000)
