"""What goes wrong in a browser, and what can be said of a page that it shows."""

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.async_api import BrowserContext, ConsoleMessage, Dialog, Error, Page, Request

AXE = Path(__file__).parent / "vendor" / "axe.js"  # `make install` puts it there
TAGS = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]
RUN_AXE = "axe.run(document, {runOnly: {type: '%s', values: %s}, resultTypes: ['violations']})"
WIDER = """() => {
  const root = document.documentElement, width = root.clientWidth;
  if (root.scrollWidth <= width) return [];
  const clips = (each) => getComputedStyle(each).overflowX !== 'visible';
  const clipped = (element) => {
    for (let each = element.offsetParent; each && each !== document.body; each = each.offsetParent)
      if (clips(each)) return true;
    return getComputedStyle(element).position !== 'absolute' && [...parents(element)].some(clips);
  };
  function* parents(element) {
    for (let each = element.parentElement; each && each !== document.body; each = each.parentElement) yield each;
  }
  const named = (each) => each.tagName.toLowerCase() + (each.id ? '#' + each.id : '')
    + [...each.classList].map((name) => '.' + name).join('');
  return ['the page is ' + root.scrollWidth + ' px wide, of ' + width,
    ...[...document.querySelectorAll('body *')]
      .filter((element) => element.getBoundingClientRect().right > width + 1 && !clipped(element))
      .map((element) => named(element) + ' ends at ' + Math.round(element.getBoundingClientRect().right)).slice(0, 6)];
}"""


@dataclass
class Troubles:
    """Errors and warnings of the console, errors of scripts, failed requests, dialogs. None of them is to be."""

    found: list[str] = field(default_factory=list)
    _expected: list[str] = field(default_factory=list)

    def watch(self, context: BrowserContext) -> None:
        """Note what goes wrong in all pages of a browser's context."""
        context.on("console", self._said)
        context.on("weberror", lambda error: self.found.append(f"script: {error.error}"))
        context.on("requestfailed", self._failed)
        context.on("dialog", self._asked)

    def expect(self, pattern: str) -> None:
        """Take what matches for no trouble; it has to happen at least once."""
        self._expected.append(pattern)

    def check(self) -> None:
        """Fail where something went wrong, or where what was expected did not happen."""
        missing = [each for each in self._expected if not any(re.search(each, line) for line in self.found)]
        left = [line for line in self.found if not any(re.search(each, line) for each in self._expected)]
        assert not left, "the browser complains:\n" + "\n".join(left)
        assert not missing, f"it was expected, and did not happen: {missing}"

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning", "assert"):
            self.found.append(f"console: {message.text} ({message.location['url']})")

    def _failed(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # the page was left meanwhile
            self.found.append(f"request: {request.method} {request.url}: {request.failure}")

    async def _asked(self, dialog: Dialog) -> None:
        self.found.append(f"dialog: {dialog.type}: {dialog.message}")
        try:
            await dialog.dismiss()
        except Error:  # the page has gone
            return


async def axe(page: Page, *, only: str = "") -> list[str]:
    """Return what axe-core finds against WCAG 2.2 AA and good practice, or `only` one rule; a line for each element.

    The page's policy forbids scripts that are not its own, so that it goes by the protocol of the developer tools.
    """
    assert AXE.exists(), "axe-core is missing: `make install` fetches it"
    session = await page.context.new_cdp_session(page)
    try:
        there = await session.send("Runtime.evaluate", {"expression": "'axe' in window"})
        if not there["result"]["value"]:
            await session.send("Runtime.evaluate", {"expression": AXE.read_text("utf-8")})
        expression = RUN_AXE % (("rule", [only]) if only else ("tag", TAGS))
        answer = await session.send(
            "Runtime.evaluate", {"expression": expression, "awaitPromise": True, "returnByValue": True}
        )
    finally:
        await session.detach()
    assert "exceptionDetails" not in answer, answer["exceptionDetails"]
    return [line for violation in answer["result"]["value"]["violations"] for line in _lines(violation)]


def _lines(violation: dict[str, Any]) -> list[str]:
    return [
        f"{violation['id']} ({violation['impact']}): {' '.join(map(str, node['target']))}: "
        + "; ".join(check["message"] for kind in ("any", "all", "none") for check in node[kind])[:300]
        for node in violation["nodes"]
    ]


async def overflow(page: Page) -> list[str]:
    """Return which elements stick out to the right, where the page is wider than its window."""
    found: list[str] = await page.evaluate(WIDER)
    return found


async def shot(page: Page, name: str) -> None:
    """Keep a screenshot as NAME.png in the folder that POSTROOM_SCREENSHOTS names, where it does."""
    if folder := os.environ.get("POSTROOM_SCREENSHOTS"):
        await page.screenshot(path=Path(folder) / f"{name}.png", animations="disabled")
