"""What the panel serves besides pages: everything from here, once, and to be kept."""

import re

from api.panel.assets import SERVED, missing

from .conftest import Panel

FOREVER = "public, max-age=31536000, immutable"


async def test_everything_is_served_from_here_once(panel: Panel) -> None:
    assert not missing()
    asked: list[str] = []
    context = await panel.context(language="ru")
    context.on("request", lambda request: asked.append(request.url))
    page = await context.new_page()
    await page.goto("/", wait_until="load")
    await page.evaluate("() => document.fonts.ready.then(() => true)")
    assert len(asked) == len(set(asked))  # what is preloaded is what is used
    assert all(url.startswith(f"{panel.api.url}/") for url in asked)
    fonts = [url for url in asked if url.endswith(".woff2")]
    assert fonts
    versions = {match[1] for url in asked if (match := re.match(rf"{panel.api.url}/static/(\w+)/", url))}
    assert len(versions) == 1
    for name in SERVED.values():
        current = await context.request.get(f"/static/{versions.copy().pop()}/vendor/{name}")
        assert (current.status, current.headers["cache-control"]) == (200, FOREVER), name
        assert current.headers["x-content-type-options"] == "nosniff"
    older = await context.request.get("/static/older/vendor/htmx.js")
    assert (older.status, older.headers["cache-control"]) == (200, "no-cache")
    for outside in (
        "/static/x/..%2f..%2fpages.py",
        "/static/x/../../pages.py",
        "/static/x/%2e%2e/pages.py",
        "/static/x/",
    ):
        assert (await context.request.get(outside)).status == 404, outside
