"""One measured run of one hop, in a process of its own: `python -m benchmarks.hop_run JSON` prints a line of JSON."""

import asyncio
import gc
import logging
import sys
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Literal, TypeAlias

import asyncpg
import nats
import uvloop
from nats.aio.client import Client
from nats.aio.msg import Msg
from pydantic import BaseModel, SecretStr

from benchmarks.figures import quantile
from benchmarks.hop_messages import Handled, arrivals
from benchmarks.hop_variants import Start, bare_hop, full_hop
from benchmarks.watched import traced_hop, unwatched_hop, watched_hop
from common.service import ServiceSettings

Variant: TypeAlias = Literal["bare", "full", "unwatched", "traced", "watched"]
Mode: TypeAlias = Literal["steady", "slow", "idle"]

PATIENCE_SECONDS = 300.0
IDLE_PAUSE_SECONDS = 0.03
HOPS: dict[Variant, Callable[..., AbstractAsyncContextManager[Start]]] = {
    "bare": bare_hop,
    "full": full_hop,
    "unwatched": unwatched_hop,
    "traced": traced_hop,
    "watched": watched_hop,
}
WARM_UP = 5  # messages whose latency is not counted: connections and statements are still being made


class HopRun(BaseModel):
    """What to measure, and on which servers. Database and streams are migrated, and empty."""

    variant: Variant
    mode: Mode
    messages: int
    nats_url: str
    database_url: str


class HopFigures(BaseModel):
    """What one run took. Latency is from the send of a message to the sight of its answer, in idle runs only."""

    variant: Variant
    mode: Mode
    messages: int
    seconds: float
    messages_per_second: float
    cpu_us_per_message: float
    latency_p50_ms: float | None = None
    latency_p99_ms: float | None = None


class FarEnd:
    """Sees every answer as it is published, over a connection of its own."""

    def __init__(self, expected: int, *, timed: bool) -> None:
        self.latencies: list[float] = []  # seconds
        self._missing = expected
        self._timed = timed
        self._all = asyncio.Event()

    async def see(self, message: Msg) -> None:
        """Count an answer."""
        if self._timed:
            self.latencies.append(time.time() - Handled.model_validate_json(message.data).sent_at)
        self._missing -= 1
        if self._missing == 0:
            self._all.set()

    async def seen_all(self) -> None:
        """Wait for the last one."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self._all.wait()


async def measure(run: HopRun) -> HopFigures:
    """Carry out one run. Raises TimeoutError or AssertionError where the hop loses or doubles something."""
    settings = ServiceSettings(
        database_url=SecretStr(run.database_url), nats_url=SecretStr(run.nats_url), _env_file=None
    )  # type: ignore[call-arg]
    client = await nats.connect(run.nats_url)
    end = FarEnd(run.messages, timed=run.mode == "idle")
    await client.subscribe(Handled.subject, cb=end.see)
    async with HOPS[run.variant](settings, slow=run.mode == "slow") as start:
        if run.mode == "idle":
            await start()
            await asyncio.sleep(0.5)
        else:
            await feed(client, run.messages)
        gc.collect()
        cpu, clock = time.process_time(), time.perf_counter()
        if run.mode == "idle":
            await feed_slowly(client, run.messages)
        else:
            await start()
        await end.seen_all()
        seconds, cpu = time.perf_counter() - clock, time.process_time() - cpu
    if run.variant != "bare":
        await verify(run)
    await client.close()
    latencies = [latency * 1000 for latency in end.latencies[WARM_UP:]]
    return HopFigures(
        variant=run.variant,
        mode=run.mode,
        messages=run.messages,
        seconds=round(seconds, 3),
        messages_per_second=round(run.messages / seconds, 1),
        cpu_us_per_message=round(cpu / run.messages * 1e6, 1),
        latency_p50_ms=round(quantile(latencies, 0.5), 2) if latencies else None,
        latency_p99_ms=round(quantile(latencies, 0.99), 2) if latencies else None,
    )


async def feed(client: Client, count: int) -> None:
    """Put all messages into the stream."""
    stream = client.jetstream(publish_async_max_pending=count)
    sent = [
        await stream.publish_async(event.subject, event.payload, headers=dict(event.headers))
        for event in arrivals(count)
    ]
    await asyncio.gather(*sent)


async def feed_slowly(client: Client, count: int) -> None:
    """Put one message at a time into the stream, each when its predecessor is long through."""
    stream = client.jetstream()
    for event in arrivals(count):
        await stream.publish(event.subject, event.payload, headers=dict(event.headers))
        await asyncio.sleep(IDLE_PAUSE_SECONDS)


async def verify(run: HopRun) -> None:
    """Make sure that what was measured was whole: every job succeeded, has its row, and left nothing behind."""
    database = await asyncpg.connect(run.database_url)
    jobs = await database.fetchval("SELECT count(*) FROM jobs WHERE status = 'succeeded'")
    rows = await database.fetchval(
        "SELECT count(DISTINCT event_id) FROM results HAVING count(*) = count(DISTINCT event_id)"
    )
    outbox = await database.fetchval("SELECT count(*) FROM outbox")
    await database.close()
    assert (jobs, rows, outbox) == (run.messages, run.messages, 0), (jobs, rows, outbox)


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(runner.run(measure(HopRun.model_validate_json(sys.argv[1]))).model_dump_json(), flush=True)
