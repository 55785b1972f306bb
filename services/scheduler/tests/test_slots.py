"""Routes in full: slots, also after the image, and approvals that expire."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta

import pytest
from nats.aio.client import Client

from common.events import ImageGenerated, PostRewritten
from common.messaging.rails import Rails
from common.testing.waiting import eventually
from scheduler.expiry import ApprovalExpiryWorker

from .conftest import Stage

Scheduler = Callable[[], AbstractAsyncContextManager[None]]
TARGETS = ["telegram:@first", "telegram:@second"]
SLOTS = {"timezone": "Asia/Tokyo", "times": {str(day): ["09:00"] for day in range(1, 8)}}


async def test_a_post_is_planned_for_the_next_slot_of_each_target(stage: Stage, scheduler: Scheduler) -> None:
    route = await stage.route(targets=TARGETS, slots=SLOTS)
    rewrite = await stage.rewrite(route)
    async with scheduler():
        await stage.rewritten(route, rewrite, illustrate=False)
        decision, reason = await stage.decision()
        assert decision == "schedule"
        assert reason.startswith("planned for ")
        rows = await stage.database.fetch("SELECT * FROM scheduled_posts ORDER BY target")
        assert [row["target"] for row in rows] == TARGETS
        for row in rows:
            assert (row["rewrite_id"], row["route_id"], row["created_by"]) == (rewrite, route, "scheduler")
            assert f"{row['scheduled_time']:%H:%M}" == "00:00"  # nine in Tokyo
            assert timedelta(0) < row["scheduled_time"] - datetime.now(UTC) <= timedelta(days=1)
        assert await stage.state() == "scheduled"
        assert await stage.all_told("publish.requested") == []
        event = PostRewritten(post_id=stage.post, route_id=route, rewrite_id=rewrite)
        await stage.done(event)  # it is heard of twice
    assert len(await stage.database.fetch("SELECT FROM scheduled_posts")) == len(TARGETS)


async def test_a_post_that_waited_for_its_image_goes_out_at_a_slot(stage: Stage, scheduler: Scheduler) -> None:
    route = await stage.route(targets=TARGETS, slots=SLOTS, illustrate=True)
    rewrite = await stage.rewrite(route)
    async with scheduler():
        await stage.rewritten(route, rewrite)
        assert (await stage.decision())[0] == "illustrate"
        await stage.done(ImageGenerated(request_id="r", post_id=stage.post, rewrite_id=rewrite, image="0" * 64))
        assert (await stage.decision())[0] == "schedule"
        assert await stage.all_told("publish.requested") == []


async def hold(stage: Stage, hours: float | None, ago: float) -> None:
    """Hold the post by a route, so many hours ago."""
    route = await stage.route(approval=True, approval_expires_hours=hours)
    rewrite = await stage.rewrite(route)
    await stage.database.execute(
        "INSERT INTO routings (post_id, route_id, rewrite_id, decision, reason, targets, decided_at)"
        " VALUES ($1, $2, $3, 'hold', 'awaits approval', '{telegram:@first}', now() - $4 * interval '1 hour')",
        stage.post, route, rewrite, ago,
    )  # fmt: skip


async def test_what_nobody_approves_in_time_is_rejected(
    stage: Stage, scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCHEDULED_CHECK_SECONDS", "0.2")
    await hold(stage, 2.5, 2.6)
    async with scheduler():

        async def rejected() -> bool:
            return await stage.decision() == ("reject", "nobody approved it within 2.5 hours")

        await eventually(rejected)
        assert await stage.state() == "rejected"
        [notice] = await stage.heard("notify.requested")
    assert notice["kind"] == "scheduler.approval_expired"


@pytest.mark.parametrize(("hours", "ago", "due_in"), [(None, 1000, None), (2, 1.5, 1800)])
async def test_what_may_still_be_approved_stays(
    stage: Stage, nats_client: Client, hours: float | None, ago: float, due_in: float | None
) -> None:
    await hold(stage, hours, ago)
    rails = Rails(nats_client.jetstream(), stage.database)
    found = await ApprovalExpiryWorker(stage.database, rails).look()
    assert found == (due_in and pytest.approx(due_in, abs=60))
    assert (await stage.decision())[0] == "hold"
    later = ApprovalExpiryWorker(stage.database, rails, now=lambda: datetime.now(UTC) + timedelta(hours=1))
    assert await later.look() is None
    assert (await stage.decision())[0] == ("hold" if hours is None else "reject")
    rails.close()
