"""The jobs that a budget has stopped, and how they are set free before its period ends."""

from common.operations import Operation, Operations
from common.spending.books import BudgetUsedUp

RETRY = "jobs.retry"
STOPPED = {"status": "queued", "error_class": BudgetUsedUp.__name__}


async def set_free(operations: Operations, *, by: str, reason: str) -> Operation | None:
    """Ask for all of them to run again; None where there are none. Those that have no money still come back waiting."""
    if not await operations.count(RETRY, STOPPED):
        return None
    return await operations.start(RETRY, STOPPED, by=by, reason=reason)
