"""The list of dead letters and their groups after a storm, and how fast a replay drains it."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import httpx

from benchmarks.api import ApiFailed, bench_api
from benchmarks.figures import quantile
from benchmarks.servers import BenchServers, bench_servers
from common.events.envelope import ID
from common.messaging.dead_letters import place

GROUPS = 20
LISTS = {
    "list": "/dead-letters?limit=50",
    "search": "/dead-letters?error=server%2042&limit=50",
    "groups": "/dead-letters/groups",
}
PATIENCE_SECONDS = 120.0
LETTERS = """
INSERT INTO dead_letters (consumer, event_id, queue, stream, sequence, subject, attempts, error_class, error,
                          fingerprint, died_at)
SELECT 'publisher', 'bench-' || n, 'publish_queue', 'PUBLISH', n, 'publish.requested', 5, 'TimeoutError',
       'TimeoutError: no answer from server ' || n, CASE WHEN n % 10 = 0 THEN md5((n % $2)::text) ELSE 'storm' END,
       now() - n * interval '10 ms'
FROM generate_series(1, $1::int) AS n
"""
PAYLOAD = b'{"text": "' + b"A text of a usual length. " * 20 + b'", "targets": ["telegram:@bench"]}'


async def measure_dead_letters(*, letters: int, requests: int, say: Callable[[str], None]) -> dict[str, Any]:
    """List and group letters, one request at a time, then replay them all. Raises ApiFailed."""
    say(f"dead letters: {letters:,} letters, {requests} requests of each kind")
    async with bench_servers() as servers:
        await fill(servers, letters)
        async with bench_api(servers, "write", timeout=30) as client:
            figures = {
                f"dead_letters_{name}_p95_ms": await slow_ms(client, path, requests) for name, path in LISTS.items()
            }
            drained = await drain(client)
    return {"dead_letters": letters, **figures, "dead_letters_replayed_per_second": round(letters / drained, 1)}


async def slow_ms(client: httpx.AsyncClient, path: str, requests: int) -> float:
    """Return what 19 of 20 requests stay under, one at a time. Raises ApiFailed."""
    times = []
    for _ in range(requests):
        began = time.perf_counter()
        answer = await client.get(path)
        times.append((time.perf_counter() - began) * 1000)
        if answer.status_code != 200 or not answer.json()["items"]:
            raise ApiFailed(f"{answer.status_code} at {answer.url}: {answer.text[:200]}")
    return round(quantile(times, 0.95), 1)


async def fill(servers: BenchServers, letters: int) -> None:
    """Write letters where deaths write them: the table, and the stream."""
    await servers.database.execute(LETTERS, letters, GROUPS)
    await servers.database.execute("ANALYZE")
    for first in range(1, letters + 1, 500):
        acks = [
            await servers.stream.publish_async(place("PUBLISH", "publisher", n), PAYLOAD, headers={ID: f"bench-{n}"})
            for n in range(first, min(first + 500, letters + 1))
        ]
        await asyncio.gather(*acks)


async def drain(client: httpx.AsyncClient) -> float:
    """Replay all, and return the seconds that it took. Raises ApiFailed."""
    began = time.perf_counter()
    answer = await client.post("/operations", json={"kind": "dead_letters.replay", "filter": {}})
    answer.raise_for_status()
    while time.perf_counter() < began + PATIENCE_SECONDS:
        operation = (await client.get(f"/operations/{answer.json()['id']}")).json()
        if operation["status"] == "done" and operation["done"] == operation["total"]:
            return time.perf_counter() - began
        if operation["status"] not in ("pending", "running"):
            raise ApiFailed(f"the replay ended as {operation}")
        await asyncio.sleep(0.1)
    raise ApiFailed(f"the replay was not done within {PATIENCE_SECONDS:.0f} s")
