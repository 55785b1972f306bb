"""A storm: thousands of jobs fail by one error. It is one group, and one operation drains it."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from nats.aio.client import Client

from common.events import Event
from common.failures import Reject
from common.messaging import Job
from common.messaging.dead_letters import STREAM
from common.messaging.letters import LetterFilter
from common.messaging.replay import DeadLetters
from common.operations import Operation, OperationRunner, Operations
from common.operations.kinds import operation_kinds
from common.postgres import Database
from common.service import ServiceSettings
from common.testing.trial import First, TrialHandlers, trial_service
from common.testing.waiting import eventually

PATIENCE_SECONDS = 120.0


class Stormy(TrialHandlers):
    """Handlers that fail until the cause is mended."""

    mended = False

    async def first(self, event: First, job: Job) -> Sequence[Event]:
        if not self.mended:
            raise Reject(f"no disk has room for message {event.number}")
        return await super().first(event, job)


@pytest.mark.parametrize("storm", [250, pytest.param(5000, marks=pytest.mark.soak)])
async def test_a_storm_is_one_group_and_a_replay_drains_it(
    trial_settings: ServiceSettings, nats_client: Client, database: Database, storm: int
) -> None:
    stream, handlers = nats_client.jetstream(), Stormy()
    async with trial_service(trial_settings, handlers) as service:
        letters = DeadLetters(service.stream, service.database, service.rails)
        kinds = operation_kinds(service.nats, service.database, service.rails)
        operations = Operations(service.database, kinds)

        async def settled(statement: str, *arguments: object) -> None:
            async def probe() -> bool:
                return bool(await database.strict.fetchval(statement, *arguments))

            await eventually(probe, within=PATIENCE_SECONDS, every=0.1)

        for number in range(storm):
            await stream.publish_async("trial.first", b'{"number": %d}' % number, headers={"ce-id": f"storm-{number}"})
        await stream.publish_async_completed()
        await settled("SELECT count(*) = $1 FROM dead_letters", storm)
        await settled("SELECT count(*) = 0 FROM outbox")
        [group] = await letters.groups(LetterFilter(), limit=10)
        assert group.count == storm
        assert (await stream.stream_info(STREAM)).state.messages == storm

        await stream.publish("trial.first", b"{", headers={"ce-id": "another"})  # of another error: it stays
        await settled("SELECT count(*) = $1 FROM dead_letters", storm + 1)
        handlers.mended = True
        wanted = {"fingerprint": group.fingerprint}
        assert await operations.count("dead_letters.replay", wanted) == storm
        started = await operations.start("dead_letters.replay", wanted, by="cli:me")

        async def look() -> Operation:
            return await operations.get(started.id)

        # One who replays the same by hand meanwhile takes nothing twice.
        by_hand = asyncio.create_task(
            letters.replay(await letters.find(LetterFilter(fingerprint=group.fingerprint), limit=20))
        )
        await OperationRunner(database, kinds).follow(started.id, look)
        outcomes = await by_hand
        found = await look()
        assert found.status == "done"
        assert found.done + outcomes.count(None) == storm
        await settled("SELECT count(*) = $1 FROM second_results", storm)
        await settled("SELECT count(*) = 0 FROM outbox")
    results: list[Any] = await database.fetch("SELECT number, count(*) FROM first_results GROUP BY number")
    assert sorted(tuple(row) for row in results) == [(number, 1) for number in range(storm)]
    assert await letters_left(database) == ["another"]
    assert (await stream.stream_info(STREAM)).state.messages == 1
    statuses = await database.fetch("SELECT status, count(*) FROM jobs WHERE consumer = 'first' GROUP BY 1 ORDER BY 1")
    assert [tuple(row) for row in statuses] == [("failed", 1), ("succeeded", storm)]


async def letters_left(database: Database) -> list[str]:
    """The events whose letters there are."""
    return [row["event_id"] for row in await database.fetch("SELECT event_id FROM dead_letters")]
