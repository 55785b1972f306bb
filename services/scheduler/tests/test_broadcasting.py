"""What follows when a post was published: the broadcast that its route asks for, once."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from common.catalog import RouteBroadcast
from common.events import ImageGenerated, PublishResult, TargetResult
from common.events.envelope import ID


@pytest.fixture(autouse=True)
async def running(stage: Any, scheduler: Any) -> AsyncIterator[None]:
    async with scheduler():
        yield


def published(stage: Any, rewrite: UUID | None, **more: Any) -> PublishResult:
    given = {"status": "succeeded", "targets": (), **more}
    return PublishResult(package_id="p", post_id=stage.post, rewrite_id=rewrite, **given)


async def routed(stage: Any, broadcast: RouteBroadcast | None, name: str = "r", **how: Any) -> UUID:
    """A routed rewrite of the post, on a route with this broadcast."""
    route = await stage.route(name, broadcast=broadcast, **how)
    rewrite: UUID = await stage.rewrite(route)
    await stage.rewritten(route, rewrite, illustrate=False)
    return rewrite


async def test_a_published_post_is_broadcast_as_its_route_says(stage: Any) -> None:
    before = datetime.now(UTC)
    how = RouteBroadcast(chats=("-1001", "@city"), delay_seconds=600, forward=True)
    rewrite = await routed(stage, how)
    await routed(stage, None, "other")
    await stage.done(published(stage, rewrite))
    [request] = await stage.heard("broadcast.requested")
    assert request["post_id"] == str(stage.post)
    assert request["target_chat_ids"] == ["-1001", "@city"]
    assert (request["forward"], request["text"], request["account"]) == (True, None, None)
    due = datetime.fromisoformat(request["not_before"])
    assert before + timedelta(seconds=600) <= due <= datetime.now(UTC) + timedelta(seconds=600)


async def test_without_a_delay_it_is_due_at_once(stage: Any) -> None:
    rewrite = await routed(stage, RouteBroadcast())
    await stage.done(published(stage, rewrite))
    [request] = await stage.heard("broadcast.requested")
    assert (request["not_before"], request["target_chat_ids"], request["forward"]) == (None, [], False)


async def test_a_post_that_is_published_again_is_not_broadcast_again(stage: Any) -> None:
    rewrite = await routed(stage, RouteBroadcast())
    for _ in range(2):  # another package, at another target
        assert (await stage.done(published(stage, rewrite)))["status"] == "succeeded"
    assert await stage.all_told("broadcast.requested")
    ids = {message.headers[ID] for message in stage.told["broadcast.requested"]}
    assert len(ids) == 1  # so that the stream, or the inbox, drops the second one
    kept = await stage.nats.jetstream().stream_info("BROADCAST")
    assert kept.state.messages == 1


@pytest.mark.parametrize("status", ["failed", "cancelled"])
async def test_what_was_not_published_is_not_broadcast(stage: Any, status: str) -> None:
    rewrite = await routed(stage, RouteBroadcast())
    assert (await stage.done(published(stage, rewrite, status=status)))["status"] == "succeeded"
    assert await stage.all_told("broadcast.requested") == []


async def test_where_no_route_asks_for_it_nothing_is_broadcast(stage: Any) -> None:
    rewrite = await routed(stage, None)
    await routed(stage, RouteBroadcast(), "other")
    for event in (published(stage, rewrite), published(stage, None)):
        assert (await stage.done(event))["status"] == "succeeded"
    assert await stage.all_told("broadcast.requested") == []


async def test_a_post_that_a_person_publishes_waits_for_no_image(stage: Any) -> None:
    route = await stage.route(illustrate=True)
    rewrite = await stage.rewrite(route)
    await stage.rewritten(route, rewrite)
    everywhere = tuple(TargetResult(target=target, status="succeeded") for target in ("telegram:@a", "telegram:@b"))
    await stage.done(published(stage, rewrite, status="failed", targets=everywhere))
    await stage.done(published(stage, rewrite, targets=everywhere[:1]))
    assert await stage.decision() == ("illustrate", "waits for its image")  # it is still to go to the other one
    await stage.done(published(stage, rewrite, targets=everywhere))
    assert await stage.decision() == ("publish", "a person did not wait for its image")
    await stage.done(ImageGenerated(request_id="r", post_id=stage.post, rewrite_id=rewrite, image="a" * 64))
    assert await stage.all_told("publish.requested") == []


async def test_a_held_post_that_a_person_publishes_is_broadcast(stage: Any) -> None:
    rewrite = await routed(stage, RouteBroadcast(chats=("@city",)), approval=True)
    assert await stage.decision() == ("hold", "awaits approval")
    await stage.done(published(stage, rewrite))
    [request] = await stage.heard("broadcast.requested")
    assert request["target_chat_ids"] == ["@city"]
