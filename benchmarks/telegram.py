"""The sandbox's Telegram in this process, and single services before it."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sandbox.faults import Faults
from sandbox.telegram import Store, TelegramServer, World

GRACE_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class BenchTelegram:
    """Telegram without limits, in memory. `environment` leads a service to it."""

    world: World
    server: TelegramServer

    @property
    def environment(self) -> dict[str, str]:
        """The settings of a service."""
        return {
            "TELEGRAM_SERVER": f"127.0.0.1:{self.server.port}",
            "TELEGRAM_SERVER_PUBLIC_KEY": self.server.public_key_pem,
        }


@asynccontextmanager
async def bench_telegram() -> AsyncIterator[BenchTelegram]:
    """Run it for a block."""
    world = World(Store(None))
    server = TelegramServer(world, Faults())
    await server.start()
    try:
        yield BenchTelegram(world, server)
    finally:
        await server.stop()
        world.store.close()


@asynccontextmanager
async def running(service: str, environment: Mapping[str, str]) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a service as a process of its own for a block; its log goes nowhere."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", service, env={**os.environ, **environment, "LOG_LEVEL": "WARNING"}
    )
    try:
        yield process
    finally:
        process.terminate()
        await asyncio.wait_for(process.wait(), GRACE_SECONDS)
