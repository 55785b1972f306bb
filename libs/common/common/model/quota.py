"""The quota of an endpoint, which services share: a pause that it asks for holds for all, and low gives way to high.

Nobody knows how large the quota is, only that a 429 says that it is used up. So priority is a matter of turns: while
work of high priority waits, every tenth call may be one of low priority, and no more. That holds whether the quota is
short or not: calls that run at once may use it up the next moment.
"""

import asyncio
import hashlib
import logging
import random
from collections.abc import Callable, Sequence
from typing import Literal

from common.failures import Retry
from common.messaging.grouped import Grouped
from common.model.client import EndpointSettings
from common.model.gate import JITTER, PATIENCE_SECONDS, Gate
from common.postgres import UNREACHABLE, Database, Queries

log = logging.getLogger(__name__)

Priority = Literal["high", "low"]

LOW_PER_HIGH = 0.1  # calls of low priority that one of high priority makes room for
MOST_CREDIT = 3.0  # of these, when none of low priority comes: more would be a burst later on
WANTED_SECONDS = 3.0  # how long a sign of waiting work holds: longer than the pause between two signs
SIGN_SECONDS = 1.0
LOOK_SECONDS = 0.25  # how soon room is noticed
YIELD_SECONDS = 5.0  # how long a message stays away that found no room


class Quota:
    """One service's share in the quota of an endpoint. `behind` says whether more work waits for a free place."""

    def __init__(
        self, database: Database, settings: EndpointSettings, priority: Priority, behind: Callable[[], bool]
    ) -> None:
        self._database = database
        self._key = key_of(settings)
        self._priority = priority
        self._behind = behind
        self._sql = Queries.load(__package__, "quotas.sql")
        self._gate = Gate()  # what this process knows of the pause, so that it need not ask
        self._waiting = 0
        self._take: Grouped[None, bool] = Grouped(self._take_high if priority == "high" else self._take_low, lanes=1)

    async def passed(self) -> None:
        """Return when a call may be made. Raises Retry, without a notice, where that takes too long to wait for."""
        loop = asyncio.get_running_loop()
        patient_until = loop.time() + PATIENCE_SECONDS
        self._waiting += 1
        try:
            while True:
                await self._gate.passed(max(0.0, patient_until - loop.time()))
                if await self._take(None):
                    return
                if self._gate.closed:
                    continue
                if loop.time() > patient_until:
                    raise Retry(YIELD_SECONDS * (1 + random.uniform(0, JITTER)), "it gives way to work that goes first")
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            self._waiting -= 1

    async def limited(self, seconds: float, reason: str) -> None:
        """Let nothing pass anywhere for `seconds`: a call met the limit on the rate.

        Where it was one of low priority, the others go on: images, for example, may have a limit of their own. Where
        they have none, the next call of high priority will be told.
        """
        self.pause(seconds, reason)
        statement, change = ("close", LOW_PER_HIGH) if self._priority == "high" else ("close_low", MOST_CREDIT)
        try:
            await self._database.lax.execute(self._sql[statement], self._key, seconds, reason, change)
        except UNREACHABLE as error:
            log.warning("the pause is not told to others: %r", error)

    def pause(self, seconds: float, reason: str) -> None:
        """Let nothing pass in this process for `seconds`, where a person has to put something right.

        That it is right is found out by each process of its own, and at once by one that is started again.
        """
        self._gate.close(seconds, reason)

    def close(self) -> None:
        """Stop."""
        self._take.close()

    async def signal(self) -> None:
        """Say for ever, as long as it is so, that work of high priority waits."""
        while True:
            await asyncio.sleep(SIGN_SECONDS)
            if self._priority == "high" and (self._waiting or self._behind()):
                try:
                    await self._database.lax.execute(self._sql["want"], self._key, WANTED_SECONDS)
                except UNREACHABLE as error:
                    log.debug("quota: %r", error)

    async def _take_high(self, calls: list[None]) -> Sequence[bool]:
        row = await self._database.fetchrow(
            self._sql["take_high"],
            self._key,
            len(calls),
            self._waiting > len(calls) or self._behind(),
            LOW_PER_HIGH,
            MOST_CREDIT,
            WANTED_SECONDS,
        )
        assert row
        return [self._open(row["wait"], row["reason"])] * len(calls)

    async def _take_low(self, calls: list[None]) -> Sequence[bool]:
        row = await self._database.fetchrow(self._sql["take_low"], self._key, len(calls))
        if row is None:  # nobody else has ever called
            return [True] * len(calls)
        self._open(row["wait"], row["reason"])
        return [place < row["number"] for place in range(len(calls))]

    def _open(self, wait: float, reason: str) -> bool:
        if wait > 0:
            self._gate.close(wait, reason)
        return wait <= 0


def key_of(settings: EndpointSettings) -> str:
    """Return what tells quotas apart: who has another key has another quota. It tells nothing of the key."""
    told = f"{settings.openai_base_url.rstrip('/')}\n{settings.openai_api_key.get_secret_value()}"
    return hashlib.sha256(told.encode()).hexdigest()[:32]
