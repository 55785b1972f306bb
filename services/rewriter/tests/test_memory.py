"""What is remembered for a moment."""

import asyncio

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
