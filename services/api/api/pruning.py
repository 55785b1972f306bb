"""Forgets what need not be kept: answers to repeatable requests, and what webhooks were told."""

import asyncio
import logging

from api.statements import statement
from common.postgres import UNREACHABLE, Database

log = logging.getLogger(__name__)

EVERY_SECONDS = 3600.0


async def prune(database: Database) -> None:
    """Forget for ever."""
    while True:
        try:
            await database.lax.execute(statement("http", "prune"))
        except UNREACHABLE as error:
            log.warning("pruning: %r", error)
        await asyncio.sleep(EVERY_SECONDS)
