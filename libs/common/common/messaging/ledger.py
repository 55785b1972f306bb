"""The ledger: claims, results, leases. The only SQL of delivery."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal
from uuid import uuid4

import asyncpg

from common.events import Emitted
from common.messaging.job import Job
from common.postgres import UNREACHABLE, Connection, Database, Queries, steady

Standing = Literal["run", "suspect", "done", "busy"]
SUSPECT_FROM = 2  # crashes; from then on a message is worked on alone
NOBODY_SUSPECTED = 2**31 - 1
BUSY_PAUSE = 0.05  # seconds beyond the end of somebody else's lease, or the time when a job is due
RUNS_KEPT = 200  # of one job: a day of waiting for a model is thousands of runs that say the same


class Ledger:
    """The inbox and the records of all work. Each process is one holder."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = Queries.load(__package__, "ledger.sql")
        self.holder = uuid4()

    async def claim(self, jobs: list[Job]) -> list[Standing]:
        """Claim a group. Per job: run it; a suspect, which is not claimed; done already, or busy elsewhere.

        The unpublished events of one that is done are in `emits`.
        """
        return await steady(lambda: self._claim(jobs, SUSPECT_FROM))

    async def claim_suspect(self, job: Job) -> Standing:
        """Claim a job although workers died under it."""
        [standing] = await steady(lambda: self._claim([job], NOBODY_SUSPECTED))
        return standing

    async def commit(self, jobs: list[Job]) -> list[bool | Exception]:
        """Commit the results of a group in one transaction; False where somebody else has claimed the job since.

        If the group is refused, because of one job's row, each is tried alone, so that only that one fails.
        """
        try:
            return list(await steady(lambda: self._commit(jobs)))
        except UNREACHABLE:
            raise
        except Exception as error:
            if len(jobs) == 1:
                return [error]
            return [(await self.commit([job]))[0] for job in jobs]

    async def beat(self, jobs: Iterable[Job]) -> None:
        """Prolong the leases of jobs under way."""
        rows = [(*job.key, job.queue.ack_wait) for job in jobs]
        await self._database.lax.execute(self._sql["beat"], *columns(rows, 3), self.holder)

    async def forget(self, emits: Iterable[Emitted]) -> None:
        """Delete events that their stream has acknowledged."""
        ids = [event.id for event in emits]
        await steady(lambda: self._database.lax.execute(self._sql["forget"], ids))

    async def add(self, connection: Connection, emits: Sequence[Emitted]) -> None:
        """Store events in the caller's transaction; whoever calls publishes them afterwards."""
        await connection.execute(self._sql["add_to_outbox"], *columns(outbox_rows(emits), 6))

    async def stranded(
        self, connection: Connection, consumers: Sequence[str], older: float, limit: int
    ) -> list[Emitted]:
        """Lock and return events of these consumers that are older than `older` seconds."""
        return [event_of(row) for row in await connection.fetch(self._sql["stranded"], list(consumers), older, limit)]

    async def discard(self, connection: Connection, emits: Iterable[Emitted]) -> None:
        """Delete events in the caller's transaction."""
        await connection.execute(self._sql["forget"], [event.id for event in emits])

    async def ended_of(self, consumer: str, sequence: int) -> str | None:
        """Return the status of the job that was made of a message of a stream and has ended; None where none has."""
        row = await self._database.fetchrow(self._sql["made_of"], consumer, sequence)
        return str(row["status"]) if row and row["status"] not in ("queued", "in_progress") else None

    @property
    def give_up(self) -> str:
        """The statement that ends jobs whose messages the server gave up; for `Job.write`."""
        return self._sql["give_up"]

    async def _claim(self, jobs: list[Job], suspect_from: int) -> list[Standing]:
        # One statement must not hold an event twice: the first copy is claimed, the others are busy.
        first = {job.key: job for job in reversed(jobs)}
        standing: dict[tuple[str, str], Standing] = dict.fromkeys(first, "busy")
        rows = [
            (*key, job.queue.durable.queue, job.message.subject, job.post_id, job.queue.ack_wait, job.trace_id,
             job.message.data, json.dumps(kept_headers(job.headers)), job.message.metadata.sequence.stream)
            for key, job in sorted(first.items())
        ]  # fmt: skip
        *identity, leases, traces, payloads, headers, sequences = columns(rows, 10)
        given = (*identity, leases, self.holder, traces, suspect_from, payloads, headers, sequences)
        async with self._database.lax.acquire() as connection:
            for row in await connection.fetch(self._sql["claim"], *given):
                job = first[row["consumer"], row["event_id"]]
                job.attempt, job.counted = row["attempts"], row["counted"]
                job.crashes, job.age, job.waited = row["crashes"], row["age"], row["waited"]
                standing[job.key] = "run" if row["status"] == "in_progress" else "suspect"
            if crashed := [job for job in first.values() if job.crashes and job.attempt <= RUNS_KEPT]:
                died = [(*job.key, job.attempt - (standing[job.key] == "run")) for job in crashed]
                await connection.execute(self._sql["record_crashes"], *columns(died, 3))
            if refused := [key for key, value in standing.items() if value == "busy"]:
                await self._look_up(connection, first, refused, standing)
        return [standing[job.key] if first[job.key] is job else "busy" for job in jobs]

    async def _look_up(
        self,
        connection: Connection,
        jobs: dict[tuple[str, str], Job],
        refused: list[tuple[str, str]],
        standing: dict[tuple[str, str], Standing],
    ) -> None:
        for row in await connection.fetch(self._sql["standing"], *columns(refused, 2)):
            job = jobs[row["consumer"], row["event_id"]]
            job.delay = max(0.0, row["wait"] or 0.0) + BUSY_PAUSE
            if row["status"] not in ("in_progress", "queued"):
                standing[job.key] = "done"
                job.emits.clear()
        done = [key for key in refused if standing[key] == "done"]
        for row in await connection.fetch(self._sql["leftovers"], *columns(done, 2)):
            jobs[row["consumer"], row["cause_id"]].emits.append(event_of(row))

    async def _commit(self, jobs: list[Job]) -> list[bool]:
        in_order = sorted(jobs, key=lambda job: job.key)  # two groups that meet must not lock crosswise
        ended = [
            (*job.key, job.attempt, job.status, job.error_class, job.error, job.excused, job.post_id, job.delay,
             None if job.delay is None else job.message.reply)
            for job in in_order
        ]  # fmt: skip
        emits = [event for job in in_order for event in job.emits]
        async with self._database.transaction() as connection:
            rows = await connection.fetch(
                self._sql["finish"], *columns(ended, 10), self.holder, *columns(outbox_rows(emits), 6)
            )
            done = {(row["consumer"], row["event_id"]) for row in rows}
            runs = [
                (*job.key, job.attempt, job.outcome, job.error_class, job.error)
                for job in in_order
                if job.outcome and job.key in done and job.attempt <= RUNS_KEPT
            ]
            if unbounded := [job.key for job in in_order if not job.bounded and job.key in done]:
                await connection.execute(self._sql["begin_again"], *columns(unbounded, 2))
            if runs:
                await connection.execute(self._sql["record_attempts"], *columns(runs, 6))
            results: defaultdict[str, list[tuple[Any, ...]]] = defaultdict(list)
            for job in in_order:
                if job.key in done:
                    for statement, row in job.writes:
                        results[statement].append(row)
            for statement, values in results.items():
                await connection.execute(statement, *columns(values, len(values[0])))
        return [job.key in done for job in jobs]


def columns(rows: Sequence[Sequence[Any]], width: int) -> list[list[Any]]:
    """Return rows as columns, the shape that unnest takes."""
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(width)]


def kept_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers of a message that another copy of it shall have: not those that mean something to the server.

    A stale `Nats-Expected-Stream`, for example, would be obeyed.
    """
    return {name: value for name, value in headers.items() if not name.startswith("Nats-")}


def outbox_rows(emits: Sequence[Emitted]) -> list[tuple[Any, ...]]:
    """Return events as rows of the outbox."""
    return [
        (event.id, event.consumer, event.cause_id, event.subject, json.dumps(dict(event.headers)), event.payload)
        for event in emits
    ]


def event_of(row: asyncpg.Record) -> Emitted:
    """Return a row of the outbox as an event."""
    return Emitted(
        row["id"], row["consumer"], row["cause_id"], row["subject"], json.loads(row["headers"]), bytes(row["payload"])
    )
