"""A trial of delivery: servers of its own, workers that are processes, and what came of the messages."""

import asyncio
import json
import os
import random
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import nats
from nats.aio.client import Client

from common.messaging.streams import migrate_topology
from common.postgres import migrate
from common.testing import trial
from common.testing.waiting import eventually
from embedded import NatsServer, PostgresServer


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

    async def restart_servers(self) -> None:
        """Kill NATS and PostgreSQL, and start them again."""
        for server in (self.nats, self.postgres):
            await asyncio.to_thread(server.kill)
            await asyncio.to_thread(server.start)

    async def publish(self, count: int) -> None:
        """Publish `count` numbered messages, each until the stream has it."""
        client = await eventually(self._connected)
        assert client
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
            row = await connection.fetchrow(f"SELECT count(*) AS rows, count(DISTINCT number) AS numbers FROM {table}")  # noqa: S608
            assert row
            if row["numbers"] != self.sent:
                found.append(f"{table}: {self.sent - row['numbers']} lost")
            if row["rows"] != row["numbers"]:
                found.append(f"{table}: {row['rows'] - row['numbers']} doubled")
        unfinished = await connection.fetch(
            "SELECT consumer, status, count(*) AS jobs, max(crashes) AS crashes, max(last_error) AS error FROM jobs"
            " WHERE status <> 'succeeded' AND consumer IN ('first', 'second') GROUP BY 1, 2"
        )
        found += [f"jobs that did not succeed: {dict(row)}" for row in unfinished]
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
        """Stop the servers."""
        self.nats.stop()
        self.postgres.stop()


async def unmoved(_error: Exception) -> None:
    """Errors of a connection to a server that is killed are part of the trial."""


@asynccontextmanager
async def a_trial(directory: Path, sabotage: str = "") -> AsyncIterator[Trial]:
    """Run a trial on servers of its own, for a block."""
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
