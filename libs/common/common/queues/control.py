"""Pausing queues, letting them go on, and changing their settings while the services run."""

import asyncio
import json
import logging
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from nats.aio.client import Client
from nats.errors import Error as NatsError

from common.contracts import Topology, topology
from common.live import Live
from common.postgres import Database, Queries
from common.queues.agreeing import agree
from common.queues.following import SUBJECT
from common.queues.records import Pause, QueueRecords, Replica
from common.queues.settings import FIELDS, WrongSetting, by_queue, checked, known, no_such_setting

log = logging.getLogger(__name__)

OBEYED_SECONDS = 5.0  # more than a beat: whoever did not hear the call has looked by then
LOOK_SECONDS = 0.05


class QueueControl:
    """What people decide about queues. It is all in the records; `Enforcement` brings it to those who work."""

    def __init__(self, database: Database, contracts: Topology | None = None) -> None:
        self._database = database
        self._contracts = contracts or topology()
        self._records = QueueRecords(database)
        self._sql = Queries.load(__package__, "queues.sql")

    def queues(self, *names: str) -> list[str]:
        """Return these queues, or all where none is named. Raises NoSuchQueue."""
        return known(self._contracts, names) if names else self._contracts.queue_names()

    async def pause(self, queues: Sequence[str], *, by: str, reason: str = "", until: datetime | None = None) -> None:
        """Let queues stand still with all that is behind them, for ever or `until`.

        Raises NoSuchQueue, and WrongSetting where the end has been already.
        """
        if until is not None and until <= datetime.now(UTC):
            raise WrongSetting(f"until: {until.isoformat(timespec='seconds')} has been already")
        await self._database.execute(self._sql["pause"], self.queues(*queues), by, reason, until)

    async def resume(self, queues: Sequence[str]) -> list[str]:
        """Let queues go on; return those that stood still. Raises NoSuchQueue."""
        return [row["queue"] for row in await self._database.strict_fetch(self._sql["resume"], self.queues(*queues))]

    async def change(self, queue: str, given: Mapping[str, Any], *, by: str, reason: str = "") -> dict[str, Any]:
        """Change settings of a queue, and return them as what they are. Raises NoSuchQueue, WrongSetting."""
        [queue] = self.queues(queue)
        values = checked(queue, given)
        names = [f"{queue}.{field}" for field in values]
        await self._database.execute(
            self._sql["change"], names, [json.dumps(value) for value in values.values()], reason, by
        )
        return values

    async def unset(self, queue: str, fields: Collection[str] = ()) -> list[str]:
        """Take changes back, of these fields or of all, and return which. Raises NoSuchQueue, WrongSetting."""
        [queue] = self.queues(queue)
        for field in fields:
            if field not in FIELDS:
                raise no_such_setting(queue, field)
        changed = [change.field for change in await self._records.changes([queue])]
        taken = [field for field in changed if not fields or field in fields]
        await self._database.execute(self._sql["unset"], [f"{queue}.{field}" for field in taken])
        return taken


class Enforcement:
    """Brings decisions to the server and to the services, after they were committed."""

    def __init__(self, database: Database, client: Client, contracts: Topology | None = None) -> None:
        self._records = QueueRecords(database)
        self._client = client
        self._contracts = contracts or topology()

    async def bring(
        self, queues: Sequence[str], *, by: str, event: str | None = None, patience: float = OBEYED_SECONDS
    ) -> list[Replica]:
        """Bring about what the records say of queues, and return the replicas that live and did not follow in time.

        Where NATS is away, the services find it in the records, once they look. `event` is a live event that tells of
        it, for each queue.
        """
        pauses = {pause.queue: pause for pause in await self._records.pauses(queues)}
        try:
            stream = self._client.jetstream()
            for queue in queues:
                for durable in self._contracts.durables_of(queue):
                    await agree(stream, durable, pauses.get(queue))
            for queue in queues if event else ():
                await Live(self._client).tell(event or "", queue=queue, by=by)
            await self._client.publish(SUBJECT, json.dumps({"queues": list(queues)}).encode())
            await self._client.flush()
        except (NatsError, OSError, TimeoutError) as error:
            log.warning("queues: %r", error)
        return await self._followed(queues, pauses, patience)

    async def _followed(self, queues: Sequence[str], pauses: Mapping[str, Pause], patience: float) -> list[Replica]:
        loop = asyncio.get_running_loop()
        end = loop.time() + patience
        while True:
            changes = by_queue(await self._records.changes(queues))
            late = [
                replica
                for replica in await self._records.replicas(queues)
                if replica.holding != (replica.queue in pauses) or not _as_changed(replica, changes)
            ]
            if not late or loop.time() > end:
                return late
            await asyncio.sleep(LOOK_SECONDS)


def _as_changed(replica: Replica, changes: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether a replica works with exactly these changes."""
    has = {name: each["value"] for name, each in replica.settings.items() if each["origin"] == "changed"}
    return has == dict(changes.get(replica.queue, {}))
