"""Rolling packages back: what was sent for a package that failed is deleted where the platform can."""

import logging
import time
from collections.abc import Mapping
from typing import Any

import asyncpg

from common.bell import Bell
from common.events import Emitted
from common.messaging.queue import Queue
from common.postgres import UNREACHABLE, Connection, Database, Queries
from common.sends import Away, Refused, Trouble, Unanswered, Wait
from publisher.endings import Endings
from publisher.ports import Platform

log = logging.getLogger(__name__)

AWAY_SECONDS = 5.0
STUCK_SECONDS = 60.0  # until a deletion is tried again that went wrong in a way that nobody thought of
LOOK_SECONDS = 3.0  # between looks at all open packages


class Rollback:
    """The loop that deletes. A deletion may be repeated, also by two replicas at once: its record counts only once."""

    def __init__(
        self, database: Database, endings: Endings, platforms: Mapping[str, Platform], queue: Queue, bell: Bell
    ) -> None:
        self._database = database
        self._endings = endings
        self._platforms = platforms
        self._queue = queue
        self._bell = bell
        self._looked = 0.0
        self._sql = Queries.load(__package__, "packages.sql")

    async def keep(self) -> None:
        """Delete for ever what is to be deleted, and end packages that somebody else has settled.

        While the queue is paused nothing is deleted.
        """
        while True:
            try:
                for row in [] if self._queue.paused else await self._database.fetch(self._sql["to_take_back"]):
                    await self._try(row)
                await self._end_others()
            except UNREACHABLE as error:
                log.warning("rollback: %r", error)
            except Exception:  # one package must not keep the others, and the lanes, from going on
                log.exception("rollback")
            await self._bell.wait()

    async def _end_others(self) -> None:
        """End packages that ended without a lane: a person has decided, or a rival request took all targets."""
        if time.monotonic() - self._looked < LOOK_SECONDS:
            return
        if ended := await self._endings.ready_to_end():
            await self._endings.end(ended)
        self._looked = time.monotonic()

    async def _try(self, row: asyncpg.Record) -> None:
        """Take one message back; whatever goes wrong with it, the others are not held up."""
        try:
            await self._take_back(row)
        except UNREACHABLE:
            raise
        except Exception:
            log.exception("%s: %s could not be deleted", row["destination"], row["message_ids"])
            await self._record(row, "take_back_later", STUCK_SECONDS, 0)

    async def _take_back(self, row: asyncpg.Record) -> None:
        name, _, address = row["destination"].partition(":")
        try:
            platform = self._platforms[name]
            await platform.ready()
            await platform.delete(address, tuple(row["message_ids"]))
        except Wait as wait:
            await self._record(row, "take_back_later", wait.seconds, 0)
        except Away:
            await self._record(row, "take_back_later", AWAY_SECONDS, 0)
        except Refused as error:
            await self._record(row, "not_taken_back", str(error))
        except (Trouble, Unanswered) as error:
            if row["attempts"] + 1 >= self._queue.settings.max_attempts:
                await self._record(row, "not_taken_back", str(error))
            else:
                await self._record(row, "take_back_later", self._queue.backoff(row["attempts"] + 1), 1)
        else:
            log.info("%s: %s deleted again", row["destination"], row["message_ids"])
            await self._record(row, "taken_back")

    async def _record(self, row: asyncpg.Record, statement: str, *arguments: Any) -> None:
        async def change(connection: Connection) -> list[Emitted]:
            await connection.execute(self._sql[statement], row["id"], row["generation"], *arguments)
            return []

        await self._endings.settle([row["package_id"]], change)
