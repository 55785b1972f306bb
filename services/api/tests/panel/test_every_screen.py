"""What holds for every screen: it is readable by everybody, in both themes and languages, at any width."""

import re
from collections.abc import Sequence

import httpx
import pytest
from playwright.async_api import Page

from common.testing.newsroom import Newsroom

from .conftest import DESKTOP, NARROWEST, PHONE, TABLET, Panel
from .people import Language, Role, Theme
from .screens import SCREENS, STREAMS, listed, pages, routes
from .watching import axe, overflow, shot

ACTS = """() => [...document.querySelectorAll('*')].map((element) =>
  ['hx-post', 'hx-put', 'hx-patch', 'hx-delete', 'formaction'].map((name) => element.getAttribute(name)).find(Boolean)
    || (element.method === 'post' ? element.getAttribute('action') || location.pathname : null)).filter(Boolean)"""

SHARES = 3  # of the screens, so that none is looked at for long


def test_every_address_is_listed() -> None:
    assert routes() - set(SCREENS) == STREAMS, "list the new ones in screens.py"


@pytest.mark.parametrize("share", range(SHARES))
@pytest.mark.parametrize(
    ("language", "theme", "widths"), [("en", "light", (DESKTOP, TABLET)), ("ru", "dark", (PHONE, NARROWEST))]
)
async def test_every_screen(
    panel: Panel, newsroom: Newsroom, language: Language, theme: Theme, widths: tuple[int, ...], share: int
) -> None:
    await look(panel, newsroom, language, (theme,), widths, share)


@pytest.mark.soak
@pytest.mark.parametrize("share", range(SHARES))
@pytest.mark.parametrize("language", ["en", "ru"])
@pytest.mark.parametrize("width", [DESKTOP, TABLET, PHONE])
async def test_every_screen_in_every_way(
    panel: Panel, newsroom: Newsroom, language: Language, width: int, share: int
) -> None:
    await look(panel, newsroom, language, ("light", "dark"), (width, NARROWEST), share)


async def look(
    panel: Panel, newsroom: Newsroom, language: Language, themes: Sequence[Theme], widths: Sequence[int], share: int
) -> None:
    """Look at a share of the screens: by axe in each theme at the first width, for what sticks out at all of them."""
    found: list[str] = []
    shown = pages(newsroom)[share::SHARES]
    contexts = {
        role: await panel.context(role, language=language, theme="auto", width=widths[0])
        for role in {role for _, role in shown}
    }
    for address, role in shown:
        page = await contexts[role].new_page()
        if refusal := await _go(page, address):
            found.append(refusal)
            continue
        for theme in themes:
            await page.emulate_media(color_scheme=theme, reduced_motion="reduce")
            await shot(page, f"{_name(address)}-{widths[0]}-{theme}-{language}")
            found += [f"{address} {theme} {widths[0]} px: {line}" for line in await axe(page)]
        for width in (*widths, *([DESKTOP] if language == "ru" else [])):
            await page.set_viewport_size({"width": width, "height": 800})
            found += [f"{address} {language} {width} px: {line}" for line in await overflow(page)]
        found += [f"{address}: {line}" for line in await _outline(page)]
        await page.close()
    assert not found, "\n" + "\n".join(found)


async def test_nobody_is_offered_what_is_refused(panel: Panel, newsroom: Newsroom) -> None:
    context = await panel.context("viewer")
    [cookie] = await context.cookies()
    headers = {"Sec-Fetch-Site": "same-origin", "Cookie": f"{cookie['name']}={cookie['value']}"}
    asked: set[str] = {"/sign-out"}
    refused: list[str] = []
    async with httpx.AsyncClient(base_url=panel.api.url, headers=headers) as viewer:
        page = await context.new_page()
        for address, role in pages(newsroom):
            if role == "viewer":
                if refusal := await _go(page, address):
                    refused.append(refusal)
                for act in sorted(set(await page.evaluate(ACTS)) - asked):
                    asked.add(act)
                    if (await viewer.post(act)).status_code == 403:
                        refused.append(f"{address} offers {act}")
    assert not refused, "\n" + "\n".join(refused)

    roles: list[Role] = ["viewer", "editor", "admin"]
    for path, screen in listed().items():
        for role in roles[: roles.index(screen.role)] if screen.role else []:
            other = await (await panel.context(role)).request.get(screen.at(path, newsroom))
            assert other.status == 403, f"{path} for {role}: {other.status}"

    async with httpx.AsyncClient(base_url=panel.api.url) as stranger:
        for path in STREAMS | {screen.at(path, newsroom) for path, screen in listed().items() if screen.role}:
            page_of_sign_in = await stranger.get(path)
            assert page_of_sign_in.status_code == 303, path
            assert page_of_sign_in.headers["location"].startswith("/sign-in?next="), path
            assert (await stranger.get(path, headers={"HX-Request": "true"})).status_code == 401, path


async def _go(page: Page, address: str) -> str:
    """Open an address; returns what is wrong with its answer, if anything is."""
    answer = await page.goto(address)
    assert answer
    return "" if answer.status == 200 else f"{address}: {answer.status}"


async def _outline(page: Page) -> list[str]:
    """What else every page has: one heading of its own, a title, one main part."""
    title = await page.title()
    counts = {what: await page.locator(what).count() for what in ("h1", "main")}
    wrong = [f"{count} x {what}" for what, count in counts.items() if count != 1]
    return wrong + ([] if title.strip() else ["no title"])


def _name(address: str) -> str:
    """Return an address as the name of a file; ids say nothing."""
    words = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{64}", "one", address)
    return re.sub(r"\W+", "-", words).strip("-") or "overview"
