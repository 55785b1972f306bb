"""Waiting: for the platform, and for the pace."""

import time
from itertools import pairwise

import pytest

from common.catalog import Catalog
from common.testing.waiting import eventually

from .conftest import Stage, publishing

FIVE = [f"post {number}" for number in range(5)]


async def test_a_short_flood_wait_is_waited_out_in_order(stage: Stage) -> None:
    channel = stage.channel("flooded")
    posts = await stage.posts(FIVE)
    for post in posts:
        await stage.request(post_id=post, targets=["telegram:@flooded"])
    stage.fault("flood_wait", seconds=3)
    started = time.monotonic()
    async with publishing():
        rows = await stage.all_ended(5)
    assert time.monotonic() - started >= 3
    assert stage.texts(channel) == FIVE
    assert [row["attempts"] for row in rows] == [0] * 5


@pytest.mark.parametrize("kind", ["flood_wait", "slow_mode"])
async def test_a_long_wait_of_one_chat_stops_no_other(stage: Stage, kind: str) -> None:
    waiting, going = stage.channel("waiting"), stage.channel("going")
    stage.fault(kind, seconds=100, chat=waiting.id)
    for post in await stage.posts(FIVE):
        await stage.request(post_id=post, targets=["telegram:@waiting"])
        await stage.request(post_id=post, targets=["telegram:@going"])
    async with publishing():
        rows = await stage.all_ended(5)
    assert stage.texts(going) == FIVE
    assert stage.texts(waiting) == []
    held = [row for row in rows if row["destination"] == "telegram:@waiting"]
    assert {(row["status"], row["first_try_at"], row["attempts"]) for row in held} == {("queued", None, 0)}
    (blocked,) = await stage.rows(
        "SELECT extract(epoch FROM blocked_until - now())::int AS left FROM pacing WHERE key = 'telegram:@waiting'"
    )
    assert 90 < blocked["left"] <= 100
    assert stage.server.calls()["messages.SendMessage"] == 6  # nobody asks again before the time is over


async def test_flood_waits_in_three_chats_stop_the_account(stage: Stage) -> None:
    names = ["one", "two", "three"]
    for name in names:
        stage.fault("flood_wait", seconds=100, chat=stage.channel(name).id)
    stage.channel("fourth")
    async with publishing():
        for name in names:
            await stage.request(text=f"to {name}", targets=[f"telegram:@{name}"])

        async def account_is_blocked() -> bool:
            return bool(await stage.rows("SELECT FROM pacing WHERE key = 'telegram:account' AND blocked_until > now()"))

        await eventually(account_is_blocked)
        await stage.request(text="to the fourth", targets=["telegram:@fourth"])
        await eventually(lambda: stage.rows("SELECT FROM publications WHERE destination = 'telegram:@fourth'"))
    assert stage.server.calls()["messages.SendMessage"] == 3


async def test_a_destination_keeps_its_pace(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUBLISH_PACING", "real")
    monkeypatch.setenv("TELEGRAM_CHAT_MESSAGES_PER_SECOND", "5")
    channel = stage.channel("paced")
    await Catalog(stage.database).put_destination("telegram:@Paced", posts_per_hour=3600 * 3)
    for post in await stage.posts(FIVE):
        await stage.request(post_id=post, targets=["telegram:@paced"])
    async with publishing():
        await stage.all_ended(5)
    sent = [message.date for message in stage.world.messages(channel.id)]
    assert stage.texts(channel) == FIVE
    assert min(later - earlier for earlier, later in pairwise(sent)) > 0.25


async def test_a_group_has_its_own_pace(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUBLISH_PACING", "real")
    monkeypatch.setenv("TELEGRAM_POSTS_PER_HOUR", "360000")
    stage.world.add_channel("group", "group", stage.owner, "megagroup", admins=[stage.bot])
    async with publishing():
        await stage.ended(await stage.request(text="hello", targets=["telegram:@group"]))
    paces = {row["key"] for row in await stage.rows("SELECT key FROM pacing")}
    assert paces == {f"telegram:@group{kind}" for kind in ("", "/chat", "/group")} | {"telegram:account"}
