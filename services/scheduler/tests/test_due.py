"""The due query, the clock, and who may take what, without a running service."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from nats.aio.client import Client

from common.messaging.rails import Rails
from common.planning.refusals import TooLate
from common.planning.scheduled import Order, ScheduledPosts
from common.planning.workers import workers as workers_of
from common.postgres import UNREACHABLE, Database, Queries
from common.postgres.listening import listening
from common.testing.waiting import eventually
from scheduler.beats import WorkerBeats
from scheduler.scheduled import BUSY_SECONDS, ScheduledPostsWorker
from scheduler.settle import SettleScheduled
from scheduler.waking import Waking

from .conftest import Stage

NOON = datetime(2030, 3, 31, 12, 0, tzinfo=UTC)


class Clock:
    """A clock that is set by hand."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
async def clock() -> Clock:
    return Clock(NOON)


@pytest.fixture
async def workers(stage: Stage, nats_client: Client, clock: Clock) -> AsyncIterator[list[ScheduledPostsWorker]]:
    """Workers of three replicas, which go by the given clock."""
    rails = [Rails(nats_client.jetstream(), stage.database) for _ in range(3)]
    yield [
        ScheduledPostsWorker(
            stage.database, each, SettleScheduled(stage.database, each, retry_seconds=60), check_seconds=60, now=clock
        )
        for each in rails
    ]
    for each in rails:
        each.close()


CHUNK = 50_000  # posts a statement: one of a million would take longer than a statement may


async def add(
    stage: Stage, number: int, first: datetime, step: timedelta = timedelta(0), *, targets: int = 1_000
) -> list[UUID]:
    """Plan copies of the stage's post, the n-th for target n modulo `targets`."""
    ids = []
    for start in range(0, number, CHUNK):
        ids += await _add(stage, start, min(start + CHUNK, number), first, step, targets)
    return ids


async def _add(stage: Stage, start: int, end: int, first: datetime, step: timedelta, targets: int) -> list[UUID]:
    rows = await stage.database.strict_fetch(
        "WITH added AS (INSERT INTO posts (id, external_id, text)"
        "               SELECT gen_random_uuid(), n, 'text' FROM generate_series($1::int, $5::int - 1) AS n"
        "               RETURNING id, external_id::int AS n)"
        " INSERT INTO scheduled_posts (post_id, platform, target, scheduled_time, due_at, created_by, created_at)"
        " SELECT id, 'telegram', 'telegram:@chan' || n % $4, $2::timestamptz + n * $3::interval,"
        "        $2::timestamptz + n * $3::interval, 'tests', now() + n * interval '1 microsecond'"
        " FROM added ORDER BY n RETURNING id",
        start, first, step, targets, end,
    )  # fmt: skip
    return [row["id"] for row in rows]


async def statuses(stage: Stage) -> list[str]:
    rows = await stage.database.fetch("SELECT status FROM scheduled_posts ORDER BY due_at, created_at, id")
    return [row["status"] for row in rows]


async def test_what_is_due_is_said_by_the_clock_also_when_it_jumps(
    stage: Stage, workers: list[ScheduledPostsWorker], clock: Clock
) -> None:
    await add(stage, 4, NOON + timedelta(minutes=10), timedelta(hours=1))
    worker = workers[0]
    assert await worker.look() == 600
    clock.at = NOON - timedelta(days=1)  # it goes back: nothing is due before its time
    assert await worker.look() == 86_400 + 600
    clock.at = NOON + timedelta(minutes=10)
    assert await worker.look() == 3600
    assert await statuses(stage) == ["publishing"] + ["scheduled"] * 3
    clock.at = NOON + timedelta(hours=2, minutes=10)  # it jumps over one
    assert await worker.look() == 3600
    assert await statuses(stage) == ["publishing"] * 3 + ["scheduled"]
    clock.at = NOON
    assert await worker.look() == 3 * 3600 + 600
    clock.at = NOON + timedelta(days=400)
    assert await worker.look() is None
    assert len(await stage.heard("publish.requested", 4)) == 4


async def test_three_replicas_take_each_post_once_and_in_order(
    stage: Stage, workers: list[ScheduledPostsWorker]
) -> None:
    await add(stage, 1000, NOON - timedelta(minutes=1))
    assert await asyncio.gather(*(worker.look() for worker in workers)) == [None] * 3
    requests = await stage.heard("publish.requested", 1000)
    wanted = await stage.database.fetch(
        "SELECT target, request_id, version FROM scheduled_posts ORDER BY created_at, id"
    )
    assert [request["targets"] for request in requests] == [[row["target"]] for row in wanted]
    assert len({row["request_id"] for row in wanted}) == 1000
    assert {row["version"] for row in wanted} == {2}


async def test_a_target_has_one_request_at_a_time_that_is_not_stored(
    stage: Stage, workers: list[ScheduledPostsWorker]
) -> None:
    await add(stage, 6, NOON - timedelta(minutes=1), targets=2)

    async def stored() -> None:
        await stage.database.execute(
            "INSERT INTO publish_packages (id, post_id, status) SELECT request_id, post_id, 'queued'"
            " FROM scheduled_posts WHERE request_id IS NOT NULL ON CONFLICT DO NOTHING"
        )

    for taken in (2, 4):
        assert await asyncio.gather(*(worker.look() for worker in workers)) == [BUSY_SECONDS] * 3
        assert (await statuses(stage)).count("publishing") == taken
        await stored()
    assert await workers[0].look() is None
    posts = [request["post_id"] for request in await stage.heard("publish.requested", 6)]
    planned = await stage.database.fetch("SELECT post_id FROM scheduled_posts ORDER BY created_at")
    assert posts == [str(row["post_id"]) for row in planned]


@pytest.mark.parametrize("status", ["failed", "succeeded"])  # one that succeeded without a package awaits its image
async def test_a_request_that_ended_lets_the_next_one_pass(
    stage: Stage, workers: list[ScheduledPostsWorker], status: str
) -> None:
    await add(stage, 2, NOON - timedelta(minutes=1), targets=1)
    assert await workers[0].look() == BUSY_SECONDS
    await stage.database.execute(
        "INSERT INTO jobs (consumer, event_id, queue, subject, status)"
        " SELECT 'publisher', request_id, 'q', 's', $1 FROM scheduled_posts WHERE request_id IS NOT NULL",
        status,
    )
    assert await workers[0].look() is None
    assert await statuses(stage) == ["publishing", "publishing"]


async def test_what_a_dead_replica_left_goes_first(
    stage: Stage, workers: list[ScheduledPostsWorker], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await add(stage, 4, NOON - timedelta(minutes=1), timedelta(minutes=1))
    taken, emits = await workers[0]._take()  # and it dies, before anything was published
    assert taken == len(emits) == 2
    assert await workers[1].look() == 60  # the sweeper's business, as nothing else is due
    clock.at = NOON + timedelta(minutes=2)
    assert await workers[1].look() is None
    targets = [request["targets"][0] for request in await stage.heard("publish.requested", 4)]
    assert targets == [f"telegram:@chan{n}" for n in range(4)]


async def test_a_stream_that_is_away_holds_everything_back(
    stage: Stage, workers: list[ScheduledPostsWorker], clock: Clock
) -> None:
    await add(stage, 2, NOON, timedelta(minutes=1))
    await stage.nats.jetstream().delete_stream("PUBLISH")
    assert await workers[0].look() == 60  # the first one is stored
    clock.at += timedelta(minutes=1)
    assert await workers[0].look() == 1  # the second one is not even taken
    assert await statuses(stage) == ["publishing", "scheduled"]


async def test_a_post_that_somebody_changes_is_left_until_then(
    stage: Stage, workers: list[ScheduledPostsWorker]
) -> None:
    first, _ = await add(stage, 2, NOON - timedelta(minutes=1))
    async with stage.database.transaction() as connection:
        await connection.execute("SELECT FROM scheduled_posts WHERE id = $1 FOR UPDATE", first)
        assert await workers[0].look() == BUSY_SECONDS
        assert await statuses(stage) == ["scheduled", "publishing"]
    assert await workers[0].look() is None


async def test_a_cancel_is_first_or_too_late(stage: Stage, workers: list[ScheduledPostsWorker]) -> None:
    planned = await add(stage, 60, NOON - timedelta(minutes=1))
    scheduled = ScheduledPosts(stage.database)

    async def cancel(scheduled_id: UUID) -> bool:
        await asyncio.sleep(0)
        try:
            await scheduled.cancel(scheduled_id, "tests")
        except TooLate:
            return False
        return True

    *cancelled, _, _ = await asyncio.gather(*map(cancel, planned), workers[0].look(), workers[1].look())
    while await workers[0].look() is not None:
        pass
    requested = {row["request_id"] for row in await rows_of(stage, "publishing")}
    assert len(await rows_of(stage, "cancelled")) == sum(cancelled)
    assert len(requested) == 60 - sum(cancelled) == len(await stage.all_told("publish.requested"))
    for scheduled_id, was_cancelled in zip(planned, cancelled, strict=True):
        assert (await scheduled.get(scheduled_id))["status"] == ("cancelled" if was_cancelled else "publishing")


async def rows_of(stage: Stage, status: str) -> list[asyncpg.Record]:
    return await stage.database.fetch("SELECT * FROM scheduled_posts WHERE status = $1", status)


async def test_the_image_of_a_content_that_was_written_late_is_waited_for(
    stage: Stage, workers: list[ScheduledPostsWorker]
) -> None:
    [planned] = await add(stage, 1, NOON - timedelta(hours=1))
    content, rewrite = uuid4(), uuid4()
    await stage.database.execute(
        "INSERT INTO contents (id, post_id, title, illustrate, created_by)"
        " SELECT $2, post_id, 'brief', true, 'tests' FROM scheduled_posts WHERE id = $1",
        planned, content,
    )  # fmt: skip
    await stage.database.execute("UPDATE scheduled_posts SET content_id = $1", content)
    await stage.database.execute(
        "INSERT INTO rewrites (id, post_id, status, text, model, request, answer, prompt_tokens, completion_tokens,"
        " cost_usd, duration_ms, created_at)"
        " SELECT $1, post_id, 'succeeded', 'text', 'm', '{}', '{}', 0, 0, 0, 0, $2 FROM scheduled_posts",
        rewrite, NOON - timedelta(minutes=1),
    )  # fmt: skip
    assert await workers[0].look() == 60
    [row] = await rows_of(stage, "scheduled")
    assert row["last_error"] == "waits for its image"


@pytest.mark.parametrize("number", [20_000, pytest.param(1_000_000, marks=pytest.mark.soak)])
async def test_the_due_query_reads_the_index_only_as_far_as_it_takes(stage: Stage, number: int) -> None:
    await add(stage, number, NOON, timedelta(seconds=1), targets=50)
    await stage.database.execute("ANALYZE scheduled_posts")
    sql = Queries.load("scheduler", "scheduled.sql")
    for name, arguments in (("due", (NOON + timedelta(days=400),)), ("due", (NOON,)), ("next", (NOON,))):
        plan = await stage.database.strict.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql[name]}", *arguments)
        [explained] = json.loads(plan)
        nodes = list(nodes_of(explained["Plan"]))
        index = "scheduled_posts_waiting" if name == "due" else "scheduled_posts_due"
        assert any(node.get("Index Name") == index for node in nodes), nodes
        assert not [node for node in nodes if "Seq Scan" in node["Node Type"] and of_scheduled_posts(node)]
        read = [node["Actual Rows"] + node.get("Rows Removed by Filter", 0) for node in nodes]
        assert max(read) <= 100
    # The same without the clock of the tests, as it runs: the database's own is not asked once for each row.
    plan = await stage.database.strict.fetchval(f"EXPLAIN (FORMAT JSON) {sql['due']}", None)
    conditions = [node.get("Index Cond", "") for node in nodes_of(json.loads(plan)[0]["Plan"])]
    assert any("due_at <=" in condition for condition in conditions), conditions


def of_scheduled_posts(node: dict[str, Any]) -> bool:
    return node.get("Relation Name") == "scheduled_posts"


def nodes_of(plan: dict[str, Any]) -> Any:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes_of(inner)


async def test_a_notice_is_heard_and_a_lost_connection_is_noticed(database: Database, database_url: str) -> None:
    async with listening(database_url, "scheduled_posts") as notices:
        assert await notices.wait(0.01) is False
        await database.execute("SELECT pg_notify('scheduled_posts', '')")
        assert await notices.wait(10) is True
        await notices.check()
        await database.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'postroom-listening'"
            " AND datname = current_database()"
        )
        with pytest.raises(ConnectionError):
            await notices.wait(10)
        with pytest.raises(UNREACHABLE):
            await notices.check()


async def test_a_replica_that_stands_still_with_the_lock_loses_it(
    stage: Stage, workers: list[ScheduledPostsWorker], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scheduler.scheduled.MOST_IDLE", "300ms")
    monkeypatch.setattr("scheduler.scheduled.ORDER_PATIENCE", "60s")
    await add(stage, 2, NOON - timedelta(minutes=1))
    with pytest.raises((*UNREACHABLE, asyncpg.PostgresError)):
        async with workers[0]._in_order():
            assert await workers[1].look() is None
    assert await statuses(stage) == ["publishing"] * 2


async def test_a_worker_whose_looks_fail_does_not_run(
    stage: Stage, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scheduler.beats.EVERY_SECONDS", 0.01)
    monkeypatch.setattr("scheduler.beats.BROKEN_SECONDS", 0.1)
    failures: list[Exception] = [RuntimeError("nobody expected this")] * 5

    async def look() -> None:
        if failures:
            raise failures.pop()

    beats = WorkerBeats(stage.database, "ScheduledPostsWorker", uuid4())
    waking = asyncio.create_task(Waking(database_url, "scheduled_posts", look, beats, check_seconds=60).run())

    async def running(wanted: bool) -> bool:
        found = {each.worker: each.running for each in await workers_of(stage.database)}
        return found["ScheduledPostsWorker"] is wanted and bool(await stage.database.fetch("SELECT FROM worker_beats"))

    await eventually(lambda: running(False))
    await eventually(lambda: running(True))
    waking.cancel()
    await asyncio.gather(waking, return_exceptions=True)


async def test_a_worker_goes_on_after_its_connection_was_lost(stage: Stage, scheduler: Any) -> None:
    pid = (
        "SELECT pid FROM pg_stat_activity"
        " WHERE application_name = 'postroom-listening' AND datname = current_database()"
    )

    async def listens() -> set[int]:
        return {row["pid"] for row in await stage.database.fetch(pid)}

    async with scheduler():
        before = await eventually(listens)
        await stage.database.execute(f"SELECT pg_terminate_backend(pid) FROM ({pid}) AS lost")

        async def listens_again() -> bool:
            return bool(await listens() - before)

        await eventually(listens_again)
        order = Order(datetime.now(UTC), post_id=stage.post, target="telegram:@planned")
        await ScheduledPosts(stage.database).plan(order, "tests")
        assert len(await stage.heard("publish.requested")) == 1
