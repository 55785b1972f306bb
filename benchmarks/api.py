"""The REST API with many posts: requests a second, and how long the slowest take."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx

from benchmarks.figures import quantile
from benchmarks.servers import BenchServers, bench_servers
from benchmarks.telegram import running
from common.catalog import Catalog
from common.tokens import Scope, Tokens

AT_ONCE = 8
START_SECONDS = 30.0
POSTS = """
INSERT INTO posts (id, source_id, external_id, title, text, collected_at)
SELECT gen_random_uuid(), $1, n::text, 'Title ' || n, repeat('A text of a usual length. ', 20) || n,
       now() - n * interval '1 minute'
FROM generate_series(1, $2::int) AS n
"""
SOME = "SELECT id FROM posts ORDER BY id LIMIT 500"


class ApiFailed(Exception):
    """The API did not start, or a request was not answered as it should be."""


async def measure_api(*, posts: int, requests: int, say: Callable[[str], None]) -> dict[str, Any]:
    """List and read posts, several at once. Raises ApiFailed."""
    say(f"api: {posts:,} posts, {requests} requests of each kind")
    async with bench_servers() as servers:
        source = await Catalog(servers.database).put_source("import", "bench")
        await servers.database.execute(POSTS, source, posts)
        await servers.database.execute("ANALYZE")
        ids = [row["id"] for row in await servers.database.fetch(SOME)]
        async with bench_api(servers, limits=httpx.Limits(max_connections=AT_ONCE)) as client:
            listed = await measured(client, ["/posts?limit=50"] * requests)
            read = await measured(client, [f"/posts/{ids[number % len(ids)]}" for number in range(requests)])
    return {
        "api_posts": posts,
        **{f"api_list_{name}": value for name, value in listed.items()},
        **{f"api_read_{name}": value for name, value in read.items()},
    }


@asynccontextmanager
async def bench_api(servers: BenchServers, scope: Scope = "read", **options: Any) -> AsyncIterator[httpx.AsyncClient]:
    """Run the API before the servers for a block; yields a client with a token. Raises ApiFailed.

    `options` are the client's.
    """
    _, secret = await Tokens(servers.database).create("bench", scope, expires_at=None, by="bench")
    port = free_port()
    environment = {**servers.environment, "API_PORT": str(port), "API_REQUESTS_PER_MINUTE": "0"}
    address, headers = f"http://127.0.0.1:{port}/api/v1", {"Authorization": f"Bearer {secret}"}
    async with (
        running("api", environment),
        httpx.AsyncClient(base_url=address, headers=headers, trust_env=False, **options) as client,
    ):
        await started(client)
        yield client


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


async def started(client: httpx.AsyncClient) -> None:
    """Wait until the API answers. Raises ApiFailed."""
    patient_until = time.monotonic() + START_SECONDS
    while time.monotonic() < patient_until:
        with suppress(httpx.TransportError):
            (await client.get("/posts?limit=1")).raise_for_status()
            return
        await asyncio.sleep(0.2)
    raise ApiFailed(f"no answer within {START_SECONDS:.0f} s")


async def measured(client: httpx.AsyncClient, paths: Sequence[str]) -> dict[str, float]:
    """Return the requests a second and the latencies in ms. Raises ApiFailed."""
    left, times = list(paths), []

    async def ask() -> None:
        while left:
            began = time.perf_counter()
            answer = await client.get(left.pop())
            times.append((time.perf_counter() - began) * 1000)
            if answer.status_code != 200:
                raise ApiFailed(f"{answer.status_code} at {answer.url}: {answer.text[:200]}")

    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(ask())
    return {
        "requests_per_second": round(len(paths) / (time.perf_counter() - began), 1),
        "p50_ms": round(quantile(times, 0.5), 1),
        "p99_ms": round(quantile(times, 0.99), 1),
    }
