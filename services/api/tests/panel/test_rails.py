"""That the rails hold: what goes wrong in a browser is noticed."""

import pytest
from playwright.async_api import Browser

from .watching import Troubles, axe, overflow


async def test_trouble_in_a_browser_is_noticed(browser: Browser) -> None:
    troubles = Troubles()
    context = await browser.new_context(viewport={"width": 320, "height": 480})
    troubles.watch(context)
    page = await context.new_page()
    await page.goto(
        "data:text/html,<p style='width:400px'>wide</p><img src='data:,'><script>console.warn('look')</script>"
    )
    await page.evaluate("() => { setTimeout(() => { alert('hello'); throw new Error('broken') }) }")
    async with context.expect_event("weberror"):
        pass
    assert any("wide" in line for line in await overflow(page))
    assert {line.split(" ")[0] for line in await axe(page)} >= {"image-alt", "document-title", "html-has-lang"}
    await context.close()
    with pytest.raises(AssertionError, match=r"look.*\n.*hello.*\n.*broken"):
        troubles.check()
    for expected in ("look", "hello", "broken"):
        troubles.expect(expected)
    troubles.check()
    troubles.expect("never")
    with pytest.raises(AssertionError, match="did not happen"):
        troubles.check()
