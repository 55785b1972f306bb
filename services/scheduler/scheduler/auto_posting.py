"""The worker of auto-posting rules: runs those that are due.

Any number of replicas run one. Each rule is run in a transaction of its own, which locks it; its slot is unique. Of the
runs that were missed, because nobody was there to run them, one is made up: the latest.
"""

import logging
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from common.messaging.rails import Rails
from common.messaging.within import EmittedWithin
from common.planning.rules import Rules, UnreadableRule
from common.postgres import UNREACHABLE, Connection, Database, Within

log = logging.getLogger(__name__)

CONSUMER = "scheduler"
MOST_IDLE = (
    "20s"  # after that the server ends the transaction of a replica that stands still, and another runs the rule
)
BUSY_SECONDS = 0.2  # until rules are looked at again that somebody is running or changing


class AutoPostingWorker:
    """Runs rules. `now` stands for the database's clock, in tests."""

    def __init__(self, database: Database, rails: Rails, *, now: Callable[[], datetime] | None = None) -> None:
        self._database = database
        self._rails = rails
        self._now: Callable[[], datetime | None] = now or (lambda: None)

    async def look(self) -> float | None:
        """Run everything that is due; return the seconds until the next rule is, None where none will be."""
        async with self._database.transaction() as connection:
            await self._rules(connection, EmittedWithin(self._rails, connection)).come_back()
        broken: list[UUID] = []
        while await self._run_one(broken):
            pass
        async with self._database.transaction() as connection:
            seconds = await self._rules(connection, EmittedWithin(self._rails, connection)).seconds_left()
        return seconds if seconds is None or seconds > 0 else BUSY_SECONDS

    async def _run_one(self, broken: list[UUID]) -> bool:
        """Run one rule that is due, in one transaction; False where there is none."""
        rule_id: UUID | None = None
        try:
            async with self._database.transaction() as connection:
                await connection.execute(f"SET LOCAL idle_in_transaction_session_timeout = '{MOST_IDLE}'")
                rails = EmittedWithin(self._rails, connection)
                rules = self._rules(connection, rails)
                due = await rules.take_due(broken)
                if due is None:
                    return False
                rule_id = due.id
                await rules.run_due(due)
        except UNREACHABLE:
            raise
        except Exception as error:
            rule_id = error.rule_id if isinstance(error, UnreadableRule) else rule_id
            if rule_id is None:
                raise
            log.exception("rule %s could not be run", rule_id)
            broken.append(rule_id)
            await self._give_up(rule_id, f"{type(error).__name__}: {error}")
            return True
        await rails.publish_all()
        return True

    async def _give_up(self, rule_id: UUID, error: str) -> None:
        async with self._database.transaction() as connection:
            rails = EmittedWithin(self._rails, connection)
            await self._rules(connection, rails).give_up(rule_id, error)
        await rails.publish_all()

    def _rules(self, connection: Connection, rails: EmittedWithin) -> Rules:
        return Rules(Within(connection), rails, consumer=CONSUMER, now=self._now())
