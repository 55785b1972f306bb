"""Sweep the object store: what no post has is not kept for ever."""

import asyncio
import logging

import asyncpg

from common.leases import LeaseLost, Leases
from common.media.keeping import Keeper
from common.media.store import StoreUnavailable
from common.postgres import UNREACHABLE
from imagegen.metering import ImageMetrics

log = logging.getLogger(__name__)

LEASE = "imagegen-sweep"


class Sweeper:
    """Sweeps every `pause` seconds, in one replica at a time. An image that no post has is kept for `grace` seconds."""

    def __init__(self, keeper: Keeper, leases: Leases, metrics: ImageMetrics, *, pause: float, grace: float) -> None:
        self._keeper = keeper
        self._leases = leases
        self._metrics = metrics
        self._pause = pause
        self._grace = grace

    async def run(self) -> None:
        """Sweep for ever."""
        while True:
            try:
                async with self._leases.held(LEASE):
                    while True:
                        await self._sweep()
                        await asyncio.sleep(self._pause)
            except LeaseLost:
                log.warning("another replica sweeps now")

    async def _sweep(self) -> None:
        try:
            swept = await self._keeper.gc(self._grace)
        except (StoreUnavailable, asyncpg.PostgresError, *UNREACHABLE) as error:
            log.warning("the images could not be swept: %s", error)
            return
        self._metrics.swept(swept)
        if not swept.nothing:
            log.info("the images are swept: %s", swept)
