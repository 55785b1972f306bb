"""Lists of ten thousand rows, page by page."""

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
    "images": "INSERT INTO images (hash, object, origin, mime_type, size_bytes) SELECT lpad(to_hex(n), 64, '0'), n,"
    " 'source', 'image/png', 1 FROM generate_series(1, $1) n",
    "notifications": "INSERT INTO notifications (fingerprint, kind, severity, title) SELECT n::text, 'k', 'info', 't'"
    " FROM generate_series(1, $1) n",
    "chats": "INSERT INTO chats (address) SELECT '@chat' || n FROM generate_series(1, $1) n",
    "broadcasts": "INSERT INTO userbot_tasks (text) SELECT 't' FROM generate_series(1, $1) n",
    "webhooks": "INSERT INTO webhooks (url, events, secret) SELECT 'https://a.example/' || n, '{publish.result}', 's'"
    " FROM generate_series(1, $1) n",
    "audit-log": "INSERT INTO audit_log (actor, action, object) SELECT 'a', 'b', 'c' FROM generate_series(1, $1) n",
}


async def test_every_list_with_ten_thousand_rows(api: Api) -> None:
    for noun, statement in FILL.items():
        table = TABLES.get(noun, noun)
        await api.database.strict.execute(statement, ROWS)
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


TABLES = {"broadcasts": "userbot_tasks", "audit-log": "audit_log"}


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
