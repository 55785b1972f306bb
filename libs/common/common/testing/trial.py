"""A small system of its own for the delivery tests: two hops, each with a result row, and a second reader."""

import asyncio
import logging
import os
import random
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import ClassVar, Literal

import asyncpg

from common.contracts import Topology
from common.events import Event
from common.failures import Reject, Retry, Skip
from common.messaging import Job
from common.messaging.delivery import Delivery
from common.messaging.queue import QueueSettings
from common.messaging.undertaker import GivenUp, Undertaker
from common.postgres import Queries
from common.service import Service, ServiceSettings, create_service

ACK_WAIT_SECONDS = 1.5

CONTRACTS = Topology.model_validate(
    {
        "streams": {
            "TRIAL": {"subjects": ["trial.>"], "retention": "interest", "max_bytes": 2**28},
            "NOTIFY": {"subjects": ["notify.>"], "retention": "limits", "max_bytes": 2**28},
            "ADVISORIES": {
                "subjects": [
                    "$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.>",
                    "$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.>",
                ],
                "retention": "interest",
                "max_bytes": 2**28,
            },
            "DEADLETTER": {"subjects": ["dlq.>"], "retention": "limits", "max_bytes": 2**28},
            "LOGS": {"subjects": ["logs.>"], "retention": "limits", "max_bytes": 2**28},
        },
        "subjects": {
            "trial.first": {
                "owner": "trial",
                "stream": "TRIAL",
                "producers": ["trial"],
                "consumers": [
                    {
                        "durable": "first",
                        "service": "trial",
                        "queue": "first_queue",
                        "ack_wait_seconds": ACK_WAIT_SECONDS,
                    },
                    {
                        "durable": "witness",
                        "service": "other",
                        "queue": "witness_queue",
                        "ack_wait_seconds": ACK_WAIT_SECONDS,
                    },
                ],
            },
            "trial.second": {
                "owner": "trial",
                "stream": "TRIAL",
                "producers": ["trial"],
                "consumers": [
                    {
                        "durable": "second",
                        "service": "trial",
                        "queue": "second_queue",
                        "ack_wait_seconds": ACK_WAIT_SECONDS,
                    }
                ],
            },
            "$JS.EVENT.ADVISORY.CONSUMER.>": {
                "owner": "nats",
                "stream": "ADVISORIES",
                "producers": ["nats"],
                "consumers": [{"durable": "undertaker", "service": "trial", "queue": "advisory_queue"}],
            },
        },
    }
)

TABLES = """
CREATE TABLE first_results (number int NOT NULL, event_id text, attempt int);
CREATE TABLE second_results (number int NOT NULL, event_id text, attempt int);
"""
FIRST_RESULT = "INSERT INTO first_results SELECT * FROM unnest($1::int[], $2::text[], $3::int[])"
SECOND_RESULT = "INSERT INTO second_results SELECT * FROM unnest($1::int[], $2::text[], $3::int[])"


class First(Event):
    """The message of the first hop; `mode` says how its handler is to behave."""

    subject: ClassVar[str] = "trial.first"

    number: int
    mode: Literal["", "flaky", "boom", "reject", "skip", "retry", "hang", "slow", "refused", "kill"] = ""


class Second(Event):
    """What the first hop emits."""

    subject: ClassVar[str] = "trial.second"

    number: int


async def create_tables(database_url: str) -> None:
    """Create the result tables."""
    connection = await asyncpg.connect(database_url)
    await connection.execute(TABLES)
    await connection.close()


class TrialHandlers:
    """The handlers of both hops. They note each run, and behave as the message says."""

    def __init__(self, *, pause: Callable[[], float] = lambda: 0.0) -> None:
        self.runs: defaultdict[int, int] = defaultdict(int)
        self.seconds: list[int] = []
        self._pause = pause

    async def first(self, event: First, job: Job) -> Sequence[Event]:
        """Write a result and emit the second hop."""
        self.runs[event.number] += 1
        await asyncio.sleep(self._pause())
        await self._misbehave(event, self.runs[event.number])
        job.write(FIRST_RESULT, None if event.mode == "refused" else event.number, job.event_id, job.attempt)
        return [Second(number=event.number)]

    async def second(self, event: Second, job: Job) -> None:
        """Write the result of the second hop."""
        await asyncio.sleep(self._pause())
        self.seconds.append(event.number)
        job.write(SECOND_RESULT, event.number, job.event_id, job.attempt)

    async def _misbehave(self, event: First, run: int) -> None:
        match event.mode:
            case "flaky" if run < 3:
                raise RuntimeError(f"run {run} failed")
            case "boom":
                raise RuntimeError("boom\nwith a second line")
            case "reject":
                raise Reject("never")
            case "skip":
                raise Skip("nothing to do")
            case "retry" if run < 8:
                raise Retry(0.05, "not now")
            case "hang":
                await asyncio.sleep(3600)
            case "slow":
                await asyncio.sleep(2 * ACK_WAIT_SECONDS)
            case "kill":
                await asyncio.sleep(0.1)
                os._exit(9)


@asynccontextmanager
async def trial_service(
    settings: ServiceSettings, handlers: TrialHandlers, queue: QueueSettings | None = None
) -> AsyncIterator[Service]:
    """Run a service with both hops and the undertaker for the length of a block, then stop it in order."""
    stop = asyncio.Event()
    queue = queue or QueueSettings(max_attempts=3, backoff_base_seconds=0.2, timeout_seconds=5)
    async with create_service("trial", settings, CONTRACTS) as service:
        undertaker = Undertaker(service.stream, service.rails.ledger, CONTRACTS)

        async def bury(event: GivenUp, job: Job) -> Sequence[Event]:
            return await undertaker(event, job)

        service.consume("first", handlers.first, queue)
        service.consume("second", handlers.second, queue)
        service.consume("undertaker", bury, queue)
        running = asyncio.create_task(service.run(stop))
        try:
            yield service
        finally:
            stop.set()
            await running


async def work(settings: ServiceSettings) -> None:
    """The worker of the crash tests: a process that works until it is killed."""
    handlers = TrialHandlers(pause=lambda: random.uniform(0, 0.03))
    queue = QueueSettings(
        max_attempts=10,
        max_crashes=int(os.environ.get("TRIAL_MAX_CRASHES", "3")),
        backoff_base_seconds=0.2,
        timeout_seconds=10,
    )
    async with trial_service(settings, handlers, queue):
        print("ready", flush=True)
        await asyncio.Event().wait()


def sabotage(how: str) -> None:
    """Break delivery on purpose, so that a test can show that it would notice."""
    if how == "ack_first":
        run = Delivery._run

        async def acknowledge_then_run(self: Delivery, job: Job) -> None:
            await job.message.ack()
            await run(self, job)

        Delivery._run = acknowledge_then_run  # type: ignore[method-assign]
    elif how == "no_fence":
        load = Queries.load

        def without_fence(package: str, file: str) -> Queries:
            return Queries({name: _unfenced(statement) for name, statement in load(package, file).items()})

        Queries.load = without_fence  # type: ignore[method-assign]


def _unfenced(statement: str) -> str:
    statement = statement.replace(
        "WHERE (job.status = 'queued' AND (job.due_at <= now()) IS NOT FALSE)\n"
        "       OR (job.status = 'in_progress' AND job.lease_until < now())",
        "",
    )
    return statement.replace(
        "AND job.attempts = ended.attempt\n      AND job.holder = $11 AND job.status = 'in_progress'",
        "AND $11::uuid IS NOT NULL",
    )


if __name__ == "__main__":
    sabotage(os.environ.get("TRIAL_SABOTAGE", ""))
    logging.basicConfig(level=logging.WARNING)
    asyncio.run(work(ServiceSettings()))  # type: ignore[call-arg]
