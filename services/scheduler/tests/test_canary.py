"""The canary on real servers: it is told of like any post, and what came of it is kept."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest

from common.catalog import Catalog
from common.messaging.rails import Rails
from common.postgres import Database
from scheduler.canary import Canary, CanaryWorker

TARGET = "telegram:@canary"


@pytest.fixture
async def rails(stage: Any) -> AsyncIterator[Rails]:
    rails = Rails(stage.nats.jetstream(), stage.database)
    yield rails
    rails.close()


@pytest.fixture
def worker(stage: Any, rails: Rails) -> CanaryWorker:
    return CanaryWorker(stage.database, rails, Canary(TARGET, pause=600.0, limit=30.0))


async def run_of(database: Database) -> Any:
    [row] = await database.fetch("SELECT post_id, target, outcome, detail FROM canary_runs")
    return row


async def publish(database: Database, post_id: UUID, status: str) -> None:
    await database.execute("INSERT INTO publish_packages (id, post_id, status) VALUES ('p', $1, $2)", post_id, status)
    await database.execute(
        "INSERT INTO publications (id, package_id, post_id, destination, status, text, message_ids, finished_at,"
        " last_error) VALUES (gen_random_uuid(), 'p', $1, $2, $3, '', '{1}', now(), 'no rights')",
        post_id,
        TARGET,
        status,
    )


async def test_a_canary_is_a_post_on_a_route_of_its_own(stage: Any, worker: CanaryWorker) -> None:
    await stage.route("everything", source_id=None)
    assert await worker.look() == 1.0
    run = await run_of(stage.database)
    [told] = await stage.heard("post.collected")
    assert UUID(told["post_id"]) == run["post_id"]
    [route] = await Catalog(stage.database).routes_of(UUID(told["source_id"]))
    assert route.targets == (TARGET,)  # not the route of every source
    await worker.look()
    assert (await run_of(stage.database))["outcome"] is None  # and there is no second one while it is under way


async def test_one_that_came_through_is_followed_by_another_after_the_pause(stage: Any, worker: CanaryWorker) -> None:
    await worker.look()
    await publish(stage.database, (await run_of(stage.database))["post_id"], "succeeded")
    due_in = await worker.look()
    assert (await run_of(stage.database))["outcome"] == "published"
    assert due_in is not None
    assert 500 < due_in <= 600
    await stage.database.execute("UPDATE canary_runs SET sent_at = sent_at - interval '10 minutes'")
    await worker.look()
    assert len(await stage.database.fetch("SELECT FROM canary_runs")) == 2


async def test_one_that_took_too_long_was_late(stage: Any, worker: CanaryWorker) -> None:
    await worker.look()
    await stage.database.execute("UPDATE canary_runs SET sent_at = sent_at - interval '40 seconds'")
    await publish(stage.database, (await run_of(stage.database))["post_id"], "succeeded")
    await worker.look()
    assert (await run_of(stage.database))["outcome"] == "late"


async def test_people_are_told_of_one_that_did_not_come_through(stage: Any, worker: CanaryWorker) -> None:
    await worker.look()
    await publish(stage.database, (await run_of(stage.database))["post_id"], "failed")
    await worker.look()
    run = await run_of(stage.database)
    assert (run["outcome"], run["detail"]) == ("failed", "no rights")
    [notice] = await stage.heard("notify.requested")
    assert notice["kind"] == "scheduler.canary_failed"
