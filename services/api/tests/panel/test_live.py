"""What open pages are told."""

import re

import httpx

from .conftest import Panel

STREAM = re.compile(r'hx-sse:connect="(/live[^"]*)"')


async def test_a_page_that_was_just_loaded_loads_nothing_anew(panel: Panel) -> None:
    [cookie] = await (await panel.context()).cookies()
    headers = {"Cookie": f"{cookie['name']}={cookie['value']}"}
    async with httpx.AsyncClient(base_url=panel.api.url, headers=headers, timeout=20) as browser:
        page = await browser.get("/")  # nobody looked at anything before
        found = STREAM.search(page.text)
        assert found
        async with browser.stream("GET", found[1].replace("&amp;", "&")) as stream:
            told = stream.aiter_lines()
            lines = [await anext(told)]
            while not any("hx-partial" in line for line in lines):
                lines.append(await anext(told))
            await panel.api.post("Something new")
            await panel.api.http.post("/sources", json={"kind": "feed", "address": "https://feeds.example.com/a.xml"})
            while not any(line.startswith("data: [[") for line in lines):
                lines.append(await anext(told))
    happened = next(line for line in lines if line.startswith("data: [["))
    assert '"*"' not in happened
    assert "change.create_source" in happened
