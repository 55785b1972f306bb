"""Waiting for a condition, never for luck."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

Value = TypeVar("Value")


async def eventually(probe: Callable[[], Awaitable[Value]], *, within: float = 20.0, every: float = 0.02) -> Value:
    """Return the first true value of `probe`; fail, showing the last one, when there is none `within` seconds."""
    loop = asyncio.get_running_loop()
    end = loop.time() + within
    while True:
        value = await probe()
        if value:
            return value
        if loop.time() > end:
            raise AssertionError(f"still {value!r} after {within:g} s")
        await asyncio.sleep(every)
