"""What one replica at a time does goes on after whatever a look raises."""

import asyncio
from uuid import uuid4

import pytest

from common.leases import Leases
from common.planning.workers import workers
from common.postgres import Database
from common.testing.waiting import eventually
from scheduler.beats import WorkerBeats
from scheduler.leading import Leading


async def test_a_look_that_fails_as_nobody_expected_ends_nothing(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scheduler.beats.EVERY_SECONDS", 0.01)
    monkeypatch.setattr("scheduler.beats.BROKEN_SECONDS", 0.1)
    failures: list[Exception] = [RuntimeError("nobody expected this")] * 5

    async def look() -> None:
        if failures:
            raise failures.pop()

    holder = uuid4()
    beats = WorkerBeats(database, "VerificationWorker", holder)
    leases = Leases(database, holder)
    leading = asyncio.create_task(Leading(leases, "tests", look, beats, check_seconds=60).run())

    async def running(wanted: bool) -> bool:
        found = {each.worker: each.running for each in await workers(database)}
        return found["VerificationWorker"] is wanted and bool(await database.fetch("SELECT FROM worker_beats"))

    await eventually(lambda: running(False))
    await eventually(lambda: running(True))
    assert not leading.done()
    leading.cancel()
    await asyncio.gather(leading, return_exceptions=True)
