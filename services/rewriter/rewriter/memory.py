"""Remembering for a moment what many messages in a row ask for."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

MOST = 1000  # answers kept at once


class Remembered(Generic[Key, Value]):
    """Answers of `load`, each kept for `seconds`. Whoever asks at the same time waits for the same answer."""

    def __init__(self, load: Callable[[Key], Awaitable[Value]], seconds: float) -> None:
        self._load = load
        self._seconds = seconds
        self._answers: dict[Key, tuple[float, asyncio.Future[Value]]] = {}

    async def __call__(self, key: Key) -> Value:
        """Return the answer for `key`, or raise what `load` raised; a failure is not remembered."""
        now = time.monotonic()
        until, answer = self._answers.get(key, (0.0, None))
        if answer is None or until <= now:
            self._forget_old(now)
            answer = asyncio.ensure_future(self._load(key))
            answer.add_done_callback(lambda done: self._forget_failure(key, done))
            self._answers[key] = now + self._seconds, answer
        return await asyncio.shield(answer)  # one who gives up must not take the answer from the others

    def _forget_old(self, now: float) -> None:
        if len(self._answers) >= MOST:
            self._answers = {key: kept for key, kept in self._answers.items() if kept[0] > now}

    def _forget_failure(self, key: Key, done: "asyncio.Future[Value]") -> None:
        if (done.cancelled() or done.exception()) and self._answers.get(key, (0.0, None))[1] is done:
            del self._answers[key]
