"""A paused queue: its lanes stand still, through restarts, and go on in order."""

import pytest

from common.queues.control import Enforcement, QueueControl
from common.queues.standing import standing
from common.testing.waiting import eventually

from .conftest import Stage, publishing

pytestmark = pytest.mark.usefixtures("stage")

QUEUES = ["publish_queue"]


async def bring(stage: Stage) -> list[str]:
    late = await Enforcement(stage.database, stage.nats).bring(QUEUES, by="cli:me", patience=10.0)
    return [replica.service for replica in late]


async def a_while_passes(stage: Stage) -> None:
    """Wait until the publisher could have sent: it is ready, and has looked again by itself, three seconds later."""

    async def it_is_ready() -> bool:
        return bool(await stage.rows("SELECT FROM service_beats WHERE service = 'publisher' AND ready"))

    await eventually(it_is_ready)
    [[then]] = await stage.rows("SELECT max(seen_at) FROM queue_replicas")

    async def it_has_looked_again() -> bool:
        return bool(await stage.rows("SELECT FROM queue_replicas WHERE seen_at > $1", then))

    await eventually(it_has_looked_again)


async def test_lanes_stand_still_while_the_queue_is_paused(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    channel, control = stage.channel("still"), QueueControl(stage.database)
    texts = [f"post {number}" for number in range(60)]
    for post in await stage.posts(texts[:50]):
        await stage.request(post_id=post, targets=["telegram:@still"])
    for name in ("TELEGRAM_POSTS_PER_HOUR", "TELEGRAM_CHAT_MESSAGES_PER_SECOND", "TELEGRAM_MESSAGES_PER_SECOND"):
        monkeypatch.setenv(name, "36000" if name.endswith("HOUR") else "10")
    monkeypatch.setenv("PUBLISH_PACING", "real")  # so that there is a middle to pause in
    async with publishing():

        async def some_are_sent() -> bool:
            return len(stage.texts(channel)) >= 5

        await eventually(some_are_sent)
        await control.pause(QUEUES, by="cli:me", reason="the channel moves")
        assert await bring(stage) == []

        async def nothing_is_being_sent() -> bool:
            return not await stage.rows("SELECT FROM publications WHERE status = 'in_progress'")

        await eventually(nothing_is_being_sent)
        sent = len(stage.texts(channel))
        assert 5 <= sent < 50
        await a_while_passes(stage)
        assert len(stage.texts(channel)) == sent
    monkeypatch.setenv("PUBLISH_PACING", "off")
    async with publishing():
        for post in await stage.posts(texts[50:]):
            await stage.request(post_id=post, targets=["telegram:@still"])
        assert await bring(stage) == []
        await a_while_passes(stage)
        queue = next(each for each in await standing(stage.database, stage.nats.jetstream()) if each.queue in QUEUES)
        assert queue.pause is not None
        assert queue.behind is not None
        assert (queue.pause.reason, queue.eta_seconds) == ("the channel moves", None)
        assert (queue.waiting, queue.behind.behind, queue.behind.running) == (10, 50 - sent, 0)
        assert queue.backlog == 60 - sent
        assert len(stage.texts(channel)) == sent
        assert await control.resume(QUEUES) == QUEUES
        assert await bring(stage) == []
        await stage.all_ended(len(texts))
    assert stage.texts(channel) == texts
