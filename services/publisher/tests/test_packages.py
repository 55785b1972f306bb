"""Packages: all targets stand or fall together."""

import pytest

from common.testing.waiting import eventually
from publisher import request, rollback
from publisher.adapters.telegram import Telegram
from sandbox.telegram import Chat

from .conftest import Stage, publishing

TARGETS = ["telegram:@alpha", "telegram:@beta", "telegram:@gamma"]


@pytest.fixture
def channels(stage: Stage) -> list[Chat]:
    """Three channels; in the last one the bot may not write."""
    return [stage.channel("alpha"), stage.channel("beta"), stage.channel("gamma", admin=False)]


async def test_a_critical_error_takes_everything_back(stage: Stage, channels: list[Chat]) -> None:
    stage.fault("delay", seconds=0.2, chat=channels[2].id)  # so that the others are sent by then
    (post,) = await stage.posts(["all or nothing"])
    async with publishing():
        result = await stage.ended(await stage.request(post_id=post, targets=TARGETS))
        (notice,) = await stage.notices("publisher.failed")
    assert [stage.texts(channel) for channel in channels] == [[], [], []]
    assert result["status"] == "failed"
    assert "telegram:@gamma: CHAT_ADMIN_REQUIRED" in result["reason"]
    assert [(target["target"], target["status"]) for target in result["targets"]] == [
        ("telegram:@alpha", "cancelled"),
        ("telegram:@beta", "cancelled"),
        ("telegram:@gamma", "failed"),
    ]
    assert notice["post_id"] == str(post)
    assert "CHAT_ADMIN_REQUIRED" in notice["title"]
    rows = await stage.publications()
    assert [row["generation"] for row in rows] == [1, 1, 0]
    (package,) = await stage.rows("SELECT status, finished_at FROM publish_packages")
    assert package["status"] == "failed"
    assert package["finished_at"]


async def test_what_was_taken_back_can_be_published_again(stage: Stage, channels: list[Chat]) -> None:
    stage.fault("delay", seconds=0.2, chat=channels[2].id)
    (post,) = await stage.posts(["second try"])
    async with publishing():
        await stage.ended(await stage.request(post_id=post, targets=TARGETS))
        before = {row["destination"]: row["random_ids"] for row in await stage.publications()}
        stage.world.add_admin(channels[2], stage.bot)
        result = await stage.ended(await stage.request(post_id=post, targets=TARGETS))
    assert result["status"] == "succeeded"
    assert [stage.texts(channel) for channel in channels] == [["second try"]] * 3
    assert before["telegram:@alpha"] == []  # so that the next send gets others


async def test_what_is_not_yet_sent_is_cancelled(stage: Stage, channels: list[Chat]) -> None:
    stage.fault("flood_wait", seconds=100, chat=channels[0].id)
    async with publishing():
        await stage.request(text="floods alpha", targets=["telegram:@alpha"])

        async def alpha_is_blocked() -> bool:
            return bool(await stage.rows("SELECT FROM pacing WHERE blocked_until > now()"))

        await eventually(alpha_is_blocked)
        result = await stage.ended(await stage.request(text="never there", targets=TARGETS))
    assert [(target["status"], target["error"]) for target in result["targets"][:1]] == [
        ("cancelled", "not sent: another target failed")
    ]
    assert [stage.texts(channel) for channel in channels] == [[], [], []]


async def test_what_can_not_be_deleted_is_said_so(stage: Stage, channels: list[Chat]) -> None:
    stage.fault("delay", seconds=0.2, chat=channels[2].id)
    stage.fault("rpc_error", "channels.DeleteMessages", message="MESSAGE_DELETE_FORBIDDEN", chat=channels[1].id)
    async with publishing():
        result = await stage.ended(await stage.request(text="stays in beta", targets=TARGETS))
    assert [stage.texts(channel) for channel in channels] == [[], ["stays in beta"], []]
    assert result["status"] == "failed"
    assert result["targets"][1]["status"] == "succeeded"
    assert result["targets"][1]["error"].startswith("could not be deleted: MESSAGE_DELETE_FORBIDDEN")


async def test_a_deletion_is_repeated_until_it_is_confirmed(stage: Stage, channels: list[Chat]) -> None:
    stage.fault("delay", seconds=0.2, chat=channels[2].id)
    stage.fault("drop_after", "channels.DeleteMessages", chat=channels[1].id)
    stage.fault("flood_wait", "channels.DeleteMessages", seconds=1, chat=channels[0].id)
    async with publishing():
        result = await stage.ended(await stage.request(text="gone again", targets=TARGETS))
    assert [stage.texts(channel) for channel in channels] == [[], [], []]
    assert [target["status"] for target in result["targets"]] == ["cancelled", "cancelled", "failed"]


@pytest.mark.parametrize(
    ("target", "reason"),
    [("telegram:@nobody_there", "there is no @nobody_there"), ("telegram:-1009999999999", "not a member")],
)
async def test_a_place_that_is_not_there_fails(stage: Stage, target: str, reason: str) -> None:
    async with publishing():
        result = await stage.ended(await stage.request(text="hello", targets=[target]))
    assert result["status"] == "failed"
    assert reason in result["reason"]


async def test_the_result_belongs_to_the_trace_of_the_request(stage: Stage, channels: list[Chat]) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    heard = []

    async def result(message) -> None:  # type: ignore[no-untyped-def]
        heard.append(message.headers["traceparent"])

    await stage.nats.subscribe("publish.result", cb=result)
    async with publishing():
        headers = {"traceparent": f"00-{trace}-b7ad6b7169203331-01", "ce-id": "traced"}
        await stage.nats.jetstream().publish(
            "publish.requested", b'{"text": "hello", "targets": ["telegram:@alpha"]}', headers=headers
        )
        await stage.ended("traced")
    assert [found[3:35] for found in heard] == [trace]


async def test_a_request_waits_while_its_message_is_deleted(
    stage: Stage, channels: list[Chat], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request, "OPEN_PACKAGE_SECONDS", 0.2)
    stage.fault("delay", seconds=0.2, chat=channels[2].id)
    stage.fault("flood_wait", "channels.DeleteMessages", seconds=2, chat=channels[0].id)
    (post,) = await stage.posts(["once more"])
    async with publishing():
        first = await stage.request(post_id=post, targets=TARGETS)

        async def is_being_deleted() -> bool:
            return bool(await stage.rows("SELECT FROM publications WHERE status = 'succeeded' AND take_back"))

        await eventually(is_being_deleted)
        result = await stage.ended(await stage.request(post_id=post, targets=TARGETS[:1]))
        await stage.ended(first)
    assert result["status"] == "succeeded"
    assert stage.texts(channels[0]) == ["once more"]


async def test_what_is_given_back_after_the_package_failed_is_not_sent(stage: Stage, channels: list[Chat]) -> None:
    stage.fault("delay", seconds=0.5, chat=channels[0].id)
    stage.fault("flood_wait", seconds=2, chat=channels[0].id)
    await stage.request(text="before", targets=TARGETS[:1])
    failing = await stage.request(text="called off", targets=[TARGETS[0], TARGETS[2]])
    await stage.request(text="after", targets=TARGETS[:1])
    async with publishing():
        result = await stage.ended(failing)
        await stage.all_ended(4)
    assert [target["status"] for target in result["targets"]] == ["cancelled", "failed"]
    assert stage.texts(channels[0]) == ["before", "after"]
    assert "channels.DeleteMessages" not in stage.server.calls()


async def test_a_deletion_that_goes_wrong_ends_nothing_else(
    stage: Stage, channels: list[Chat], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rollback, "STUCK_SECONDS", 0.2)
    delete, broken = Telegram.delete, [ValueError("nobody thought of this")]

    async def deletes(self: Telegram, address: str, message_ids: tuple[int, ...]) -> None:
        if broken:
            raise broken.pop()
        await delete(self, address, message_ids)

    monkeypatch.setattr(Telegram, "delete", deletes)
    stage.fault("delay", seconds=0.2, chat=channels[2].id)
    async with publishing():
        result = await stage.ended(await stage.request(text="gone again", targets=TARGETS))
    assert [target["status"] for target in result["targets"]] == ["cancelled", "cancelled", "failed"]
    assert [stage.texts(channel) for channel in channels] == [[], [], []]
