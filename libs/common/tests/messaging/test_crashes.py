"""Kill -9 of the worker, of NATS and of PostgreSQL, over two hops: nothing is lost, nothing is doubled.

Two negative controls break delivery on purpose, and show that the test would notice.
"""

import asyncio
import json
import os
import random
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import nats
import pytest
from nats.aio.client import Client

from common.messaging.streams import migrate_topology
from common.postgres import migrate
from common.testing import trial
from common.testing.dying import STEPS
from common.testing.waiting import eventually
from embedded import NatsServer, PostgresServer

DYING = Path(__file__).parents[4] / "tests" / "dying"


class Trial:
    """Servers of its own, a worker that can be killed, and what came of the messages."""

    def __init__(self, directory: Path, sabotage: str = "") -> None:
        self.nats = NatsServer(directory / "nats").start()
        self.postgres = PostgresServer(directory / "postgres", settings={"fsync": "off"}).start()
        self.sent = 0
        self.env = {"TRIAL_SABOTAGE": sabotage}
        self._log = directory / "worker.log"

    @asynccontextmanager
    async def worker(self) -> AsyncIterator[asyncio.subprocess.Process]:
        """A worker process, which has begun to work; it is killed at the end of the block."""
        env = os.environ | self.env | {"DATABASE_URL": self.postgres.dsn, "NATS_URL": self.nats.url}
        with self._log.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "common.testing.trial", env=env, stdout=asyncio.subprocess.PIPE, stderr=log
            )
        assert process.stdout
        line = await asyncio.wait_for(process.stdout.readline(), 60)
        assert line == b"ready\n", self._log.read_text()[-2000:]
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()

    async def publish(self, count: int) -> None:
        """Publish `count` numbered messages, each until the stream has it."""
        client = await eventually(self._connected)
        for _ in range(count):
            body = json.dumps({"number": self.sent}).encode()
            while True:
                try:
                    header = {"Nats-Msg-Id": f"m{self.sent}"}
                    await client.jetstream().publish("trial.first", body, headers=header, timeout=1)
                    break
                except (TimeoutError, nats.errors.Error):
                    await asyncio.sleep(0.1)
            self.sent += 1
        await client.close()

    async def _connected(self) -> Client | None:
        try:
            return await nats.connect(
                self.nats.url, max_reconnect_attempts=-1, reconnect_time_wait=0.2, error_cb=unmoved
            )
        except (OSError, nats.errors.Error):  # it is being restarted
            return None

    async def drained(self, within: float) -> None:
        """Wait until every consumer is idle and the outbox is empty."""
        connection = await asyncpg.connect(self.postgres.dsn)
        client = await nats.connect(self.nats.url)

        async def idle() -> bool:
            infos = [await client.jetstream().consumer_info("TRIAL", durable) for durable in ("first", "second")]
            quiet = all(info.num_pending == 0 and info.num_ack_pending == 0 for info in infos)
            return quiet and await connection.fetchval("SELECT count(*) = 0 FROM outbox")

        try:
            await eventually(idle, within=within, every=0.1)
        finally:
            await client.close()
            await connection.close()

    async def flaws(self) -> list[str]:
        """Say what is lost or doubled."""
        connection = await asyncpg.connect(self.postgres.dsn)
        found = []
        for table in ("first_results", "second_results"):
            row = await connection.fetchrow(f"SELECT count(*) AS rows, count(DISTINCT number) AS numbers FROM {table}")
            assert row
            if row["numbers"] != self.sent:
                found.append(f"{table}: {self.sent - row['numbers']} lost")
            if row["rows"] != row["numbers"]:
                found.append(f"{table}: {row['rows'] - row['numbers']} doubled")
        unfinished = await connection.fetchval(
            "SELECT count(*) FROM jobs WHERE status <> 'succeeded' AND consumer IN ('first', 'second')"
        )
        if unfinished:
            found.append(f"{unfinished} jobs did not succeed")
        await connection.close()
        return found

    async def run(self, kills: int, burst: int, *, seed: int) -> None:
        """Kill a worker `kills` times while `burst` messages come in each time, NATS and PostgreSQL once each."""
        chance = random.Random(seed)
        for number in range(kills):
            async with self.worker():
                publishing = asyncio.create_task(self.publish(burst))
                if number == kills // 3:
                    await asyncio.to_thread(self.nats.kill)
                    await asyncio.to_thread(self.nats.start)
                if number == 2 * kills // 3:
                    await asyncio.to_thread(self.postgres.kill)
                    await asyncio.to_thread(self.postgres.start)
                await asyncio.sleep(chance.uniform(0.01, 0.35))
            await publishing

    def stop(self) -> None:
        self.nats.stop()
        self.postgres.stop()


async def unmoved(_error: Exception) -> None:
    """Errors of a connection to a server that is killed are part of the trial."""


@asynccontextmanager
async def a_trial(directory: Path, sabotage: str = "") -> AsyncIterator[Trial]:
    trial_run = Trial(directory, sabotage)
    try:
        await migrate(trial_run.postgres.dsn)
        await trial.create_tables(trial_run.postgres.dsn)
        client = await nats.connect(trial_run.nats.url)
        await migrate_topology(client.jetstream(), trial.CONTRACTS)
        await client.close()
        yield trial_run
    finally:
        trial_run.stop()


async def test_nothing_is_lost_or_doubled(server_directory: Path) -> None:
    async with a_trial(server_directory) as run:
        run.env["TRIAL_MAX_CRASHES"] = "100"  # whoever dies here is not to blame
        await run.run(kills=6, burst=100, seed=1)
        async with run.worker():
            await run.drained(within=60)
        assert await run.flaws() == []


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_nothing_is_lost_or_doubled_at_full_size(server_directory: Path, seed: int) -> None:
    async with a_trial(server_directory) as run:
        run.env["TRIAL_MAX_CRASHES"] = "100"
        await run.run(kills=30, burst=167, seed=seed)
        async with run.worker():
            await run.drained(within=120)
        assert await run.flaws() == []


async def die_at_every_step(run: Trial, directory: Path) -> list[str]:
    """Let workers die before the work, after it, after the commit, after the publish, before the ack; say the flaws."""
    run.env["POSTROOM_DYING"] = f"{directory}:common.testing.trial=25"
    run.env["PYTHONPATH"] = str(DYING)
    for _ in STEPS:
        await run.publish(60)
        async with run.worker() as process:
            await asyncio.wait_for(process.wait(), 60)
        assert process.returncode == -signal.SIGKILL
    async with run.worker():
        await run.drained(within=60)
    return await run.flaws()


async def test_a_worker_may_die_at_every_step(server_directory: Path) -> None:
    async with a_trial(server_directory) as run:
        assert await die_at_every_step(run, server_directory) == []


@pytest.mark.parametrize("sabotage", ["ack_first", "no_fence"])
async def test_the_check_notices_a_broken_delivery(server_directory: Path, sabotage: str) -> None:
    async with a_trial(server_directory, sabotage) as run:
        assert await die_at_every_step(run, server_directory) != []


async def test_a_message_that_kills_its_worker_takes_no_neighbour_along(server_directory: Path) -> None:
    async with a_trial(server_directory) as run:
        await run.publish(30)
        client = await nats.connect(run.nats.url)
        body = json.dumps({"number": 1000, "mode": "kill"}).encode()
        await client.jetstream().publish("trial.first", body, headers={"ce-id": "killer"})
        await client.close()
        await run.publish(30)
        connection = await asyncpg.connect(run.postgres.dsn)

        async def killer() -> str | None:
            status: str | None = await connection.fetchval("SELECT status FROM jobs WHERE event_id = 'killer'")
            return status

        for _ in range(8):
            async with run.worker() as process:

                async def buried_or_dead(process: asyncio.subprocess.Process = process) -> bool:
                    return process.returncode is not None or await killer() == "failed"

                await eventually(buried_or_dead, within=60)
                if process.returncode is None:
                    await run.drained(within=60)
                    break
        row = await connection.fetchrow("SELECT crashes, last_error FROM jobs WHERE event_id = 'killer'")
        assert row
        assert row["crashes"] == 3
        assert "worker died" in row["last_error"]
        failed = await connection.fetchval("SELECT count(*) FROM jobs WHERE status = 'failed'")
        assert failed == 1
        assert await connection.fetchval("SELECT count(DISTINCT number) FROM first_results") == run.sent
        await connection.close()
