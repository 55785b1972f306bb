"""How the queues stood, minute by minute, for those who look back an hour."""

import asyncio
import logging

from nats.errors import Error as NatsError
from nats.js import JetStreamContext

from common.overview import sample
from common.postgres import UNREACHABLE, Database
from common.queues.standing import standing

log = logging.getLogger(__name__)

EVERY_SECONDS = 60.0


async def keep_history(database: Database, stream: JetStreamContext) -> None:
    """Note every minute how the queues stand, for ever."""
    while True:
        try:
            await sample(database, await standing(database, stream))
        except (*UNREACHABLE, NatsError) as error:
            log.warning("the history of the queues: %r", error)
        await asyncio.sleep(EVERY_SECONDS)
