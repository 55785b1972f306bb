"""The panel in a real Chromium, before the real service on real servers. What the browser complains of fails a test."""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from common.testing.chromium import executable, running
from common.testing.newsroom import Newsroom

from ..conftest import Api
from .people import TIME_ZONE, Language, Role, Someone, Theme
from .watching import Troubles

DESKTOP, TABLET, PHONE, NARROWEST = 1440, 768, 390, 320  # px
HEIGHT = {DESKTOP: 900, TABLET: 1024, PHONE: 844, NARROWEST: 568}
WAIT_MS = 15_000.0
LOCALES = {"en": "en-GB", "ru": "ru-RU"}


@dataclass
class Panel:
    """The panel of a running API, and browsers that are signed in to it."""

    api: Api
    browser: Browser
    troubles: Troubles
    exits: AsyncExitStack

    async def context(
        self,
        role: Role | None = "editor",
        *,
        language: Language = "en",
        theme: Theme = "light",
        width: int = DESKTOP,
        scripts: bool = True,
        **given: Any,
    ) -> BrowserContext:
        """A browser of its own, in which somebody of that role has signed in; nobody, where it is None."""
        context = await self.browser.new_context(
            base_url=self.api.url,
            locale=LOCALES[language],
            timezone_id=TIME_ZONE,
            color_scheme="dark" if theme == "dark" else "light",
            reduced_motion="reduce",
            viewport={"width": width, "height": HEIGHT.get(width, 900)},
            has_touch=width < TABLET,
            java_script_enabled=scripts,
            **given,
        )
        self.exits.push_async_callback(context.close)
        context.set_default_timeout(WAIT_MS)
        self.troubles.watch(context)
        if role:
            someone = Someone(role, language, theme)
            await context.add_cookies([await someone.cookie(self.api.database, self.api.url)])  # type: ignore[list-item]
        return context

    async def page(self, role: Role | None = "editor", **given: Any) -> Page:
        """A page in a browser of its own; what is given is as for `context`."""
        return await (await self.context(role, **given)).new_page()

    async def visit(self, path: str, role: Role | None = "editor", **given: Any) -> Page:
        """A page in a browser of its own, at a path of the panel."""
        page = await self.page(role, **given)
        answer = await page.goto(path)
        assert answer
        assert answer.ok, f"{path}: {answer.status}"
        return page

    def expect(self, pattern: str) -> None:
        """Take what the browser complains of for no failure, where it matches; it has to complain of it."""
        self.troubles.expect(pattern)


@pytest.fixture(scope="session")
def chromium() -> Iterator[str]:
    """One Chromium for all tests of a process; the address that it is driven by. CI must have it."""
    if (path := executable()) is None:
        if os.environ.get("CI"):
            pytest.fail("CI has no Chromium: .ci/chromium installs it")
        pytest.skip("Chromium is not installed; .ci/chromium installs it, or POSTROOM_CHROMIUM says where it is")
    with running(path) as address:
        yield address


@pytest.fixture
async def browser(chromium: str) -> AsyncIterator[Browser]:
    """The connection of a test to Chromium."""
    expect.set_options(timeout=WAIT_MS)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.connect_over_cdp(chromium)
        yield browser
        await browser.close()


@pytest.fixture
async def panel(api: Api, browser: Browser) -> AsyncIterator[Panel]:
    """The panel; at the end nothing may have gone wrong in any browser."""
    troubles = Troubles()
    async with AsyncExitStack() as exits:
        yield Panel(api, browser, troubles, exits)
    troubles.check()


@pytest.fixture
async def newsroom(api: Api) -> Newsroom:
    """A newsroom in the middle of its day: something to show on every screen."""
    return await Newsroom.open(api.database, api.nats.jetstream())
