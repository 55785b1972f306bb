"""Forgets what need not be kept: by its age, answers to repeatable requests, strays among dead letters."""

import asyncio
import logging

import asyncpg
from nats.errors import Error as NatsError

from api.statements import statement
from common.messaging.replay import DeadLetters
from common.postgres import UNREACHABLE, Database
from common.retention import Retention
from common.users import Sessions

log = logging.getLogger(__name__)

EVERY_SECONDS = 3600.0


async def prune(database: Database, retention: Retention, sessions: Sessions) -> None:
    """Forget for ever."""
    while True:
        try:
            await database.lax.execute(statement("http", "prune"))
            await sessions.forget()
            await retention()
        except (asyncpg.PostgresError, OSError, *UNREACHABLE) as error:
            log.warning("pruning: %r", error)
        await asyncio.sleep(EVERY_SECONDS)


async def keep_agreeing(letters: DeadLetters) -> None:
    """Make the table of dead letters and their stream agree, for ever."""
    while True:
        try:
            await letters.agree()
        except (*UNREACHABLE, NatsError) as error:
            log.warning("dead letters: %r", error)
        await asyncio.sleep(EVERY_SECONDS)
