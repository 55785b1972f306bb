"""Whether anything is still on its way: in a stream, in the outbox, in a lane, in a broadcast, or in a source that is
not read yet.
"""

from nats.errors import Error as NatsError
from nats.js import JetStreamContext

from common.contracts import topology
from common.postgres import UNREACHABLE, Database, Queries


class IdleCheck:
    """Asks the servers. It is idle only when two looks in a row find nothing."""

    def __init__(self, database: Database, stream: JetStreamContext) -> None:
        self._database = database
        self._stream = stream
        self._sql = Queries.load("postroom", "stack.sql")
        self._looks = 0

    async def __call__(self) -> bool:
        """Return whether nothing is on its way."""
        self._looks = 0 if await self._busy() else self._looks + 1
        return self._looks >= 2

    async def _busy(self) -> bool:
        try:
            row = await self._database.lax.fetchrow(self._sql["busy"])
            if row is None or row["busy"]:
                return True
            for durable in topology().durables():
                info = await self._stream.consumer_info(durable.stream, durable.name)
                if info.num_pending or info.num_ack_pending:
                    return True
        except (NatsError, *UNREACHABLE):  # away for the moment: not idle
            return True
        return False
