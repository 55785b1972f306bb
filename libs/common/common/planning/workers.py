"""How the scheduler's workers are, from their beats."""

from dataclasses import dataclass
from datetime import datetime

from common.postgres import Database, Queries

WORKERS = (
    "ScheduledPostsWorker",
    "AutoPostingWorker",
    "ApprovalExpiryWorker",
    "CollectionClock",
    "VerificationWorker",
)


@dataclass(frozen=True, slots=True)
class Worker:
    """One worker. It runs where a replica of it beat within the last 15 seconds and is not switched off."""

    worker: str
    running: bool = False
    last_beat: datetime | None = None
    next_run: datetime | None = None
    replicas: int = 0


async def workers(database: Database) -> list[Worker]:
    """Return all workers, those that never ran too."""
    rows = await database.fetch(Queries.load("common", "planning.sql")["workers"])
    found = {row["worker"]: Worker(**dict(row)) for row in rows}
    names = dict.fromkeys((*WORKERS, *sorted(found)))
    return [found.get(name, Worker(name)) for name in names]
