"""Retrying and cancelling jobs.

What is decided is in the database, in one transaction with the messages that go out. Messages that wait at the server
for their time are then called: they come at once and find what was decided. Where a call is lost, they come when their
time has come, and find the same.
"""

import json
import logging
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TypeAlias
from uuid import uuid4

import asyncpg
from nats.aio.client import Client
from nats.errors import Error as NatsError

from common.events import Emitted
from common.events.envelope import ID, MESSAGE_ID
from common.jobs.filters import SQL, STATUSES, JobFilter, Status
from common.jobs.records import JobDetails, JobSummary
from common.messaging.ledger import columns
from common.messaging.replay import DeadLetters
from common.messaging.within import Emitting
from common.operations import Outcome
from common.postgres import Database, Within

log = logging.getLogger(__name__)

Key: TypeAlias = tuple[str, str]
"""Consumer and event id."""

END_OF_TIME = datetime(9999, 12, 31, tzinfo=UTC)
COUNTED = 10_000  # of what succeeded, which is nearly all that there is
CALL = b"-NAK"  # "again, please": https://docs.nats.io/using-nats/developer/develop_jetstream/consumers#acknowledgement
TRACE = "traceparent"
NOT_KEPT = "its message is not kept any more"
CHANGED = "it changed meanwhile"
NO_RETRY = {
    "succeeded": "it has succeeded: it would be done twice",
    "in_progress": "it is in progress",
}
NO_CANCEL = {"succeeded": "it has succeeded already", "cancelled": "it is cancelled already"}


class NoSuchJob(Exception):
    """There is no such job."""


class JobRefused(Exception):
    """That can't be done to a job as it stands; the message says why."""


class Jobs:
    """The jobs. In a transaction of the caller's where the database is `Within` one: `follow` after its end."""

    def __init__(self, nats: Client, database: Database, rails: Emitting) -> None:
        self._nats = nats
        self._database = database
        self._rails = rails
        self._letters = DeadLetters(nats.jetstream(), database, rails)
        self._calls: list[str] = []

    def within(self, database: Database, rails: Emitting) -> "Jobs":
        """Return the same, inside a transaction; `follow` after its end."""
        return Jobs(self._nats, database, rails)

    async def find(self, wanted: JobFilter, *, limit: int) -> list[JobSummary]:
        """Return the newest that match, newest first."""
        found: list[JobSummary] = []
        at: datetime | None = END_OF_TIME
        key: str | None = None
        while at is not None and len(found) < limit:
            rows = await self._database.fetch(wanted.listing(), limit - len(found), at, key, *wanted.columns())
            found += [JobSummary.of(row) for row in rows if row["page_at"]]
            at, key = rows[0].get("page_stopped") if rows else None, ""
        return found

    async def get(self, consumer: str, event_id: str) -> JobDetails:
        """Return one. Raises NoSuchJob."""
        row = await self._database.fetchrow(SQL["get"], consumer, event_id)
        if row is None:
            raise NoSuchJob(f"there is no job {consumer}/{event_id}")
        return JobDetails.of(row, await self._database.fetch(SQL["attempts"], consumer, event_id))

    async def count(self, wanted: JobFilter) -> int:
        """Return how many match that have one status, and not succeeded: these are only listed."""
        row = await self._database.fetchrow(wanted.among("count"), *wanted.columns())
        return int(row[0]) if row else 0

    async def page(self, wanted: JobFilter, *, until: datetime, after: Key, limit: int) -> list[Key]:
        """Return the keys of those that match, as for `count`, and came until a time, in order, after a key."""
        arguments = (until, *after, limit, *wanted.columns())
        return [_key(row) for row in await self._database.fetch(wanted.among("page"), *arguments)]

    async def counts(self, wanted: JobFilter) -> dict[Status, int]:
        """Return how many match of each status, whichever `wanted` names. Of those that succeeded COUNTED at most."""
        queue, consumer, _, *others = wanted.columns()
        rows = await self._database.fetch(
            SQL["counts_of_post" if wanted.post_id else "counts"], queue, consumer, *others
        )
        found: dict[Status, int] = {row["status"]: row["number"] for row in rows}
        if not (wanted.post_id or wanted.error or wanted.error_class):
            created = wanted.created_from, wanted.created_until
            row = await self._database.fetchrow(SQL["count_succeeded"], COUNTED, queue, consumer, *created)
            found["succeeded"] = row["number"] if row else 0
        return {status: found.get(status, 0) for status in STATUSES}

    async def still(self, status: str, keys: Sequence[Key]) -> list[Key]:
        """Return those of the keys whose jobs have this status now."""
        rows = await self._database.fetch(SQL["standing"], *columns(keys, 2))
        return [_key(row) for row in rows if row["status"] == status]

    async def retry(self, consumer: str, event_id: str) -> None:
        """Let one run again, or now where it waits. Raises NoSuchJob, JobRefused."""
        self._decided(consumer, event_id, await self.retry_all([(consumer, event_id)]))

    async def cancel(self, consumer: str, event_id: str, *, by: str, reason: str = "") -> None:
        """End one without a result; what its run under way has done outside is not taken back.

        Raises NoSuchJob, JobRefused.
        """
        self._decided(consumer, event_id, await self.cancel_all([(consumer, event_id)], by=by, reason=reason))

    async def retry_all(self, keys: Sequence[Key]) -> dict[Key, Outcome]:
        """Let jobs run again, and say for each why it was refused; those that are not there are left out."""
        standing = {_key(row): row for row in await self._database.fetch(SQL["standing"], *columns(keys, 2))}
        outcomes: dict[Key, Outcome] = {key: NO_RETRY.get(row["status"]) for key, row in standing.items()}
        failed = [key for key, row in standing.items() if row["status"] == "failed"]
        replayed = await self._replay(failed)
        outcomes |= replayed
        outcomes |= await self._wake([key for key, row in standing.items() if row["waits"]])
        left = [
            key
            for key, row in standing.items()
            if row["status"] not in NO_RETRY and not row["waits"] and key not in replayed
        ]
        outcomes |= await self._send_again(left)
        await self._follow()
        return outcomes

    async def cancel_all(self, keys: Sequence[Key], *, by: str, reason: str = "") -> dict[Key, Outcome]:
        """End jobs without a result, and say for each why it was refused; those that are not there are left out.

        The dead letters of failed ones are discarded.
        """
        said = f"cancelled by {by}" + (f": {reason}" if reason else "")
        standing = {_key(row): row for row in await self._database.fetch(SQL["standing"], *columns(keys, 2))}
        outcomes: dict[Key, Outcome] = {key: NO_CANCEL.get(row["status"]) for key, row in standing.items()}
        failed = [key for key, row in standing.items() if row["status"] == "failed"]
        outcomes |= await self._discard(failed, said)
        left = [key for key, row in standing.items() if row["status"] in ("queued", "in_progress")]
        rows = await self._database.strict_fetch(SQL["cancel"], *columns(left, 2), said) if left else []
        self._calls += [row["ack_subject"] for row in rows if row["ack_subject"]]
        ended = {_key(row) for row in rows}
        outcomes |= {key: CHANGED for key in left if key not in ended}
        await self._follow()
        return outcomes

    async def follow(self) -> None:
        """Call the messages that wait, and delete letters, after the transaction of the caller."""
        calls, self._calls = self._calls, []
        try:
            for subject in calls:
                await self._nats.publish(subject, CALL)
        except (NatsError, OSError) as error:
            log.warning("%d messages could not be called: %r", len(calls), error)
        await self._letters.clear()

    async def _follow(self) -> None:
        if not isinstance(self._database, Within):
            await self.follow()

    async def _replay(self, failed: Sequence[Key]) -> dict[Key, Outcome]:
        """Replay letters; a job whose letter is not kept any more is left out."""
        letters = await self._letters.of_jobs(failed) if failed else []
        newest = {(letter.consumer, letter.event_id): letter for letter in letters}
        outcomes = await self._letters.replay(list(newest.values())) if newest else []
        return {key: outcome for key, outcome in zip(newest, outcomes, strict=True) if outcome is None}

    async def _discard(self, failed: Sequence[Key], said: str) -> dict[Key, Outcome]:
        if not failed:
            return {}
        await self._letters.discard(await self._letters.of_jobs(failed))
        # What had no letter any more is still failed.
        await self._database.strict_fetch(SQL["call_off"], *columns(failed, 2), said)
        return dict.fromkeys(failed)

    async def _wake(self, waiting: Sequence[Key]) -> dict[Key, Outcome]:
        rows = await self._database.strict_fetch(SQL["wake"], *columns(waiting, 2)) if waiting else []
        self._calls += [row["ack_subject"] for row in rows]
        called = {_key(row) for row in rows}
        return {key: None if key in called else CHANGED for key in waiting}

    async def _send_again(self, keys: Sequence[Key]) -> dict[Key, Outcome]:
        """Make jobs free and send their messages once more, with the same ids and in the same traces."""
        if not keys:
            return {}
        async with self._database.transaction() as connection:
            rows = await connection.fetch(SQL["free"], *columns(keys, 2))
            emits = [_message(row) for row in rows]
            await self._rails.emit(connection, emits)
        await self._rails.outbox.publish(emits)
        sent = {_key(row) for row in rows}
        return {key: None if key in sent else NOT_KEPT for key in keys}

    @staticmethod
    def _decided(consumer: str, event_id: str, outcomes: dict[Key, Outcome]) -> None:
        if (consumer, event_id) not in outcomes:
            raise NoSuchJob(f"there is no job {consumer}/{event_id}")
        if refusal := outcomes[consumer, event_id]:
            raise JobRefused(refusal)


def _key(row: asyncpg.Record) -> Key:
    return row["consumer"], row["event_id"]


def _message(row: asyncpg.Record) -> Emitted:
    headers = json.loads(row["headers"])
    if row["trace_id"]:  # of a message that brought none, the trace began with its first run
        headers.setdefault(TRACE, f"00-{row['trace_id']}-{secrets.token_hex(8)}-01")
    message_id = f"retry:{uuid4()}"  # the duplicate window would drop the old one
    headers |= {ID: row["event_id"], MESSAGE_ID: message_id}
    return Emitted(message_id, row["consumer"], row["event_id"], row["subject"], headers, bytes(row["payload"]))
