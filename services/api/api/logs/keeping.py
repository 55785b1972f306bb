"""Reads the stream LOGS into log_records, and forgets what is old.

It goes past the ledger: log records of jobs that keep log records would have no end. A message that comes twice is kept
once, by its id.
"""

import asyncio
import contextlib
import logging
from collections.abc import Sequence

import asyncpg
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.errors import TimeoutError as NothingCame
from nats.js import JetStreamContext
from pydantic import Field

from api.logs.records import rows_of
from common.contracts import topology
from common.logs import SQL
from common.messaging.ledger import columns
from common.postgres import UNREACHABLE, Database
from common.service import SettingsGroup

log = logging.getLogger(__name__)

DURABLE = "api-logs"
MESSAGES = 20  # at once; each has up to 200 records, and half a MiB
WAIT_SECONDS = 5.0  # for a message; a server that was started again has forgotten that we wait
GATHER_SECONDS = 0.25  # between two looks: more messages make larger groups
AWAY_SECONDS, LONGEST_AWAY_SECONDS = 1.0, 30.0
PRUNE_SECONDS, PRUNE_ROWS = 3600.0, 10_000
COLUMNS = 10


class LogSettings(SettingsGroup):
    """How long log records are kept."""

    logs_keep_days: float = Field(default=7.0, gt=0, le=3650, description="log records that are older are forgotten")


class LogKeeper:
    """Keeps log records. Replicas share the messages."""

    def __init__(self, database: Database, stream: JetStreamContext, keep_days: float) -> None:
        self._database = database
        self._stream = stream
        self._keep_days = keep_days

    async def run(self) -> None:
        """Read for ever."""
        pause = AWAY_SECONDS
        while True:
            try:
                subscription = await self._stream.pull_subscribe_bind(DURABLE, topology().readers[DURABLE].stream)
                try:
                    while True:
                        try:
                            messages = await subscription.fetch(MESSAGES, timeout=WAIT_SECONDS)
                        except NothingCame:
                            continue
                        await self.keep(messages)
                        for message in messages:
                            await message.ack()
                        pause = AWAY_SECONDS
                        await asyncio.sleep(GATHER_SECONDS)
                finally:  # what is still to come of a fetch would hold up the end of the service
                    with contextlib.suppress(NatsError):
                        await subscription.unsubscribe()
            except (NatsError, *UNREACHABLE) as error:
                log.warning("log records are not kept for the moment: %r", error)
                await asyncio.sleep(pause)
                pause = min(LONGEST_AWAY_SECONDS, pause * 2)

    async def keep(self, messages: Sequence[Msg]) -> None:
        """Keep what messages say. One that the database refuses is left out, and does not take others with it."""
        rows = [row for message in messages for row in rows_of(message)]
        try:
            await self._database.execute(SQL["keep_logs"], *columns(rows, COLUMNS))
        except (
            asyncpg.DataError,
            asyncpg.IntegrityConstraintViolationError,
            asyncpg.ProgramLimitExceededError,
        ) as error:
            if len(messages) > 1:
                for message in messages:
                    await self.keep([message])
            else:
                log.warning("%d log records of %s can't be kept: %r", len(rows), messages[0].subject, error)

    async def prune(self) -> None:
        """Forget for ever."""
        while True:
            await asyncio.sleep(PRUNE_SECONDS)
            try:
                await self.forget()
            except UNREACHABLE as error:
                log.warning("log records: %r", error)

    async def forget(self) -> None:
        """Forget what is older than it is to be kept, in small steps."""
        while True:
            done = await self._database.lax.execute(SQL["prune_logs"], self._keep_days, PRUNE_ROWS)
            if done != f"DELETE {PRUNE_ROWS}":
                break
        await self._database.lax.execute(SQL["prune_log_batches"])
