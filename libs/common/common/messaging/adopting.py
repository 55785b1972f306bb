"""Letters in the stream of dead letters that the table does not know: adopted, unless somebody has decided about them.

An earlier release kept its letters in the stream only, all of a consumer under one subject; and a database that was
restored from a backup does not know the letters since. What was replayed or discarded is known by its job.
"""

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from typing import Any
from uuid import UUID

from nats.js import JetStreamContext
from nats.js.api import RawStreamMsg
from nats.js.errors import APIError, NotFoundError

from common.events.envelope import ID, MESSAGE_ID, POST
from common.messaging.dead_letters import (
    ATTEMPTS,
    CONSUMER,
    ERROR,
    ERROR_CLASS,
    FINGERPRINT,
    ORIGIN,
    SEQUENCE,
    STREAM,
    SUBJECT,
    place,
    statements,
)
from common.postgres import Database

log = logging.getLogger(__name__)


class Strays:
    """The letters that the table does not know."""

    def __init__(self, stream: JetStreamContext, database: Database) -> None:
        self._stream = stream
        self._database = database
        self._sql = statements()

    async def settle(self, subject: str) -> int:
        """Adopt the letters under a subject, or delete those that were decided about; return how many were deleted.

        Raises what asyncpg and nats raise where a server is away; what was done until then need not be done again.
        """
        deleted = 0
        async for message in self._under(subject):
            row = _row(message)
            if row is None:  # none of ours: somebody wrote it by hand
                continue
            known = await self._database.strict_fetch(self._sql["adopt"], *row)
            if known:
                await self._move(message, place(row[2], row[0], row[3]))
            else:
                deleted += 1
                await self._delete(message)
        return deleted

    async def _under(self, subject: str) -> AsyncIterator[RawStreamMsg]:
        after = 0
        with suppress(NotFoundError):
            while True:
                message = await self._stream.get_msg(STREAM, after + 1, subject, next=True)
                after = message.seq or after + 1
                yield message

    async def _move(self, message: RawStreamMsg, there: str) -> None:
        """Put a letter where it is looked for."""
        if message.subject == there:
            return
        # The duplicate window may know the id that it has.
        headers = dict(message.headers or {}) | {MESSAGE_ID: f"adopted:{there}"}
        await self._stream.publish(there, message.data or b"", headers=headers)
        await self._delete(message)
        log.info("a dead letter of an earlier release lies at %s now", there)

    async def _delete(self, message: RawStreamMsg) -> None:
        with suppress(APIError):  # another replica was faster
            await self._stream.delete_msg(STREAM, message.seq or 0)


def _row(message: RawStreamMsg) -> tuple[Any, ...] | None:
    headers: Mapping[str, str] = message.headers or {}
    try:
        return (
            headers[CONSUMER],
            headers[ID],
            headers[ORIGIN],
            int(headers[SEQUENCE]),
            headers[SUBJECT],
            UUID(headers[POST]) if POST in headers else None,
            int(headers[ATTEMPTS]),
            headers[ERROR_CLASS],
            headers[ERROR],
            headers[FINGERPRINT],
            message.time,
        )
    except (KeyError, ValueError):
        return None
