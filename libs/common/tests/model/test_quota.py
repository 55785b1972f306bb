"""The quota that services share, in PostgreSQL: pauses for all, turns for what goes first."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from common.failures import Retry
from common.model import quota as module
from common.model.client import EndpointSettings
from common.model.quota import Priority, Quota, key_of
from common.postgres import Database
from common.testing.waiting import eventually

SETTINGS = EndpointSettings(_env_file=None, openai_api_key="sk-test", openai_base_url="https://models.example/v1")


def never() -> bool:
    return False


@asynccontextmanager
async def quota(
    database: Database, priority: Priority, behind: Callable[[], bool] = never, settings: EndpointSettings = SETTINGS
) -> AsyncIterator[Quota]:
    """One service's share."""
    share = Quota(database, settings, priority, behind)
    signal = asyncio.create_task(share.signal())
    try:
        yield share
    finally:
        signal.cancel()
        share.close()


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for long."""
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.0)
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.01)


async def passing(share: Quota, number: int) -> int:
    """How many of so many calls at once may be made."""
    outcomes = await asyncio.gather(*(share.passed() for _ in range(number)), return_exceptions=True)
    assert all(outcome is None or isinstance(outcome, Retry) for outcome in outcomes), outcomes
    return outcomes.count(None)


async def test_whatever_is_of_low_priority_passes_while_nothing_else_waits(database: Database) -> None:
    async with quota(database, "low") as low, quota(database, "high") as high:
        assert await passing(low, 20) == 20
        assert await passing(high, 20) == 20
        assert await passing(low, 20) == 20


async def test_every_tenth_may_be_of_low_priority_while_more_waits(database: Database) -> None:
    async with quota(database, "low") as low, quota(database, "high", lambda: True) as high:
        assert await passing(high, 20) == 20
        assert await passing(low, 20) == 2
        assert await passing(low, 20) == 0
        assert await passing(high, 9) == 9
        assert await passing(low, 20) == 0
        assert await passing(high, 1) == 1
        assert await passing(low, 20) == 1


async def test_room_that_nobody_takes_does_not_add_up(database: Database) -> None:
    async with quota(database, "low") as low, quota(database, "high", lambda: True) as high:
        assert await passing(high, 500) == 500
        assert await passing(low, 20) == 3


async def test_replicas_share_the_room(database: Database, database_url: str) -> None:
    async with (
        quota(database, "high", lambda: True) as high,
        Database.connect(database_url) as other,
        quota(database, "low") as one,
        quota(other, "low") as two,
    ):
        await passing(high, 30)
        assert sum(await asyncio.gather(passing(one, 20), passing(two, 20))) == 3


async def test_who_has_found_no_room_comes_back_soon(database: Database) -> None:
    async with quota(database, "low") as low, quota(database, "high", lambda: True) as high:
        await high.passed()
        with pytest.raises(Retry, match="gives way") as raised:
            await low.passed()
        assert 5 <= raised.value.after <= 6
        assert raised.value.notice is None


async def test_a_sign_of_waiting_work_ends_with_it(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SIGN_SECONDS", 0.01)
    monkeypatch.setattr(module, "WANTED_SECONDS", 0.1)
    waits = True
    async with quota(database, "low") as low, quota(database, "high", lambda: waits) as high:
        await high.passed()
        await asyncio.sleep(0.3)  # longer than one sign holds
        assert await passing(low, 1) == 0
        waits = False

        async def free() -> bool:
            return await passing(low, 5) == 5

        await eventually(free)


async def test_a_pause_that_one_of_high_priority_was_asked_for_is_for_all(database: Database) -> None:
    async with quota(database, "low") as low, quota(database, "high") as high, quota(database, "high") as other:
        await high.limited(100, "slow down")
        for share in (high, other, low):
            with pytest.raises(Retry, match="slow down") as raised:
                await share.passed()
            assert 95 <= raised.value.after <= 110


async def test_a_pause_that_one_of_low_priority_was_asked_for_is_for_its_like(database: Database) -> None:
    async with quota(database, "low") as low, quota(database, "low") as other, quota(database, "high") as high:
        await low.limited(100, "no more images")
        with pytest.raises(Retry, match="no more images"):
            await other.passed()
        assert await passing(high, 5) == 5


async def test_who_meets_a_limit_has_had_no_turn(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 1.0)  # longer than a pause
    async with quota(database, "low") as low, quota(database, "high", lambda: True) as high:
        assert await passing(high, 10) == 10
        for _ in range(5):
            await high.limited(0.01, "slow down")
        assert await passing(low, 1) == 0
        assert await passing(high, 5) == 5
        assert await passing(low, 1) == 1
        await low.limited(0.01, "slow down")
        assert await passing(low, 2) == 1


async def test_a_pause_for_a_person_ends_with_the_process(database: Database) -> None:
    async with quota(database, "high") as high, quota(database, "high") as other:
        high.pause(300, "a wrong key")
        with pytest.raises(Retry, match="a wrong key"):
            await high.passed()
        await other.passed()


async def test_another_key_is_another_quota(database: Database) -> None:
    theirs = SETTINGS.model_copy(update={"openai_base_url": "https://images.example/v1"})
    assert key_of(SETTINGS) == key_of(SETTINGS.model_copy(update={"openai_base_url": "https://models.example/v1/"}))
    assert "sk-test" not in key_of(SETTINGS)
    async with quota(database, "high", lambda: True) as high, quota(database, "low", settings=theirs) as low:
        await passing(high, 5)
        await high.limited(100, "slow down")
        assert await passing(low, 20) == 20
