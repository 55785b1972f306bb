"""Scheduled posts on real servers: due, woken, taken once, settled."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from common.catalog import Catalog
from common.events import ContentCreated, ImageFailed, ImageGenerated, PublishResult, TargetResult
from common.planning.scheduled import Order, ScheduledPosts
from common.posts import NewPost, Posts
from common.telegram.text import RichText
from common.testing.waiting import eventually

from .conftest import Stage

Scheduler = Callable[[], AbstractAsyncContextManager[None]]
TARGET = "telegram:@planned"


def later(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


async def plan(stage: Stage, at: datetime, **given: Any) -> UUID:
    """Plan the stage's post."""
    order = Order(at, **{"post_id": stage.post, "target": TARGET} | given)
    return await ScheduledPosts(stage.database).plan(order, "tests")


async def row(stage: Stage, scheduled: UUID) -> asyncpg.Record:
    return await ScheduledPosts(stage.database).get(scheduled)


async def reaches(stage: Stage, scheduled: UUID, status: str, **values: Any) -> asyncpg.Record:
    """Wait until a scheduled post has a status."""

    async def there() -> asyncpg.Record | None:
        found = await row(stage, scheduled)
        return found if found["status"] == status and all(found[key] == values[key] for key in values) else None

    found = await eventually(there)
    assert found
    return found


async def result(stage: Stage, scheduled: UUID, status: str, **target: Any) -> None:
    """Say what came of the request of a scheduled post."""
    found = await reaches(stage, scheduled, "publishing")
    told = TargetResult(target=found["target"], status=status, **target)
    overall = "failed" if status == "failed" else status
    event = PublishResult(package_id=found["request_id"], post_id=found["post_id"], status=overall, targets=(told,))
    await stage.done(event)


async def test_what_is_due_is_requested_at_once_and_published(stage: Stage, scheduler: Scheduler) -> None:
    scheduled = await plan(stage, later(-5))
    async with scheduler():
        [request] = await stage.heard("publish.requested")
        assert (request["post_id"], request["targets"]) == (str(stage.post), [TARGET])
        assert await stage.state() == "scheduled"
        await result(stage, scheduled, "succeeded", message_ids=(7,), url="https://t.me/planned/7")
    found = await row(stage, scheduled)
    assert (found["status"], found["message_ids"], found["url"]) == ("published", [7], "https://t.me/planned/7")
    assert found["published_at"] is not None


async def test_a_post_waits_for_its_time_and_is_not_noticeably_late(stage: Stage, scheduler: Scheduler) -> None:
    async with scheduler():
        scheduled = await plan(stage, later(1.0))  # an insert wakes the worker, whose check is a minute away
        await asyncio.sleep(0.3)
        assert (await row(stage, scheduled))["status"] == "scheduled"
        found = await reaches(stage, scheduled, "publishing")
    assert found["updated_at"] >= found["scheduled_time"]


async def test_a_change_wakes_the_worker(stage: Stage, scheduler: Scheduler) -> None:
    scheduled = await plan(stage, later(3600))
    async with scheduler():
        await stage.database.execute("SELECT 1")
        await ScheduledPosts(stage.database).change(scheduled, scheduled_time=later(0.2))
        await reaches(stage, scheduled, "publishing")


async def test_publish_now(stage: Stage, scheduler: Scheduler) -> None:
    scheduled = await plan(stage, later(3600))
    async with scheduler():
        await ScheduledPosts(stage.database).publish_now(scheduled)
        found = await reaches(stage, scheduled, "publishing")
    assert found["scheduled_time"] <= datetime.now(UTC)


async def test_a_failure_is_repeated_with_growing_waits_then_told(
    stage: Stage, scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PUBLISH_RETRY_INTERVAL_SECONDS", "0.1")
    scheduled = await plan(stage, later(0))
    waits = []
    async with scheduler():
        for attempt in range(1, 4):
            await result(stage, scheduled, "failed", error="the bot may not post there")
            again = await row(stage, scheduled)
            assert again["attempts"] == attempt
            waits.append((again["due_at"], again["updated_at"]))
            await reaches(stage, scheduled, "publishing", attempts=attempt)
        await result(stage, scheduled, "failed", error="the bot may not post there")
        [notice] = await stage.heard("notify.requested")
        assert len({request["post_id"] for request in await stage.heard("publish.requested", 4)}) == 1
        found = await row(stage, scheduled)
        assert (found["status"], found["attempts"]) == ("failed", 4)
        assert found["last_error"] == "the bot may not post there"
        assert notice["kind"] == "scheduler.not_published"
        assert "the bot may not post there" in notice["title"]
        assert await stage.state() == "dead"
        await ScheduledPosts(stage.database).retry(scheduled)  # a person has let the bot in
        await result(stage, scheduled, "succeeded", message_ids=(1,))
    assert (await row(stage, scheduled))["status"] == "published"


async def test_waits_double(stage: Stage, scheduler: Scheduler) -> None:
    scheduled = await plan(stage, later(0))
    async with scheduler():
        for seconds in (60, 120, 240):
            await result(stage, scheduled, "failed", error="no")
            found = await row(stage, scheduled)
            assert found["due_at"] - found["updated_at"] == pytest.approx(
                timedelta(seconds=seconds), abs=timedelta(1e-6)
            )
            await ScheduledPosts(stage.database).publish_now(scheduled)


async def test_what_is_there_already_counts_as_published(stage: Stage, scheduler: Scheduler) -> None:
    scheduled = await plan(stage, later(0))
    async with scheduler():
        await reaches(stage, scheduled, "publishing")
        await published(stage, stage.post, 5)
        await result(stage, scheduled, "cancelled", message_ids=(5,), error="already published")
    found = await row(stage, scheduled)
    assert (found["status"], found["message_ids"]) == ("published", [5])


async def published(stage: Stage, post: UUID, message: int, status: str = "succeeded") -> None:
    """What another request left behind."""
    await stage.database.execute(
        "INSERT INTO publish_packages (id, post_id, status) VALUES ($1::uuid::text, $1, 'succeeded')", post
    )
    await stage.database.execute(
        "INSERT INTO publications (id, package_id, post_id, destination, status, text, message_ids) "
        "VALUES ($1, $1::uuid::text, $1, $2, $3, '', ARRAY[$4::bigint])",
        post, TARGET, status, message,
    )  # fmt: skip


async def test_what_another_request_has_under_way_is_waited_for(stage: Stage, scheduler: Scheduler) -> None:
    scheduled = await plan(stage, later(0))
    async with scheduler():
        await reaches(stage, scheduled, "publishing")
        await published(stage, stage.post, 0, "queued")
        await result(stage, scheduled, "cancelled", error="already under way by another request")
    found = await row(stage, scheduled)
    assert (found["status"], found["attempts"]) == ("scheduled", 0)


async def test_what_a_person_called_off_at_the_publisher_is_cancelled(stage: Stage, scheduler: Scheduler) -> None:
    scheduled = await plan(stage, later(0))
    async with scheduler():
        await result(stage, scheduled, "cancelled", error="called off by cli:anna")
    found = await row(stage, scheduled)
    assert (found["status"], found["last_error"]) == ("cancelled", "called off by cli:anna")


async def test_a_request_that_died_is_found(
    stage: Stage, scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCHEDULED_CHECK_SECONDS", "0.2")
    scheduled = await plan(stage, later(0))
    async with scheduler():
        found = await reaches(stage, scheduled, "publishing")
        await stage.database.execute(
            "INSERT INTO jobs (consumer, event_id, queue, subject, status, last_error, finished_at)"
            " VALUES ('publisher', $1, 'q', 's', 'failed', 'out of attempts', now() - interval '2 minutes')",
            found["request_id"],
        )
        await stage.database.execute("UPDATE scheduled_posts SET updated_at = now() - interval '2 minutes'")
        found = await reaches(stage, scheduled, "scheduled")
    assert (found["attempts"], found["last_error"]) == (1, "out of attempts")


async def put_aside(stage: Stage, scheduled: UUID) -> str:
    """The publisher has an image made first, so that it stores no package for the request, which is returned."""
    found = await reaches(stage, scheduled, "publishing")
    await stage.database.execute(
        "INSERT INTO jobs (consumer, event_id, queue, subject, status, finished_at)"
        " VALUES ('publisher', $1, 'q', 's', 'succeeded', now() - interval '5 minutes')",
        found["request_id"],
    )
    return str(found["request_id"])


async def test_what_the_publisher_puts_aside_for_an_image_is_requested_again(
    stage: Stage, scheduler: Scheduler
) -> None:
    scheduled = await plan(stage, later(0))
    async with scheduler():
        first = await put_aside(stage, scheduled)
        await stage.done(ImageGenerated(request_id="i", post_id=stage.post, image="0" * 64, publish_to=(TARGET,)))
        assert len(await stage.heard("publish.requested", 2)) == 2
        assert (await reaches(stage, scheduled, "publishing"))["request_id"] != first
        await result(stage, scheduled, "succeeded", message_ids=(7,))
        assert len(await stage.all_told("publish.requested")) == 2
    assert (await row(stage, scheduled))["status"] == "published"


async def test_a_plan_fails_whose_route_requires_an_image_that_could_not_be_made(
    stage: Stage, scheduler: Scheduler
) -> None:
    route = await stage.route(approval=True, image_required=True)
    scheduled = await plan(stage, later(0))
    async with scheduler():
        await stage.rewritten(route, await stage.rewrite(route), illustrate=False)
        await put_aside(stage, scheduled)
        await stage.done(
            ImageFailed(request_id="i", post_id=stage.post, reason="the model refused", publish_to=(TARGET,))
        )
        assert len(await stage.all_told("publish.requested")) == 1
    found = await row(stage, scheduled)
    assert (found["status"], found["last_error"]) == ("failed", "its image could not be made: the model refused")


async def test_a_plan_whose_image_request_died_is_found(
    stage: Stage, scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCHEDULED_CHECK_SECONDS", "0.2")
    scheduled = await plan(stage, later(0))
    async with scheduler():
        await put_aside(stage, scheduled)
        await stage.database.execute(
            "INSERT INTO jobs (consumer, event_id, queue, subject, post_id, status, last_error, finished_at)"
            " VALUES ('imagegen', 'i', 'q', 's', $1, 'failed', 'out of attempts', now() - interval '2 minutes')",
            stage.post,
        )
        await stage.database.execute("UPDATE scheduled_posts SET updated_at = now() - interval '2 minutes'")
        found = await reaches(stage, scheduled, "scheduled")
    assert (found["attempts"], found["last_error"]) == (1, "its image could not be made: out of attempts")


async def test_what_another_request_publishes_while_an_image_is_waited_for_is_published(
    stage: Stage, scheduler: Scheduler
) -> None:
    scheduled = await plan(stage, later(0))
    async with scheduler():
        await put_aside(stage, scheduled)
        await published(stage, stage.post, 5)
        told = TargetResult(target=TARGET, status="succeeded", message_ids=(5,))
        await stage.done(PublishResult(package_id="x", post_id=stage.post, status="succeeded", targets=(told,)))
    found = await row(stage, scheduled)
    assert (found["status"], found["message_ids"]) == ("published", [5])


async def content(stage: Stage) -> tuple[UUID, UUID]:
    """A content that is being written: its id and that of its post."""
    source = await Catalog(stage.database).put_source("import", "briefs")
    [brought] = await Posts(stage.database).add([NewPost(source, str(uuid4()), RichText(text="brief of a post"))])
    content_id = uuid4()
    await stage.database.execute(
        "INSERT INTO contents (id, post_id, title, created_by) VALUES ($1, $2, 'brief', 'tests')",
        content_id, brought.post_id,
    )  # fmt: skip
    return content_id, brought.post_id


async def test_a_content_that_is_written_late_is_published_then(stage: Stage, scheduler: Scheduler) -> None:
    content_id, stage.post = await content(stage)
    scheduled = await plan(stage, later(0), post_id=None, content_id=content_id)
    async with scheduler():
        found = await reaches(stage, scheduled, "scheduled", last_error="waits for its content")
        assert found["due_at"] > found["scheduled_time"]
        rewrite = await stage.rewrite(uuid4())
        await stage.done(ContentCreated(content_id=content_id, post_id=stage.post, rewrite_id=rewrite))
        await reaches(stage, scheduled, "publishing")
        [request] = await stage.heard("publish.requested")
    assert request["post_id"] == str(stage.post)


async def test_a_content_that_can_not_be_written_fails_the_plan(stage: Stage, scheduler: Scheduler) -> None:
    content_id, stage.post = await content(stage)
    scheduled = await plan(stage, later(0.5), post_id=None, content_id=content_id)
    await stage.database.execute(
        "INSERT INTO jobs (consumer, event_id, queue, subject, post_id, status, last_error, finished_at)"
        " VALUES ('rewriter-contents', 'e', 'q', 's', $1, 'failed', 'the model is away', now())",
        stage.post,
    )
    async with scheduler():
        found = await reaches(stage, scheduled, "failed")
        [notice] = await stage.heard("notify.requested")
    assert found["last_error"] == "its content could not be written: the model is away"
    assert notice["post_id"] == str(stage.post)


async def test_disabled_workers_leave_everything_and_say_so(
    stage: Stage, scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("DISABLE_WORKERS", "true")
    scheduled = await plan(stage, later(0))

    async def beats() -> list[asyncpg.Record]:
        return await stage.database.fetch("SELECT worker, running FROM worker_beats")

    async with scheduler():
        found = await eventually(beats)
        assert "WORKERS DISABLED" in caplog.text
        assert {each["running"] for each in found} == {False}
        assert (await row(stage, scheduled))["status"] == "scheduled"
    assert await beats() == []


async def test_workers_beat_with_their_next_run(stage: Stage, scheduler: Scheduler) -> None:
    at = later(30)
    await plan(stage, at)

    async def next_run() -> datetime | None:
        [*found] = await stage.database.fetch(
            "SELECT next_run FROM worker_beats WHERE worker = 'ScheduledPostsWorker' AND running"
        )
        return found[0]["next_run"] if found else None

    async with scheduler():
        found = await eventually(next_run)
    assert abs(found - at) < timedelta(seconds=2)
