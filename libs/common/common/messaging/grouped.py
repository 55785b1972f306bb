"""Calls made one by one, carried out together."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")

BUSY_FROM = 9  # a group this large says that there is load


class Grouped(Generic[Item, Outcome]):
    """Turns single calls into group calls, as a database turns commits into flushes of its log.

    A lane takes everything that waits. So groups are small when idle, which adds no latency, and grow by themselves
    under load, while the previous one is being carried out. `linger` seconds make them larger still, but only once
    there is load: a lone call never waits for company. `busy_from` is the size of a group that says so.
    """

    def __init__(
        self,
        flush: Callable[[list[Item]], Awaitable[Sequence[Outcome | Exception]]],
        *,
        lanes: int = 2,
        limit: int = 200,
        linger: float = 0.0,
        busy_from: int = BUSY_FROM,
    ) -> None:
        self._flush = flush
        self._busy_from = busy_from
        self._limit = limit
        self._linger = linger
        self._waiting: list[tuple[Item, asyncio.Future[Outcome]]] = []
        self._wake = asyncio.Event()
        self._busy = False
        self._lanes = [asyncio.create_task(self._lane()) for _ in range(lanes)]

    def __call__(self, item: Item) -> "asyncio.Future[Outcome]":
        """Hand over one item; the future has its outcome once its group was carried out."""
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        self._wake.set()
        return future

    def close(self) -> None:
        """Stop; whoever still waits is cancelled with the task it runs in."""
        for lane in self._lanes:
            lane.cancel()

    async def _lane(self) -> None:
        while True:
            await self._wake.wait()
            await asyncio.sleep(self._linger if self._busy else 0)
            group, self._waiting = self._waiting[: self._limit], self._waiting[self._limit :]
            if not self._waiting:
                self._wake.clear()
            self._busy = len(group) >= self._busy_from
            if group:
                await self._carry_out(group)

    async def _carry_out(self, group: "list[tuple[Item, asyncio.Future[Outcome]]]") -> None:
        outcomes: Sequence[Outcome | Exception]
        try:
            outcomes = await self._flush([item for item, _ in group])
        except Exception as error:
            outcomes = [error] * len(group)
        for (_, future), outcome in zip(group, outcomes, strict=True):
            if future.done():
                continue
            if isinstance(outcome, Exception):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)
