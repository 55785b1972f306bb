"""Kill -9 of the worker, of NATS and of PostgreSQL, over two hops: nothing is lost, nothing is doubled.

Two negative controls break delivery on purpose, and show that the test would notice.
"""

import asyncio
import json
import signal
from pathlib import Path

import asyncpg
import nats
import pytest

from common.testing.dying import STEPS
from common.testing.trial_run import Trial, a_trial
from common.testing.waiting import eventually

DYING = Path(__file__).parents[4] / "tests" / "dying"


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
