"""The live view: collected → rewritten → published, and what fell out on the way."""

import asyncio
import sys
from collections import deque
from collections.abc import Awaitable, Callable

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from common.postgres import UNREACHABLE, Database, Queries

EVERY_SECONDS = 0.5
LINE_EVERY_SECONDS = 5.0  # where the output is not a terminal
RATE_WINDOW_SECONDS = 10.0

Stop = Callable[[], Awaitable[bool]]


class Funnel:
    """Shows the counts until `stop` says so."""

    def __init__(self, database: Database, title: str, links: dict[str, str]) -> None:
        self._database = database
        self._sql = Queries.load("common", "reconciliation.sql")
        self._title = title
        self._links = links
        self._counts: dict[str, int] = {}
        self._note = ""
        self._history: deque[tuple[float, int]] = deque()

    async def show(self, stop: Stop) -> None:
        """Show the funnel until `stop` returns True or the task is cancelled."""
        console = Console()
        if not console.is_terminal:
            await self._print_lines(stop)
            return
        with Live(self._render(), console=console, refresh_per_second=4, transient=False) as live:
            while not await stop():
                await self._look()
                live.update(self._render())
                await asyncio.sleep(EVERY_SECONDS)
            await self._look()
            live.update(self._render())

    async def _print_lines(self, stop: Stop) -> None:
        for name, url in self._links.items():
            print(f"{name}: {url}", flush=True)
        loop = asyncio.get_running_loop()
        printed = 0.0
        while not await stop():
            await self._look()
            if loop.time() - printed > LINE_EVERY_SECONDS:
                printed = loop.time()
                print(self._line(), flush=True)
            await asyncio.sleep(EVERY_SECONDS)
        await self._look()
        print(self._line(), flush=True)
        sys.stdout.flush()

    async def _look(self) -> None:
        try:
            row = await self._database.lax.fetchrow(self._sql["funnel"])
        except UNREACHABLE as error:
            self._note = f"the database is away ({type(error).__name__})"
            return
        assert row
        self._counts, self._note = dict(row), ""
        now = asyncio.get_running_loop().time()
        self._history.append((now, self._counts["published"]))
        while now - self._history[0][0] > RATE_WINDOW_SECONDS:
            self._history.popleft()

    @property
    def rate(self) -> float:
        """Publications per second over the last ten seconds."""
        if len(self._history) < 2:
            return 0.0
        (began, first), (ended, last) = self._history[0], self._history[-1]
        return (last - first) / max(0.001, ended - began)

    def _line(self) -> str:
        if not self._counts:
            return self._note or "starting"
        counts = self._counts
        return (
            f"collected {counts['collected']}  duplicates {counts['duplicates']}  rewritten {counts['rewritten']}  "
            f"illustrated {counts['illustrated']}  published {counts['published']}  waiting {counts['waiting']}  "
            f"scheduled {counts['scheduled']}  "
            f"broadcasts {counts['broadcasts']} ({counts['broadcast_messages']} messages)  failed {counts['failed']}  "
            f"{self.rate:.1f} posts/s  {self._note}".rstrip()
        )

    def _render(self) -> Group:
        heading = Text(self._title, style="bold")
        table = Table.grid(padding=(0, 2))
        counts = self._counts
        top = max(1, counts.get("collected", 0) - counts.get("duplicates", 0))
        for name, style in (("collected", "cyan"), ("rewritten", "blue"), ("published", "green")):
            value = counts.get(name, 0)
            table.add_row(
                name, str(value), ProgressBar(total=top, completed=min(value, top), width=40, complete_style=style)
            )
        side = Text.assemble(
            ("duplicates ", "dim"), (str(counts.get("duplicates", 0)), ""),
            ("   waiting to be sent ", "dim"), (str(counts.get("waiting", 0)), ""),
            ("   scheduled ", "dim"), (str(counts.get("scheduled", 0)), ""),
            ("   failed ", "dim"), (str(counts.get("failed", 0)), "red" if counts.get("failed") else ""),
            ("   rate ", "dim"), (f"{self.rate:.1f} posts/s", "bold"),
        )  # fmt: skip
        more = Text.assemble(
            ("illustrated ", "dim"), (str(counts.get("illustrated", 0)), ""),
            ("   broadcasts ", "dim"), (str(counts.get("broadcasts", 0)), ""),
            (", messages in chats ", "dim"), (str(counts.get("broadcast_messages", 0)), ""),
        )  # fmt: skip
        links = Text("\n".join(f"{name}: {url}" for name, url in self._links.items()))
        return Group(
            heading, table, side, more, links, Text(self._note or "Ctrl-C stops everything cleanly.", style="dim")
        )
