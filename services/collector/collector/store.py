"""The collector's records: how far each source is read."""

from uuid import UUID

from collector.ports import Page, SourceState
from common.messaging import Job
from common.postgres import Database, Queries


class SourceStates:
    """`source_states`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = Queries.load(__package__, "collector.sql")

    async def of(self, source_id: UUID) -> SourceState:
        """Return the state of a source; of one that was never read, an empty one."""
        row = await self._database.fetchrow(self._sql["state"], source_id)
        return SourceState(**dict(row)) if row else SourceState()

    def advance(self, job: Job, source_id: UUID, page: Page) -> None:
        """Write with the job's result how far the source is read now; it never goes backwards."""
        job.write(self._sql["advance"], source_id, page.last_message_id, page.etag, page.last_modified)

    def fail(self, job: Job, source_id: UUID, error: str) -> None:
        """Write with the job's result why the source can't be read."""
        job.write(self._sql["fail"], source_id, error)

    async def failed(self, source_id: UUID, error: str) -> None:
        """Write at once why a run failed, where the job has no result to write it with."""
        await self._database.execute(self._sql["fail"], [source_id], [error])
