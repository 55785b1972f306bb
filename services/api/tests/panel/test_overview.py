"""The Overview, and what every page has: live parts, keys, the palette."""

import re

from playwright.async_api import expect

from common.queues.records import QueueRecords
from common.testing.newsroom import Newsroom

from .conftest import Panel


async def test_an_empty_newsroom_says_what_to_do_next(panel: Panel) -> None:
    page = await panel.visit("/")
    await expect(page.get_by_text("Nothing: everything runs by itself.")).to_be_visible()
    await expect(page.get_by_role("link", name="Add a source")).to_have_attribute("href", "/sources")


async def test_it_shows_what_needs_a_person_and_how_all_stands(panel: Panel, newsroom: Newsroom) -> None:
    page = await panel.visit("/")
    needed = page.get_by_role("region", name="Needs a person")
    await expect(needed.get_by_role("link", name="Inbox")).to_be_visible()
    await expect(needed.get_by_text(re.compile(r"posts? waits? for you"))).to_be_visible()
    await expect(page.get_by_role("row", name=re.compile("rewrite_queue"))).to_be_visible()
    await expect(page.get_by_role("region", name="Latest").get_by_role("listitem")).not_to_have_count(0)


async def test_what_happens_is_shown_within_a_second_or_two_without_a_reload(panel: Panel) -> None:
    page = await panel.visit("/")
    await expect(page.locator("#pulse")).not_to_have_class(re.compile("is-lost"))
    await panel.api.held(await panel.api.post("Первый пост, который ждёт решения"))
    response = await panel.api.http.post("/queues/rewrite_queue/pause", json={"reason": "a look"})
    assert response.status_code == 200
    row = page.get_by_role("row", name=re.compile("rewrite_queue"))
    await expect(row.get_by_role("button", name="Resume rewrite_queue")).to_be_visible()
    await expect(page.locator("#inbox-count")).to_have_text("1")


async def test_an_editor_pauses_and_resumes_in_place(panel: Panel) -> None:
    page = await panel.visit("/")
    row = page.get_by_role("row", name=re.compile("publish_queue"))
    await row.get_by_role("button", name="Pause publish_queue").click()
    await expect(row.get_by_text("paused")).to_be_visible()
    pauses = await QueueRecords(panel.api.database).pauses()
    assert [(pause.queue, pause.paused_by.partition(":")[0]) for pause in pauses] == [("publish_queue", "user")]
    await row.get_by_role("button", name="Resume publish_queue").click()
    await expect(row.get_by_text("high priority")).to_be_visible()


async def test_a_viewer_only_looks(panel: Panel) -> None:
    page = await panel.visit("/", "viewer")
    await expect(page.get_by_role("row", name=re.compile("publish_queue"))).to_be_visible()
    await expect(page.get_by_role("button", name=re.compile("Pause"))).to_have_count(0)


async def test_it_works_without_scripts(panel: Panel) -> None:
    page = await panel.visit("/", scripts=False)
    await page.get_by_role("button", name="Pause publish_queue").click()
    await expect(page.get_by_role("button", name="Resume publish_queue")).to_be_visible()


async def test_keys_go_to_pages_and_the_palette_finds_them(panel: Panel) -> None:
    page = await panel.visit("/")
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog", name="Shortcuts")).to_be_visible()
    await page.keyboard.press("Escape")
    await page.keyboard.press("Control+k")
    palette = page.get_by_role("dialog", name="Go to…")
    await palette.get_by_role("combobox").fill("cal")
    await expect(palette.get_by_role("option", name="Calendar")).to_have_attribute("aria-selected", "true")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/calendar")
    await page.keyboard.press("g")
    await page.keyboard.press("o")
    await page.wait_for_url(re.compile(r"/$"))


async def test_single_keys_can_be_switched_off(panel: Panel) -> None:
    page = await panel.visit("/")
    await page.keyboard.press("?")
    await page.get_by_role("checkbox", name="Single-key shortcuts").uncheck()
    await page.get_by_role("button", name="Close").click()
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog", name="Shortcuts")).to_be_hidden()
