"""What is remembered for a moment, and the gate."""

import asyncio

import pytest

from common.failures import Retry
from rewriter.adapters.gate import Gate
from rewriter.memory import Remembered


class Source:
    """Counts what it is asked for; fails while `broken`."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.broken = False

    async def load(self, key: str) -> str:
        self.asked.append(key)
        await asyncio.sleep(0)
        if self.broken:
            raise OSError("away")
        return key.upper()


async def test_those_who_ask_at_once_share_an_answer() -> None:
    source = Source()
    remembered = Remembered(source.load, seconds=60)
    assert await asyncio.gather(*(remembered(key) for key in "aabab")) == list("AABAB")
    assert await remembered("a") == "A"
    assert source.asked == ["a", "b"]


async def test_an_answer_is_forgotten() -> None:
    source = Source()
    remembered = Remembered(source.load, seconds=0)
    assert [await remembered("a"), await remembered("a")] == ["A", "A"]
    assert source.asked == ["a", "a"]


async def test_a_failure_is_not_remembered() -> None:
    source = Source()
    remembered = Remembered(source.load, seconds=60)
    source.broken = True
    outcomes = await asyncio.gather(remembered("a"), remembered("a"), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [OSError, OSError]
    source.broken = False
    assert await remembered("a") == "A"


async def test_who_gives_up_leaves_the_answer_to_the_others() -> None:
    source = Source()
    remembered = Remembered(source.load, seconds=60)
    first, second = asyncio.create_task(remembered("a")), asyncio.create_task(remembered("a"))
    await asyncio.sleep(0)
    first.cancel()
    assert await second == "A"
    assert source.asked == ["a"]


async def test_a_gate_lets_pass_when_it_opens() -> None:
    gate = Gate()
    await gate.passed()
    gate.close(0.05, "wait")
    loop = asyncio.get_running_loop()
    started = loop.time()
    await gate.passed()
    assert loop.time() - started >= 0.05


async def test_a_gate_that_stays_closed_sends_away() -> None:
    gate = Gate()
    gate.close(300, "a wrong key")
    gate.close(1, "busy")
    with pytest.raises(Retry, match="a wrong key") as raised:
        await gate.passed()
    assert 299 < raised.value.after < 331
    assert raised.value.notice is None
