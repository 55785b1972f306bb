"""The bot's session: kept, lost, and made anew."""

import asyncio
from typing import cast

import pytest

from common.sends import Away
from common.service import Service
from common.testing.waiting import eventually
from publisher import sending
from publisher.adapters.telegram import Telegram
from publisher.app import tell_of_death
from sandbox.telegram import TelegramServer

from .conftest import Stage, publishing

SIGN_IN = "auth.ImportBotAuthorization"


async def test_a_restart_does_not_sign_in_again(stage: Stage) -> None:
    channel = stage.channel("kept")
    for text in ("before", "after"):
        async with publishing():
            await stage.ended(await stage.request(text=text, targets=["telegram:@kept"]))
    assert stage.texts(channel) == ["before", "after"]
    assert stage.server.calls()[SIGN_IN] == 1
    assert stage.server.calls()["contacts.ResolveUsername"] == 1
    (row,) = await stage.rows("SELECT name, session FROM telegram_sessions")
    assert row["name"] == "publisher-1"
    assert stage.bot.token.encode() not in row["session"]


async def test_a_revoked_session_is_signed_in_again(stage: Stage) -> None:
    channel = stage.channel("revoked")
    async with publishing():
        await stage.ended(await stage.request(text="before", targets=["telegram:@revoked"]))
        stage.fault("revoke")
        result = await stage.ended(await stage.request(text="after", targets=["telegram:@revoked"]))
        (notice,) = await stage.notices("publisher.session_dead")
    assert result["status"] == "succeeded"
    assert stage.texts(channel) == ["before", "after"]
    assert stage.server.calls()[SIGN_IN] == 2
    assert "SESSION_REVOKED" in notice["title"]


async def test_lanes_wait_while_telegram_is_away(stage: Stage) -> None:
    channel = stage.channel("away")
    port, key = stage.server.port, stage.server._server_key
    async with publishing():
        await stage.ended(await stage.request(text="before", targets=["telegram:@away"]))
        await stage.server.stop()
        await stage.request(text="after", targets=["telegram:@away"])

        async def unwell() -> bool:
            beats = await stage.rows("SELECT detail FROM service_beats WHERE service = 'publisher'")
            return bool(beats) and "telegram" in beats[0]["detail"]

        await eventually(unwell)
        stage.server = TelegramServer(stage.world, stage.faults, port=port)
        stage.server._server_key = key
        await stage.server.start()
        rows = await stage.all_ended(2)
        await asyncio.sleep(0)
    await stage.server.stop()
    assert [row["status"] for row in rows] == ["succeeded", "succeeded"]
    assert [row["attempts"] for row in rows] == [0, 0]
    assert stage.texts(channel) == ["before", "after"]


async def test_two_replicas_have_two_sessions(stage: Stage) -> None:
    stage.channel("twins")
    async with publishing(), publishing():

        async def both() -> bool:
            return len(await stage.rows("SELECT FROM telegram_sessions")) == 2

        await eventually(both)
        result = await stage.ended(await stage.request(text="once", targets=["telegram:@twins"]))
    assert result["status"] == "succeeded"


async def test_a_lane_that_can_not_be_used_is_left_to_another_replica(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "PATIENCE_SECONDS", 0.5)
    channel, ready = stage.channel("left"), Telegram.ready
    broken: list[Telegram] = []

    async def is_ready(self: Telegram) -> None:
        if not broken:
            broken.append(self)
        if self in broken:
            raise Away("this one's session is broken")
        await ready(self)

    monkeypatch.setattr(Telegram, "ready", is_ready)
    await stage.request(text="by the other one", targets=["telegram:@left"])
    async with publishing():

        async def one_tries() -> bool:
            return bool(broken)

        await eventually(one_tries)
        async with publishing():
            await stage.all_ended(1)
    assert stage.texts(channel) == ["by the other one"]


async def test_a_death_that_can_not_be_told_ends_nothing() -> None:
    class Deaf:
        async def emit(self, *_: object, **__: object) -> None:
            raise ConnectionRefusedError("no database")

    await tell_of_death(cast("Service", Deaf()), "publisher-1", "SESSION_REVOKED")
