"""One stream per open page: what happened, in a word, and the parts that every page of a kind has in common.

The events are read once for all pages, gathered for a moment, and told as types with their posts: a page loads anew
what it shows of them. What many pages show alike, such as the Overview, is rendered once per kind of viewer.
"""

import asyncio
import json
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from uuid import UUID

from api.http.callers import Caller
from api.live.hub import RESET, Hub
from api.live.told import POSITION, Told
from api.live.wanted import Wanted
from api.panel.pages import Pages
from api.panel.viewer import Viewer
from common.postgres import UNREACHABLE
from common.tokens import SCOPES, Scope

log = logging.getLogger(__name__)

GATHER_SECONDS = 0.4  # so long events wait for others before they are told together
LATEST_SECONDS = 5.0  # between two looks at what is rendered, though nothing happened
SHARE = 10  # looking takes at most one part in so many of the time
KEPT_BATCHES = 512  # for pages that come back
MOST_TOLD = 64  # of what happened in one batch; above that it is "anything"
HEARTBEAT_SECONDS = 15.0
HEARTBEAT = b": here\n\n"
AGAIN_SECONDS = 1.0
EXPECTED_SECONDS = 10.0  # between the request for a page and its stream
ANYTHING = "*"
RAIL = "rail"  # the region that all pages have
WATCHER = Caller(UUID(int=0), "service:api", "admin")

Values: TypeAlias = Callable[[], Awaitable[Mapping[str, Any]]]
Kind: TypeAlias = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Region:
    """A part of pages that is rendered for all who look at it: a block of a template, with values read once."""

    template: str
    block: str
    values: Values
    target: str = ""  # where it goes, as a selector; empty: the block itself says so, part by part


@dataclass(frozen=True, slots=True)
class Batch:
    """What happened at about one time: types of events with their posts, by the scope that reads them."""

    id: int
    happened: Mapping[Scope, frozenset[tuple[str, str]]]

    def seen_by(self, viewer: Viewer) -> set[tuple[str, str]]:
        """Return what a viewer may hear of it."""
        return {each for scope, found in self.happened.items() if viewer.may(scope) for each in found}


@dataclass(eq=False, slots=True)
class Tab:
    """An open page."""

    viewer: Viewer
    region: str
    news: asyncio.Event = field(default_factory=asyncio.Event)
    told: int = 0  # the id of the last batch that it was told
    sent: dict[str, str] = field(default_factory=dict)  # the parts that it has

    @property
    def kind(self) -> Kind:
        """What makes viewers see a part differently."""
        return self.viewer.language, self.viewer.zone, self.viewer.scope


class Live:
    """Reads events while a page is open, and tells the open pages."""

    def __init__(self, hub: Hub, pages: Pages, regions: Mapping[str, Region]) -> None:
        self._hub = hub
        self._pages = pages
        self._regions = regions
        self._tabs: set[Tab] = set()
        self._somebody = asyncio.Event()
        self._stale = asyncio.Event()  # what is rendered
        self._batches: deque[Batch] = deque(maxlen=KEPT_BATCHES)
        self._since = now_id()  # nothing is known of what was before
        self._parts: dict[tuple[str, Kind], str] = {}
        self._counts: Mapping[str, int] = dict.fromkeys(("inbox", "dead", "alerts"), 0)
        self._expected_until = 0.0
        self._stopped = False

    def counts(self) -> Mapping[str, int]:
        """Return the counts of the rail as they were last looked at; none while nobody looks."""
        return self._counts

    def expect(self) -> None:
        """Listen already: a page is asked for, whose stream follows in a moment. So it need not load its parts anew."""
        self._expected_until = time.monotonic() + EXPECTED_SECONDS
        self._somebody.set()

    def _wanted(self) -> bool:
        if not self._tabs and time.monotonic() > self._expected_until:
            self._somebody.clear()
        return self._somebody.is_set()

    async def run(self) -> None:
        """Work until cancelled, while pages are open."""
        try:
            while True:
                await self._somebody.wait()
                self._since = now_id()
                self._batches.clear()
                await self._work()
                await asyncio.sleep(AGAIN_SECONDS if self._somebody.is_set() else 0)
        finally:
            self._stopped = True
            self._wake()

    async def _work(self) -> None:
        """Read and render until nobody looks any more, or one of the two has ended."""
        tasks = [asyncio.create_task(self._gather()), asyncio.create_task(self._render())]
        try:
            while self._wanted() and not any(task.done() for task in tasks):
                await asyncio.wait(tasks, timeout=AGAIN_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            for ended in await asyncio.gather(*tasks, return_exceptions=True):
                if isinstance(ended, Exception):
                    log.warning("the panel's live events: %r", ended)

    async def stream(
        self, viewer: Viewer, region: str, since: int, allowed: Callable[[], Awaitable[bool]]
    ) -> AsyncIterator[bytes]:
        """Give a page what it is told, as text/event-stream, for as long as it is `allowed`.

        `since` is until when the page knows everything, in milliseconds since 1970.
        """
        tab = Tab(viewer, region, told=since)
        self._tabs.add(tab)
        self._somebody.set()
        try:
            yield b"retry: 1000\n\n" + self._news(tab)
            loop = asyncio.get_running_loop()
            checked = loop.time()
            while not self._stopped:
                try:
                    async with asyncio.timeout(HEARTBEAT_SECONDS):
                        await tab.news.wait()
                    tab.news.clear()
                    yield self._news(tab)
                except TimeoutError:
                    yield HEARTBEAT
                if loop.time() - checked > HEARTBEAT_SECONDS:
                    checked = loop.time()
                    if not await allowed():
                        break
        finally:
            self._tabs.discard(tab)

    def _news(self, tab: Tab) -> bytes:
        """Return what a page was not told yet."""
        parts = b"".join(self._changed(tab, name) for name in (RAIL, tab.region))
        since = self._batches[0].id if len(self._batches) == KEPT_BATCHES else self._since
        happened: set[tuple[str, str]] = {(ANYTHING, "")} if tab.told < since else set()
        for batch in self._batches:
            if batch.id > tab.told:
                happened |= batch.seen_by(tab.viewer)
        tab.told = max(tab.told, self._batches[-1].id if self._batches else since)
        if len(happened) > MOST_TOLD:
            happened = {(kind, "") for kind, _ in happened}
        if not happened:
            return parts
        data = json.dumps(sorted(happened), separators=(",", ":"))
        return parts + f"id: {tab.told}\nevent: happened\ndata: {data}\n\n".encode()

    def _changed(self, tab: Tab, name: str) -> bytes:
        html = self._parts.get((name, tab.kind))
        if html is None or tab.sent.get(name) == html:
            return b""
        tab.sent[name] = html
        return "".join(f"data: {line}\n" for line in html.splitlines() if line.strip()).encode() + b"\n"

    def _wake(self) -> None:
        for tab in self._tabs:
            tab.news.set()

    async def _gather(self) -> None:
        """Read events and tell what happened, together with what else happened at about that time."""
        listener = self._hub.join(WATCHER, Wanted())
        waiting: list[Told] = []
        telling: asyncio.Task[None] | None = None
        heard = False

        async def tell() -> None:
            await asyncio.sleep(GATHER_SECONDS)
            happened: dict[Scope, set[tuple[str, str]]] = {scope: set() for scope in SCOPES}
            for event in waiting:
                happened[event.scope].add((ANYTHING if event.type == RESET else event.type, event.post_id or ""))
            waiting.clear()
            kept = {scope: frozenset(found) for scope, found in happened.items() if found}
            self._batches.append(Batch(now_id(), kept))
            self._stale.set()
            self._wake()

        try:
            async with aclosing(self._hub.follow(listener)) as pages:
                async for page in pages:
                    if not heard:  # nothing was told of what happened until now, while the listening began
                        heard, self._since = True, now_id()
                        self._wake()
                    waiting += [event for event in page if event.id is not None and event.type != POSITION]
                    if waiting and (telling is None or telling.done()):
                        telling = asyncio.create_task(tell())
        finally:
            self._hub.leave(listener)
            if telling:
                telling.cancel()

    async def _render(self) -> None:
        """Render the parts that are looked at, when something happened, and now and then."""
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            self._stale.clear()
            try:
                await self._look()
            except UNREACHABLE as error:
                log.warning("the panel's live parts: %r", error)
            await asyncio.sleep(max(GATHER_SECONDS, SHARE * (loop.time() - began)))
            with suppress(TimeoutError):
                async with asyncio.timeout(LATEST_SECONDS):
                    await self._stale.wait()

    async def _look(self) -> None:
        parts: dict[tuple[str, Kind], str] = {}
        for name, region in self._regions.items():
            looking = {tab.kind: tab.viewer for tab in self._tabs if name in (RAIL, tab.region)}
            if not looking:
                continue
            values = await region.values()
            if name == RAIL:
                self._counts = values["counted"]
            for kind, viewer in looking.items():
                html = self._pages.block(viewer, region.template, region.block, **values)
                opening = f'<hx-partial hx-target="{region.target}" hx-swap="outerMorph">'
                parts[name, kind] = f"{opening}{html}</hx-partial>" if region.target else html
        self._parts = parts
        for tab in self._tabs:
            if any(tab.sent.get(name) != parts.get((name, tab.kind)) for name in (RAIL, tab.region)):
                tab.news.set()


def now_id() -> int:
    """Return the time as the id of a batch: milliseconds since 1970."""
    return time.time_ns() // 1_000_000
