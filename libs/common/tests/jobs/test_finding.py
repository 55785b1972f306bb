"""Jobs found for a person, who is shown as many as there are, however long the search."""

from collections.abc import AsyncIterator

import pytest
from nats.aio.client import Client

from common.jobs import JobFilter, Jobs
from common.messaging.rails import Rails
from common.postgres import Database

FAILED = """
INSERT INTO jobs (consumer, event_id, queue, subject, status, trouble, error_class, last_error, created_at)
SELECT 'rewriter', n::text, 'rewrite_queue', 's', 'failed', 'failed', 'E', 'E: ' || CASE n % 900 WHEN 5 THEN 'odd' END,
       now() - n * interval '1 s'
FROM generate_series(1, 3000) n
"""


@pytest.fixture
async def jobs(nats_client: Client, database: Database) -> AsyncIterator[Jobs]:
    rails = Rails(nats_client.jetstream(), database)
    yield Jobs(nats_client, database, rails)
    rails.close()


async def test_a_search_goes_on_until_it_has_found_enough(jobs: Jobs, database: Database) -> None:
    await database.execute(FAILED)

    async def found(limit: int, **filters: str) -> list[str]:
        return [job.event_id for job in await jobs.find(JobFilter(**filters), limit=limit)]

    assert await found(50, error="odd") == ["5", "905", "1805", "2705"]
    assert await found(3, error="odd") == ["5", "905", "1805"]
    assert await found(50, error="no such text") == []
    assert await found(2, error_class="E") == ["1", "2"]
    assert await found(50) == [str(n) for n in range(1, 51)]
