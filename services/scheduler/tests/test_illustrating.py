"""The join: a post waits for its image, and goes on by its route, whatever comes first and however often."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import pytest

from common.events import Event, ImageFailed, ImageGenerated, PostRewritten
from common.testing.waiting import job_of

HASH = "a" * 64


@pytest.fixture(autouse=True)
async def running(stage: Any, scheduler: Any) -> AsyncIterator[None]:
    async with scheduler():
        yield


def made(stage: Any, rewrite: UUID | None, **more: Any) -> ImageGenerated:
    return ImageGenerated(request_id="r", post_id=stage.post, rewrite_id=rewrite, image=HASH, **more)


def failed(stage: Any, rewrite: UUID | None, **more: Any) -> ImageFailed:
    return ImageFailed(request_id="r", post_id=stage.post, rewrite_id=rewrite, reason="the model refused", **more)


async def waiting(stage: Any, **how: Any) -> tuple[UUID, UUID]:
    """A post that waits for its image: the ids of its route and its rewrite."""
    route = await stage.route(illustrate=True, **how)
    rewrite = await stage.rewrite(route)
    await stage.rewritten(route, rewrite)
    return route, rewrite


async def test_a_post_waits_for_its_image_and_is_published_with_it(stage: Any) -> None:
    _, rewrite = await waiting(stage)
    assert await stage.decision() == ("illustrate", "waits for its image")
    assert await stage.state() == "pending"
    assert await stage.all_told("publish.requested") == []
    assert (await stage.done(made(stage, rewrite)))["status"] == "succeeded"
    [request] = await stage.heard("publish.requested")
    assert (request["post_id"], request["rewrite_id"]) == (str(stage.post), str(rewrite))
    assert request["targets"] == ["telegram:@a", "telegram:@b"]
    assert await stage.decision() == ("publish", "")


@pytest.mark.parametrize(
    ("route", "outcome", "decision", "published", "notices"),
    [
        ({}, failed, ("publish", "without an image: the model refused"), 1, 0),
        ({"image_required": True}, failed, ("hold", "its image could not be made: the model refused"), 0, 1),
        ({"image_required": True}, made, ("publish", ""), 1, 0),
        ({"approval": True}, made, ("hold", "awaits approval"), 0, 0),
        ({"approval": True}, failed, ("hold", "awaits approval, without an image: the model refused"), 0, 0),
        ({"approval": True, "image_required": True}, failed,
         ("hold", "its image could not be made: the model refused"), 0, 1),
    ],
)  # fmt: skip
async def test_the_route_decides_what_an_outcome_means(
    stage: Any, route: dict[str, bool], outcome: Any, decision: tuple[str, str], published: int, notices: int
) -> None:
    _, rewrite = await waiting(stage, **route)
    await stage.done(outcome(stage, rewrite))
    assert await stage.decision() == decision
    assert len(await stage.all_told("publish.requested")) == published
    assert await stage.state() == ("pending" if published else "awaiting")
    told = await stage.all_told("notify.requested")
    assert [notice["kind"] for notice in told] == ["scheduler.held_without_image"] * notices


async def test_an_image_that_is_faster_than_the_routing_waits_for_it(stage: Any) -> None:
    route = await stage.route(illustrate=True)
    rewrite = await stage.rewrite(route)
    job = await stage.done(made(stage, rewrite), "queued")
    assert job["last_error"] == f"Retry: rewrite {rewrite} is not routed yet"
    await stage.rewritten(route, rewrite)
    assert (await job_of(stage.database, job["event_id"]))["status"] == "succeeded"
    assert len(await stage.heard("publish.requested")) == 1
    assert await stage.decision() == ("publish", "")


async def test_a_second_outcome_changes_nothing(stage: Any) -> None:
    route, rewrite = await waiting(stage)
    event_id = await stage.emit(made(stage, rewrite))
    await job_of(stage.database, event_id)
    await stage.emit(made(stage, rewrite), event_id)  # the same event once more
    for event in (made(stage, rewrite), failed(stage, rewrite)):  # another image, asked for by hand
        assert (await stage.done(event))["status"] == "succeeded"
    again: Event = PostRewritten(post_id=stage.post, route_id=route, rewrite_id=rewrite, illustrate=True)
    await stage.done(again)  # told by hand once more: it does not wait for an image that was made
    assert len(await stage.all_told("publish.requested")) == 1
    assert await stage.decision() == ("publish", "")


async def test_a_second_rewrite_is_decided_anew(stage: Any) -> None:
    route, first = await waiting(stage)
    second = await stage.rewrite(route)
    await stage.rewritten(route, second)
    late = await stage.done(made(stage, first))
    assert (late["status"], late["last_error"]) == ("cancelled", f"Skip: rewrite {first} was followed by another one")
    assert await stage.decision() == ("illustrate", "waits for its image")
    await stage.done(made(stage, second))
    [request] = await stage.all_told("publish.requested")
    assert request["rewrite_id"] == str(second)


async def test_what_is_routed_anew_is_not_what_a_person_decided(stage: Any) -> None:
    route = await stage.route(approval=True)
    await stage.rewritten(route, await stage.rewrite(route))
    await stage.database.execute(
        "SELECT decide_routing($1, $2, 'reject', 'token:editor', 'too long')", stage.post, route
    )
    await stage.rewritten(route, await stage.rewrite(route))
    [row] = await stage.database.fetch("SELECT decision, decided_by FROM routings")
    assert (row["decision"], row["decided_by"]) == ("illustrate", None)


async def test_a_rewrite_that_is_heard_of_late_does_not_displace_a_newer_one(stage: Any) -> None:
    route = await stage.route(illustrate=True)
    first, second = await stage.rewrite(route), await stage.rewrite(route)
    await stage.rewritten(route, second)
    await stage.rewritten(route, first)
    await stage.done(made(stage, second))
    [request] = await stage.all_told("publish.requested")
    assert request["rewrite_id"] == str(second)
    assert await stage.decision() == ("publish", "")


async def test_a_route_that_was_deleted_meanwhile_holds_the_post(stage: Any) -> None:
    route, rewrite = await waiting(stage)
    await stage.database.execute("DELETE FROM routes WHERE id = $1", route)
    await stage.done(made(stage, rewrite))
    assert await stage.decision() == ("hold", "its route does not exist any more")
    assert await stage.state() == "awaiting"


async def test_nothing_waits_for_what_will_never_be_routed(stage: Any) -> None:
    route = await stage.route(illustrate=True)
    rewrite = await stage.rewrite(route)
    await stage.database.execute("DELETE FROM routes WHERE id = $1", route)
    gone = await stage.done(made(stage, rewrite))
    assert (gone["status"], "does not exist any more" in gone["last_error"]) == ("cancelled", True)
    nobody = uuid4()
    unknown = await stage.done(made(stage, nobody))
    assert unknown["last_error"] == f"Skip: post {stage.post} has no rewrite {nobody}"
    assert (await stage.done(made(stage, None)))["status"] == "succeeded"  # for the post, by hand
    assert await stage.all_told("publish.requested") == []


@pytest.mark.parametrize("outcome", [made, failed])
@pytest.mark.parametrize("targets", [("telegram:@c",), ()])
async def test_what_was_requested_with_an_image_goes_where_the_request_said(
    stage: Any, outcome: Any, targets: tuple[str, ...]
) -> None:
    _, rewrite = await waiting(stage)
    await stage.done(outcome(stage, rewrite, publish_to=targets))
    [request] = await stage.all_told("publish.requested")
    assert (request["post_id"], request["rewrite_id"]) == (str(stage.post), str(rewrite))
    assert request["targets"] == list(targets)
    assert not request["illustrate"]  # or it would go round in circles
    assert (await stage.decision())[0] == "illustrate"  # what the route asked for is still to come


@pytest.mark.parametrize("named", [True, False])
async def test_what_was_requested_is_held_where_the_route_requires_the_image(stage: Any, named: bool) -> None:
    route = await stage.route(approval=True, image_required=True)
    rewrite = await stage.rewrite(route)
    await stage.rewritten(route, rewrite, illustrate=False)
    await stage.done(failed(stage, rewrite if named else None, publish_to=()))
    assert await stage.decision() == ("hold", "its image could not be made: the model refused")
    assert await stage.all_told("publish.requested") == []
    assert len(await stage.all_told("notify.requested")) == 1
