"""The panel: what a first visit weighs and takes, long lists, and many who watch while events flow."""

import asyncio
import re
import statistics
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import psutil
from playwright.async_api import Browser, BrowserContext, Page, async_playwright
from playwright.async_api import Error as BrowserError

from api.panel.sessions.cookie import PLAIN
from benchmarks.api import POSTS, ApiFailed, free_port, started
from benchmarks.figures import quantile
from benchmarks.servers import BenchServers, bench_servers
from benchmarks.telegram import running
from common.catalog import Catalog
from common.events import PostCollected, emitted
from common.testing import chromium
from common.testing.newsroom import Newsroom
from common.tokens import Tokens
from common.users import Sessions, Users

VISITED = {"inbox": "/inbox", "overview": "/"}
COLD_VISITS = 5
TABS = 25
WATCHED_SECONDS = 20.0
EVENTS_PER_SECOND = 10
LIVE_CHANGES = 10
LISTED = {"first": "/posts", "filtered": "/posts?q=usual"}
DEEP_PAGES = 200  # so many pages on
PAINT = "() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null"
COLLECTED = ".stages li:first-child b"
NOTE_CHANGES = """(watched) => {
  window.shown = [];
  const note = () => window.shown.push([Date.now(), document.querySelector(watched)?.textContent]);
  new MutationObserver(note).observe(document.body, {subtree: true, childList: true, characterData: true});
}"""
FOLLOWING = re.compile(r'href="(/posts\?[^"]*cursor=[^"]*)"')


class PanelFailed(Exception):
    """The panel did not start, or there is no browser, or it did not show what it should."""


@dataclass(frozen=True, slots=True)
class Running:
    """The panel of a running API, and somebody who is signed in."""

    url: str
    cookie: str
    process: psutil.Process

    @asynccontextmanager
    async def client(self) -> AsyncIterator[httpx.AsyncClient]:
        """A client that is signed in."""
        headers = {"Cookie": f"{PLAIN}={self.cookie}"}
        async with httpx.AsyncClient(base_url=self.url, headers=headers, trust_env=False, timeout=30) as client:
            yield client

    async def context(self, browser: Browser) -> BrowserContext:
        """A browser that was never here, and is signed in."""
        context = await browser.new_context(base_url=self.url, viewport={"width": 1440, "height": 900}, locale="en-GB")
        await context.add_cookies([{"name": PLAIN, "value": self.cookie, "url": self.url}])
        return context


async def measure_panel(*, posts: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Visit, list and watch. Raises PanelFailed."""
    if (path := chromium.executable()) is None:
        raise PanelFailed("Chromium is not here; POSTROOM_CHROMIUM says where it is")
    try:
        return await _measured(path, posts, say)
    except BrowserError as error:
        raise PanelFailed(str(error)) from error


async def _measured(path: str, posts: int, say: Callable[[str], None]) -> dict[str, Any]:
    async with bench_servers() as servers, _panel(servers) as panel:
        room = await Newsroom.open(servers.database, servers.stream)
        with chromium.running(path) as address:
            async with async_playwright() as playwright:
                browser = await playwright.chromium.connect_over_cdp(address)
                say(f"panel: {COLD_VISITS} first visits of {', '.join(VISITED)}")
                results = {f"panel_{name}_{figure}": value
                           for name, where in VISITED.items()
                           for figure, value in (await _visited(panel, browser, where)).items()}  # fmt: skip
                say(f"panel: {LIVE_CHANGES} changes that an open Overview shows")
                results |= await _followed(panel, browser, room)
                await browser.close()
        say(f"panel: {TABS} open Overviews for {WATCHED_SECONDS:.0f} s, {EVENTS_PER_SECOND} events a second")
        results |= await _watched(panel, room)
        say(f"panel: pages of 50 of {posts:,} posts")
        await servers.database.execute(POSTS, await Catalog(servers.database).put_source("import", "bench"), posts)
        await servers.database.execute("ANALYZE")
        return results | await _listed(panel)


@asynccontextmanager
async def _panel(servers: BenchServers) -> AsyncIterator[Running]:
    user = await Users(servers.database).create("bench", "a password for measuring", role="editor", by="bench")
    session = await Sessions(servers.database).start(
        user.id, address="127.0.0.1", agent="bench", language="en", time_zone="Europe/Moscow"
    )
    _, token = await Tokens(servers.database).create("bench", "read", expires_at=None, by="bench")
    port = free_port()
    environment = {**servers.environment, "API_PORT": str(port), "API_REQUESTS_PER_MINUTE": "0"}
    url, headers = f"http://127.0.0.1:{port}", {"Authorization": f"Bearer {token}"}
    async with running("api", environment) as process:
        async with httpx.AsyncClient(base_url=f"{url}/api/v1", headers=headers, trust_env=False) as client:
            try:
                await started(client)
            except ApiFailed as error:
                raise PanelFailed(str(error)) from error
        yield Running(url, session[1], psutil.Process(process.pid))


async def _visited(panel: Running, browser: Browser, where: str) -> dict[str, float]:
    """Return kB and responses of a first visit, and when it first showed something."""
    paints, sizes, responses = [], [], []
    for _ in range(COLD_VISITS):
        context = await panel.context(browser)
        page = await context.new_page()
        weight, number = await _weighed(context, page, where)
        sizes.append(weight / 1000)
        responses.append(number)
        if (paint := await page.evaluate(PAINT)) is None:
            raise PanelFailed(f"{where} shows nothing")
        paints.append(paint)
        await context.close()
    return {
        "kb": round(statistics.median(sizes), 1),
        "responses": statistics.median(responses),
        "first_paint_ms": round(statistics.median(paints)),
    }


async def _weighed(context: BrowserContext, page: Page, where: str) -> tuple[int, int]:
    """Open a page; return the bytes that came over the network, and in how many answers. The live stream is none."""
    session = await context.new_cdp_session(page)
    sizes: dict[str, int] = {}
    session.on("Network.loadingFinished", lambda told: sizes.update({told["requestId"]: told["encodedDataLength"]}))
    await session.send("Network.enable")
    await page.goto(where, wait_until="load")
    await page.evaluate("() => document.fonts.ready.then(() => true)")
    await page.wait_for_timeout(500)  # what is loaded after the page
    await session.detach()
    return sum(map(int, sizes.values())), len(sizes)


async def _followed(panel: Running, browser: Browser, room: Newsroom) -> dict[str, float]:
    """Return how long after it happened an open Overview shows a post that came in."""
    context = await panel.context(browser)
    page = await context.new_page()
    await page.goto("/", wait_until="load")
    await page.evaluate(NOTE_CHANGES, COLLECTED)
    collected = page.locator(COLLECTED)
    delays = []
    for number in range(LIVE_CHANGES):
        before = await collected.text_content()
        began = time.time() * 1000
        await _collect(room, number)
        end = time.monotonic() + 15
        while await collected.text_content() == before:
            if time.monotonic() > end:
                raise PanelFailed("an open Overview does not show what came in")
            await asyncio.sleep(0.02)
        shown = await page.evaluate("(old) => window.shown.find(([at, text]) => text !== old)?.[0]", before)
        delays.append((shown or time.time() * 1000) - began)
        await page.evaluate("() => { window.shown = [] }")
    await context.close()
    return {"panel_live_p50_ms": round(statistics.median(delays)), "panel_live_max_ms": round(max(delays))}


async def _collect(room: Newsroom, number: int) -> None:
    """Let a post come in, as the collector would."""
    source = room.sources["gorod"]
    row = await room.database.strict_fetch(
        "INSERT INTO posts (id, source_id, external_id, text) VALUES (gen_random_uuid(), $1, $2, 'Of the benchmark')"
        " RETURNING id",
        source,
        f"bench-{number}-{time.time_ns()}",
    )
    await _tell(room, row[0]["id"], source)


async def _tell(room: Newsroom, post_id: UUID, source: UUID) -> None:
    event = PostCollected(post_id=post_id, source_id=source)
    message = emitted(event, event_id=f"bench-{time.time_ns()}", consumer="collector", cause_id="bench")
    await room.stream.publish(message.subject, message.payload, headers=dict(message.headers))


async def _watched(panel: Running, room: Newsroom) -> dict[str, float]:
    """Return what share of a core the API needs while events flow, without anybody who watches and with many."""
    alone = await _busy(panel, room)
    opened: list[int] = []
    async with panel.client() as client, AsyncExitStack() as exits:
        for _ in range(TABS):
            stream = client.stream("GET", "/live", params={"region": "overview", "since": int(time.time() * 1000)})
            answer = await exits.enter_async_context(stream)
            if answer.status_code != 200:
                raise PanelFailed(f"the live stream answers {answer.status_code}")
            reading = asyncio.create_task(_drain(answer, opened))
            exits.callback(reading.cancel)
        watched = await _busy(panel, room)
    if len(opened) < TABS:
        raise PanelFailed(f"the {TABS} open pages were told only {len(opened)} times")
    return {
        "panel_cpu_alone_percent": round(alone, 1),
        "panel_cpu_watched_percent": round(watched, 1),
        "panel_cpu_of_tabs_percent": round(watched - alone, 1),
        "panel_told_kb_per_tab_and_minute": round(sum(opened) / 1000 / TABS * 60 / WATCHED_SECONDS, 1),
    }


async def _busy(panel: Running, room: Newsroom) -> float:
    """Let events flow; return the CPU of the API in percent of a core."""
    source, posts = room.sources["gorod"], room.in_order
    before, began = sum(panel.process.cpu_times()[:2]), time.monotonic()
    number = 0
    while (elapsed := time.monotonic() - began) < WATCHED_SECONDS:
        if number < elapsed * EVENTS_PER_SECOND:
            await _tell(room, posts[number % len(posts)], source)
            number += 1
        else:
            await asyncio.sleep(0.01)
    return (sum(panel.process.cpu_times()[:2]) - before) / (time.monotonic() - began) * 100


async def _drain(answer: httpx.Response, told: list[int]) -> None:
    async for chunk in answer.aiter_bytes():
        told += [len(chunk)]


async def _listed(panel: Running) -> dict[str, float]:
    """Return how long a page of 50 posts takes: the first, a deep one, one that is searched for."""
    results: dict[str, float] = {}
    async with panel.client() as client:
        places = dict(LISTED)
        where = places["first"]
        for _ in range(DEEP_PAGES):
            answer = await client.get(where)
            if answer.status_code != 200:
                raise PanelFailed(f"{where}: {answer.status_code}")
            following = FOLLOWING.findall(answer.text)
            if not following:
                break
            where = following[-1].replace("&amp;", "&")
        places["deep"] = where
        for name, place in places.items():
            times = []
            for _ in range(50):
                began = time.perf_counter()
                answer = await client.get(place, headers={"HX-Request": "true"})
                times.append((time.perf_counter() - began) * 1000)
                if answer.status_code != 200:
                    raise PanelFailed(f"{place}: {answer.status_code}")
            results[f"panel_posts_{name}_p50_ms"] = round(quantile(times, 0.5), 1)
            results[f"panel_posts_{name}_p95_ms"] = round(quantile(times, 0.95), 1)
    return results
