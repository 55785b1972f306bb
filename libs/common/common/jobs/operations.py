"""What can be done to all jobs that match a filter."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Literal

from common.jobs.deciding import Jobs, Key
from common.jobs.filters import ChosenFilter, JobFilter, read_key
from common.operations import GONE, Filter, Operation, Outcome


class RetryFilter(ChosenFilter):
    """Which jobs to retry; the failed ones, unless it says so."""

    status: Literal["failed", "cancelled", "queued"] = "failed"


class CancelFilter(ChosenFilter):
    """Which jobs to cancel; those that wait, unless it says so. Of failed ones the dead letters are discarded."""

    status: Literal["queued", "in_progress", "failed"] = "queued"


class JobOperation:
    """One thing done to many jobs. Its keys are consumer/event_id."""

    def __init__(
        self,
        name: str,
        chosen_by: type[RetryFilter | CancelFilter],
        jobs: Jobs,
        do: Callable[[Sequence[Key], Operation], Awaitable[Mapping[Key, Outcome]]],
    ) -> None:
        self.name = name
        self.filter: type[Filter] = chosen_by
        self._jobs = jobs
        self._do = do

    async def count(self, wanted: JobFilter) -> int:
        """Return how many match."""
        return await self._jobs.count(wanted)

    async def page(self, wanted: JobFilter, *, until: datetime, after: str | None, limit: int) -> Sequence[str]:
        """Return the keys of those that match; a job that was set free since is younger than the operation."""
        keys = await self._jobs.page(wanted, until=until, after=read_key(after or "/"), limit=limit)
        return [_written(key) for key in keys]

    async def act(self, keys: Sequence[str], operation: Operation) -> Sequence[Outcome]:
        """Do it to those that still stand as they were chosen."""
        read = [read_key(key) for key in keys]
        outcomes = await self._do(await self._jobs.still(self._status(operation), read), operation)
        return [outcomes.get(key, GONE) for key in read]

    def _status(self, operation: Operation) -> str:
        return str(operation.filter.get("status", self.filter.model_fields["status"].default))


def job_operations(jobs: Jobs) -> list[JobOperation]:
    """Return the kinds of operations on jobs."""

    async def retry(keys: Sequence[Key], _operation: Operation) -> Mapping[Key, Outcome]:
        return await jobs.retry_all(keys)

    async def cancel(keys: Sequence[Key], operation: Operation) -> Mapping[Key, Outcome]:
        return await jobs.cancel_all(keys, by=operation.created_by, reason=operation.reason)

    return [
        JobOperation("jobs.retry", RetryFilter, jobs, retry),
        JobOperation("jobs.cancel", CancelFilter, jobs, cancel),
    ]


def _written(key: Key) -> str:
    return "/".join(key)
