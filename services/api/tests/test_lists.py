"""Lists of ten thousand rows, page by page."""

import json
from typing import Any
from uuid import UUID

from api.http.paging import END_OF_TIME
from api.post_filter import PostFilter

from .conftest import Api

ROWS = 10_000
FILL = {
    "sources": "INSERT INTO sources (kind, address) SELECT 'feed', 'https://a/' || n FROM generate_series(1, $1) n",
    "profiles": "INSERT INTO profiles (name) SELECT 'profile ' || n FROM generate_series(1, $1) n",
    "destinations": "INSERT INTO destinations (address) SELECT 'telegram:@a' || n FROM generate_series(1, $1) n",
    "routes": "WITH p AS (INSERT INTO profiles (name) VALUES ('p') RETURNING id) INSERT INTO routes (name, profile_id,"
    " targets) SELECT 'route ' || n, p.id, '{telegram:@a}' FROM p, generate_series(1, $1) n",
    "posts": "INSERT INTO posts (id, external_id, text, collected_at) SELECT gen_random_uuid(), n::text, 'text ' || n,"
    " now() - n / 3 * interval '1 s' FROM generate_series(1, $1) n",
    "jobs": "INSERT INTO jobs (consumer, event_id, queue, subject, status) SELECT 'c', n::text, 'q', 's', 'failed'"
    " FROM generate_series(1, $1) n",
    "dead-letters": "INSERT INTO dead_letters (consumer, event_id, queue, stream, sequence, subject, attempts,"
    " error_class, error, fingerprint) SELECT 'c', n::text, 'q', 's', n, 's', 1, 'e', 'e', n / 3"
    " FROM generate_series(1, $1) n",
    "operations": "INSERT INTO bulk_operations (kind, filter, status, total, created_by)"
    " SELECT 'k', '{}', 'done', 1, 'me' FROM generate_series(1, $1) n",
    "images": "INSERT INTO images (hash, object, origin, mime_type, size_bytes) SELECT lpad(to_hex(n), 64, '0'), n,"
    " 'source', 'image/png', 1 FROM generate_series(1, $1) n",
    "notifications": "INSERT INTO notifications (fingerprint, kind, severity, title) SELECT n::text, 'k', 'info', 't'"
    " FROM generate_series(1, $1) n",
    "chats": "INSERT INTO chats (address) SELECT '@chat' || n FROM generate_series(1, $1) n",
    "broadcasts": "INSERT INTO userbot_tasks (text) SELECT 't' FROM generate_series(1, $1) n",
    "budgets": "INSERT INTO budgets (name, period, limit_usd) SELECT n::text, 'day', 1 FROM generate_series(1, $1) n",
    "webhooks": "INSERT INTO webhooks (url, events, secret) SELECT 'https://a.example/' || n, '{publish.result}', 's'"
    " FROM generate_series(1, $1) n",
    "audit-log": "INSERT INTO audit_log (actor, action, object) SELECT 'a', 'b', 'c' FROM generate_series(1, $1) n",
    "content": "WITH p AS (INSERT INTO posts (id, external_id, text) SELECT gen_random_uuid(), 'brief ' || n, ''"
    " FROM generate_series(1, $1) n RETURNING id) INSERT INTO contents (id, post_id, title, created_by)"
    " SELECT id, id, 't', 'me' FROM p",
    "auto-posting/rules": "INSERT INTO auto_posting_rules (name, schedule_type, schedule_config, content_config,"
    """ platforms, created_by) SELECT n::text, 'daily', '{"times": ["12:00"]}', '{"title": "t"}', '{telegram:@a_b}',"""
    " 'me' FROM generate_series(1, $1) n",
}


async def test_every_list_with_ten_thousand_rows(api: Api) -> None:
    for noun, fill in FILL.items():
        table = TABLES.get(noun, noun)
        await api.database.strict.execute(fill, ROWS)
        await api.database.strict.execute(f"ANALYZE {table}")
        there = await api.database.lax.fetchval(f"SELECT count(*) FROM {table}")
        whole = noun == "posts"  # page by page to the end; of the others the first pages
        seen: list[str] = []
        cursor: str | None = None
        while whole or len(seen) < 600:
            answer = await api.http.get(f"/{noun}", params={"limit": 200, **({"cursor": cursor} if cursor else {})})
            assert answer.status_code == 200, answer.text
            seen += [repr(item) for item in answer.json()["items"]]
            cursor = answer.json()["next"]
            if cursor is None:
                assert "link" not in answer.headers
                break
            assert answer.headers["link"].endswith('rel="next"')
        assert len(seen) == len(set(seen)) == (there if whole else 600), noun


TABLES = {
    "content": "contents",
    "auto-posting/rules": "auto_posting_rules",
    "broadcasts": "userbot_tasks",
    "audit-log": "audit_log",
    "dead-letters": "dead_letters",
    "operations": "bulk_operations",
}


async def test_pages_hold_while_rows_come_and_go(api: Api) -> None:
    await api.database.strict.execute(FILL["posts"], 30)
    first = (await api.http.get("/posts?limit=10")).json()
    ids = [item["id"] for item in first["items"]]
    await api.database.execute("DELETE FROM posts WHERE id = $1", ids[-1])  # where the next page begins
    await api.post("newer than all")
    second = (await api.http.get("/posts", params={"limit": 20, "cursor": first["next"]})).json()
    ids += [item["id"] for item in second["items"]]
    assert len(ids) == len(set(ids)) == 30
    assert second["next"] is None


async def test_a_cursor_is_of_one_list(api: Api) -> None:
    await api.database.strict.execute(FILL["profiles"], 2)
    cursor = (await api.http.get("/profiles?limit=1")).json()["next"]
    assert (await api.http.get("/posts", params={"cursor": cursor})).status_code == 422


async def test_posts_of_one_time_are_read_by_the_page(api: Api) -> None:
    """An import brings any number of posts in one transaction, which has one time."""
    source = await api.source()
    await api.database.strict.execute(
        "INSERT INTO posts (id, source_id, external_id, text) SELECT gen_random_uuid(), $1, n::text, 'text'"
        " FROM generate_series(1, 100000) n",
        source,
    )
    await api.database.strict.execute("ANALYZE posts")
    first = (await api.http.get("/posts?limit=50")).json()
    second = (await api.http.get("/posts", params={"limit": 50, "cursor": first["next"]})).json()
    assert len({item["id"] for item in first["items"] + second["items"]}) == 100
    at = await api.database.lax.fetchval("SELECT collected_at FROM posts LIMIT 1")
    after = UUID(second["items"][-1]["id"])
    for plans in ("force_custom_plan", "force_generic_plan"):
        for wanted in (
            PostFilter(),
            PostFilter(state="pending"),
            *([PostFilter(source_id=source)] if plans == "force_custom_plan" else []),
        ):
            sql, filters = wanted.listing()
            for begin in ((END_OF_TIME, None), (at, after)):
                async with api.database.transaction() as connection:
                    await connection.execute(f"SET LOCAL plan_cache_mode = {plans}")
                    explain = f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}"
                    [plan] = json.loads(await connection.fetchval(explain, 51, *begin, *filters))
                assert rows_read(plan["Plan"]) < 1000, (plans, wanted, begin)


def rows_read(plan: dict[str, Any]) -> int:
    """How many rows a plan read of posts, those included that it threw away."""
    read = 0
    if plan.get("Relation Name") == "posts":
        read = plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)
    return int(read) * int(plan["Actual Loops"]) + sum(map(rows_read, plan.get("Plans", ())))
