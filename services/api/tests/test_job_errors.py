"""Jobs found by the class and the text of their last error, among thousands that had one."""

import json
from typing import Any

import pytest

from api.http.paging import END_OF_TIME
from common.jobs import JobFilter

from .conftest import Api

# A thousand were claimed at once, as it is when as many are retried: a page can't stop among them.
FAILED = """
INSERT INTO jobs (consumer, event_id, queue, subject, status, trouble, error_class, last_error, created_at)
SELECT 'c-' || n % 2, n::text, 'q-' || n % 2, 's', 'failed', 'failed', CASE WHEN n % 500 = 7 THEN 'Rare' ELSE 'E' END,
       'E: ' || CASE WHEN n % 900 = 5 THEN 'odd' ELSE 'even' END,
       now() - CASE WHEN n BETWEEN 1500 AND 2600 THEN 1500 ELSE n END * interval '1 s'
FROM generate_series(1, 5000) n
"""
ODD = {str(n) for n in range(1, 5001) if n % 900 == 5}


@pytest.fixture
async def failed(api: Api) -> None:
    await api.database.execute(FAILED)
    async with api.database.strict.acquire() as connection:
        await connection.execute("VACUUM ANALYZE jobs")


async def pages(api: Api, **filters: Any) -> list[list[str]]:
    """Follow `next` to the end."""
    found: list[list[str]] = []
    cursor: dict[str, str] = {}
    while True:
        answer = await api.http.get("/jobs", params=filters | cursor)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert ("link" in answer.headers) == (page["next"] is not None)
        found.append([item["event_id"] for item in page["items"]])
        if page["next"] is None:
            return found
        cursor = {"cursor": page["next"]}


@pytest.mark.usefixtures("failed")
async def test_short_pages_lead_to_all_that_have_a_text(api: Api) -> None:
    for limit in (50, 2, 1):
        found = await pages(api, error="ODD", limit=limit)
        every = [event_id for page in found for event_id in page]
        assert len(every) == len(set(every)), limit
        assert set(every) == ODD
        assert all(len(page) <= limit for page in found)
    assert await pages(api, error="no such text") == [[]] * 8
    assert [len(page) for page in await pages(api, error="odd", queue="q-1", error_class="E")] == [2, 1, 1, 2, 0]
    everything = [event_id for page in await pages(api, error="e", limit=200) for event_id in page]
    assert len(everything) == len(set(everything)) == 5000


@pytest.mark.usefixtures("failed")
@pytest.mark.parametrize("plans", ["force_custom_plan", "force_generic_plan"])
async def test_how_much_a_page_reads(api: Api, plans: str) -> None:
    wanted = {
        "text": (JobFilter(error="no such text"), 500),
        "text of a class": (JobFilter(error="no such text", error_class="E"), 510),
        "class": (JobFilter(error_class="E"), 120),
        "rare class": (JobFilter(error_class="Rare"), 10),
        "no class": (JobFilter(error_class="None"), 0),
    }
    for name, (each, most) in wanted.items():
        async with api.database.transaction() as connection:
            await connection.execute(f"SET LOCAL plan_cache_mode = {plans}")
            explain = f"EXPLAIN (ANALYZE, FORMAT JSON) {each.listing()}"
            [plan] = json.loads(await connection.fetchval(explain, 51, END_OF_TIME, None, *each.columns()))
        assert rows_fetched(plan["Plan"]) <= most, (name, plan)


def rows_fetched(plan: dict[str, Any]) -> int:
    """How many rows a plan fetched from the table, those included that it threw away."""
    fetched = 0
    if plan.get("Relation Name") == "jobs" and plan["Node Type"] != "Index Only Scan":
        fetched = plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)
    return int(fetched * plan["Actual Loops"]) + sum(map(rows_fetched, plan.get("Plans", ())))
