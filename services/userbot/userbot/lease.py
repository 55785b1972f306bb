"""The lease of a task: whoever works on it renews it, and stops at once where that fails."""

from common.leases import TTL_SECONDS, Leases
from common.postgres import Database, Queries
from userbot.task import Task


class TaskLease(Leases):
    """As every lease, but it lies in the task's row: taking the task took it, and what ends the task gives it back."""

    def __init__(self, database: Database, task: Task, *, ttl: float = TTL_SECONDS) -> None:
        super().__init__(database, task.holder, ttl=ttl)
        self._tasks = Queries.load(__package__, "tasks.sql")
        self._task = task

    async def take(self, name: str) -> bool:  # noqa: ARG002
        """Renew it; False where the task is no longer ours."""
        row = await self._database.lax.fetchrow(self._tasks["renew"], self._task.id, self._task.holder, self.ttl)
        return row is not None

    async def wait_for(self, name: str) -> None:
        """It is ours already."""

    async def release(self, name: str) -> None:
        """Nothing is left to give back."""
