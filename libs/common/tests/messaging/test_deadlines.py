"""How long a job may wait: as its deadline says, except for a time that is known."""

from collections.abc import Sequence

import pytest
from nats.aio.client import Client

from common.events import Event
from common.failures import Retry
from common.messaging import Job
from common.postgres import Database
from common.service import ServiceSettings
from common.testing.trial import First, TrialHandlers, trial_service
from common.testing.waiting import job_of

DEADLINE_PASSED = "UPDATE jobs SET created_at = now() - interval '2 days' WHERE event_id = $1"


class Waiting(TrialHandlers):
    """Waits twice: the first time past the deadline, bounded by it or not; the second time bounded."""

    def __init__(self, database: Database, *, bounded: bool) -> None:
        super().__init__()
        self.reasons: list[str] = []
        self._database = database
        self._bounded = bounded

    async def first(self, event: First, job: Job) -> Sequence[Event]:
        self.runs[event.number] += 1
        match self.runs[event.number]:
            case 1:
                await self._database.execute(DEADLINE_PASSED, job.event_id)
                raise Retry(0.05, "until a time that is known", bounded=self._bounded)
            case 2:
                assert job.age > 86_400
                raise Retry(0.05, "busy")
        return []


@pytest.mark.parametrize(("bounded", "status", "runs"), [(True, "failed", 2), (False, "succeeded", 3)])
async def test_a_wait_without_a_bound_outlasts_the_deadline_and_lets_it_begin_again(
    trial_settings: ServiceSettings, nats_client: Client, database: Database, bounded: bool, status: str, runs: int
) -> None:
    handlers = Waiting(database, bounded=bounded)
    async with trial_service(trial_settings, handlers):
        await nats_client.jetstream().publish("trial.first", b'{"number": 7}', headers={"ce-id": "the-event"})
        job = await job_of(database, "the-event")
    assert (job["status"], handlers.runs[7]) == (status, runs)
