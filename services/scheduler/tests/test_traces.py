"""The trace of a post goes on after each wait: for a slot, a time, an image, a person who never comes."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from nats.aio.client import Client
from opentelemetry import trace

from common.events import ContentCreated, Event, ImageGenerated, PostRewritten, emitted
from common.messaging.rails import Rails
from common.planning.scheduled import Order, ScheduledPosts
from common.telemetry.propagation import within_trace
from common.testing.waiting import job_of
from scheduler.expiry import ApprovalExpiryWorker

from .conftest import Stage

Scheduler = Callable[[], AbstractAsyncContextManager[None]]
POST, OTHER = "a" * 32, "c" * 32  # the trace of the post, and one of something else
SLOTS = {"times": {str(day): ["09:00"] for day in range(1, 8)}}


def parent(trace_id: str) -> str:
    return f"00-{trace_id}-{'b' * 16}-01"


async def told(stage: Stage, event: Event, trace_id: str) -> None:
    """Tell the scheduler something within a trace, and wait until it has worked on it."""
    headers = {"traceparent": parent(trace_id)}
    emit = emitted(event, event_id=str(uuid4()), consumer="test", cause_id="test", trace=headers)
    await stage.nats.jetstream().publish(emit.subject, emit.payload, headers=dict(emit.headers))
    assert (await job_of(stage.database, emit.id))["status"] == "succeeded"


async def rewritten(stage: Stage, *, illustrate: bool = False, **how: Any) -> UUID:
    """Say within the trace of the post that it was rewritten, for a route; returns the rewrite."""
    route = await stage.route(**how)
    rewrite = await stage.rewrite(route)
    event = PostRewritten(post_id=stage.post, route_id=route, rewrite_id=rewrite, illustrate=illustrate)
    await told(stage, event, POST)
    return rewrite


async def trace_of(stage: Stage, subject: str) -> str:
    """The trace of the only event under a subject."""
    await stage.heard(subject)
    [message] = stage.told[subject]
    return str((message.headers or {}).get("traceparent", ""))[3:35]


async def test_a_post_that_waited_for_its_slot_goes_on_in_its_trace(stage: Stage, scheduler: Scheduler) -> None:
    async with scheduler():
        await rewritten(stage, targets=["telegram:@first"], slots=SLOTS)
        await stage.database.execute("UPDATE scheduled_posts SET due_at = now()")
        assert await trace_of(stage, "publish.requested") == POST


async def test_a_plan_of_a_person_goes_on_in_the_trace_of_the_request(stage: Stage, scheduler: Scheduler) -> None:
    with within_trace(parent(OTHER)):
        order = Order(datetime.now(UTC), post_id=stage.post, target="telegram:@there")
        scheduled = await ScheduledPosts(stage.database).plan(order, "tests")
    async with scheduler():
        assert await trace_of(stage, "publish.requested") == OTHER
    assert (await ScheduledPosts(stage.database).get(scheduled))["traceparent"] == parent(OTHER)


async def test_a_plan_without_a_trace_goes_on_in_that_of_its_content(stage: Stage, scheduler: Scheduler) -> None:
    planned = datetime.now(UTC) + timedelta(hours=1)
    order = Order(planned, post_id=stage.post, target="telegram:@there")
    scheduled = await ScheduledPosts(stage.database).plan(order, "tests")
    async with scheduler():
        rewrite = await stage.rewrite(await stage.route())
        event = ContentCreated(content_id=uuid4(), post_id=stage.post, rewrite_id=rewrite)
        await told(stage, event, POST)
        await ScheduledPosts(stage.database).publish_now(scheduled)
        assert await trace_of(stage, "publish.requested") == POST


async def test_an_image_that_a_person_asked_for_lets_the_post_go_on_in_its_own_trace(
    stage: Stage, scheduler: Scheduler
) -> None:
    async with scheduler():
        rewrite = await rewritten(stage, illustrate=True)
        image = ImageGenerated(request_id="r", post_id=stage.post, rewrite_id=rewrite, image="0" * 64)
        await told(stage, image, OTHER)
        assert await trace_of(stage, "publish.requested") == POST


async def test_a_post_that_waited_for_an_image_and_then_for_its_slot_goes_on_in_its_trace(
    stage: Stage, scheduler: Scheduler
) -> None:
    async with scheduler():
        rewrite = await rewritten(stage, illustrate=True, targets=["telegram:@first"], slots=SLOTS)
        image = ImageGenerated(request_id="r", post_id=stage.post, rewrite_id=rewrite, image="0" * 64)
        await told(stage, image, OTHER)
        await stage.database.execute("UPDATE scheduled_posts SET due_at = now()")
        assert await trace_of(stage, "publish.requested") == POST


async def test_what_nobody_approved_is_told_in_its_trace(
    stage: Stage, scheduler: Scheduler, nats_client: Client
) -> None:
    async with scheduler():
        await rewritten(stage, approval=True, approval_expires_hours=1)
        [row] = await stage.database.fetch("SELECT traceparent FROM routings")
        assert row["traceparent"][3:35] == POST
    rails = Rails(nats_client.jetstream(), stage.database, trace.NoOpTracer())
    await ApprovalExpiryWorker(stage.database, rails, now=lambda: datetime.now(UTC) + timedelta(hours=2)).look()
    assert await trace_of(stage, "notify.requested") == POST
    rails.close()
