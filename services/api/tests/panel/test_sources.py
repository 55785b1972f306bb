"""The screens of sources: adding one after a look at it, how it does, pausing and deleting it."""

import re
from typing import Any
from uuid import UUID

from playwright.async_api import Page, expect

from common.testing.newsroom import Newsroom
from common.testing.waiting import eventually

from .conftest import PHONE, Panel
from .watching import axe, overflow, shot

FOUND = {
    "what": "channel",
    "title": "Городской вестник",
    "posts": 1204,
    "newest": [
        {"text": "Мост открыли <b>сегодня</b>", "at": "2026-11-20T10:00:00+00:00", "url": None},
        {"text": "", "at": None, "url": None},
    ],
}


async def answer(panel: Panel, address: str, finding: dict[str, Any]) -> None:
    """Find something at an address, in the collector's place, as soon as somebody has asked."""

    async def asked() -> UUID | None:
        row = await panel.api.database.fetchrow(
            "SELECT id FROM source_checks WHERE address = $1 AND answered_at IS NULL", address
        )
        return row["id"] if row else None

    check = await eventually(asked)
    await panel.api.database.execute(
        "UPDATE source_checks SET answered_at = now(), finding = $2 WHERE id = $1", check, finding
    )


async def test_a_source_is_added_after_a_look_at_it(panel: Panel) -> None:
    page = await panel.visit("/sources")
    await expect(page.get_by_text("There is no source yet")).to_be_visible()
    await page.get_by_role("link", name="Add a source").click()
    await page.get_by_label("A Telegram channel or a feed").press_sequentially("https://t.me/City_Herald/42")
    await answer(panel, "@city_herald", FOUND)
    await expect(page.locator(".found-head")).to_contain_text("Городской вестник")
    await expect(page.locator(".found-head")).to_contain_text("Telegram channel @city_herald · 1,204 posts there")
    await expect(page.get_by_text("Мост открыли <b>сегодня</b>")).to_be_visible()  # as text
    await expect(page.get_by_label("Called")).to_have_value("Городской вестник")
    await shot(page, "source-found")
    assert not [*await axe(page), *await overflow(page)]
    await page.get_by_label("Read it").select_option("every hour")
    await page.get_by_role("button", name="Add the source").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Городской вестник")
    await expect(page.get_by_text("Nowhere yet: no route takes them.")).to_be_visible()
    await page.get_by_label("A Telegram channel or a feed").wait_for(state="detached")
    [source] = (await panel.api.http.get("/sources")).json()["items"]
    assert (source["address"], source["schedule"]) == ("@city_herald", "0 * * * *")
    assert await panel.api.emitted("check.requested")  # and nothing was collected by the look
    await page.goto("/sources/add?address=%40city_herald")
    await page.get_by_role("button", name="Look", exact=True).click()
    await answer(panel, "@city_herald", FOUND)
    await expect(page.get_by_role("link", name="Open it")).to_have_attribute("href", f"/sources/{source['id']}")


async def test_what_is_no_source_is_said_with_what_to_do(panel: Panel) -> None:
    page = await panel.visit("/sources/add", language="ru", theme="dark", width=PHONE)
    address = page.get_by_label("Канал Telegram или лента")
    await address.fill("https://t.me/+AbCdEfGh")
    await expect(page.get_by_role("alert")).to_contain_text("приглашение — не адрес")
    await address.fill("example.org")
    await answer(
        panel,
        "https://example.org",
        {
            "trouble": "not_a_feed",
            "detail": "not a feed: an HTML page ('Example')",
            "suggestions": [{"address": "https://example.org/feed.xml", "title": "Все новости"}],
        },
    )
    found = page.locator("#checked")
    await expect(found).to_contain_text("Там не лента")
    await expect(found).to_contain_text("Нужен адрес самой ленты")
    await shot(page, "source-not-found")
    assert not [*await axe(page), *await overflow(page)]
    await page.get_by_role("button", name="Все новости").click()
    await answer(panel, "https://example.org/feed.xml", FOUND | {"what": "rss", "title": "Example"})
    await expect(found).to_contain_text("Лента RSS")


async def test_looking_works_without_scripts(panel: Panel) -> None:
    page = await panel.visit("/sources/add", scripts=False)
    await page.get_by_label("A Telegram channel or a feed").fill("city_herald")
    await page.get_by_role("button", name="Look", exact=True).click()
    await answer(panel, "@city_herald", FOUND)
    await page.get_by_role("link", name="Look again").click()
    await page.get_by_role("button", name="Add the source").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Городской вестник")


async def test_the_list_says_how_sources_do(panel: Panel, newsroom: Newsroom) -> None:
    page = await panel.visit("/sources", language="ru")
    failing = page.locator(f"#source-{newsroom.sources['sales']}")
    await expect(failing).to_contain_text("Telegram просит подождать")
    await expect(page.locator(f"#source-{newsroom.sources['weather']}")).to_contain_text("стоит")
    await page.get_by_role("link", name="Сбоят").click()
    await expect(page.locator(".source-table [role=rowheader]")).to_have_count(1)
    await page.get_by_role("link", name="Все", exact=True).click()
    await page.get_by_role("searchbox").press_sequentially("наук")
    await expect(page.locator(".source-table [role=rowheader]")).to_have_count(1)
    assert page.url.endswith(("q=%D0%BD%D0%B0%D1%83%D0%BA", "q=наук"))
    await page.get_by_role("searchbox").fill("")
    await expect(failing).to_be_visible()
    await panel.api.http.patch(f"/sources/{newsroom.sources['sales']}", json={"title": "Переименован"})
    await expect(failing).to_contain_text("Переименован")  # live


async def test_a_source_is_paused_changed_and_deleted(panel: Panel, newsroom: Newsroom) -> None:
    source = newsroom.sources["gorod"]
    page = await panel.visit(f"/sources/{source}")
    await page.get_by_role("button", name="Collect now").click()
    await expect(page.locator("#toast")).to_contain_text("It is being read")
    assert (await panel.api.emitted("collect.requested"))[0]["source_id"] == str(source)
    await page.get_by_role("button", name="Pause", exact=True).click()
    await expect(page.locator(".where")).to_contain_text("paused")
    await page.get_by_role("button", name="Undo").click()
    await expect(page.locator(".where")).to_contain_text("healthy")
    await page.get_by_label("Read it").select_option("own")
    await page.get_by_label("Cron line").fill("* * * *")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("alert")).to_contain_text("five fields")
    panel.expect("422")
    await expect(page.get_by_label("Cron line")).to_have_value("* * * *")
    await page.get_by_label("Read it").select_option("every 5 minutes")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_label("Read it")).to_have_value("*/5 * * * *")
    await page.get_by_role("button", name="Delete").click()
    await expect(page.get_by_role("dialog")).to_contain_text("It has brought posts, so it stays")
    await page.keyboard.press("Escape")
    fresh = await _added(panel, "@nobody_reads")
    await panel.api.http.post(
        "/routes",
        json={
            "name": "r",
            "source_id": fresh,
            "profile_id": str(newsroom.profiles["city"]),
            "targets": ["telegram:@zarechensk_today"],
        },
    )
    await page.goto(f"/sources/{fresh}")
    await page.get_by_role("button", name="Delete").click()
    await expect(page.get_by_role("dialog")).to_contain_text("1 route that reads only from it is deleted with it.")
    await page.get_by_role("button", name="Delete it").click()
    await expect(page).to_have_url(re.compile("/sources$"))
    assert (await panel.api.http.get(f"/sources/{fresh}")).status_code == 404


async def test_only_an_admin_lets_a_feed_be_in_a_private_network(panel: Panel) -> None:
    refused = {"trouble": "address_refused", "detail": "refused: 10.0.0.1 is not a public address"}
    for role, offered in (("editor", 0), ("admin", 1)):
        page = await panel.visit("/sources/add", role)  # type: ignore[arg-type]
        await page.get_by_label("A Telegram channel or a feed").fill("http://10.0.0.1/feed")
        await answer(panel, "http://10.0.0.1/feed", refused)
        await expect(page.locator("#checked")).to_contain_text("Its address is in a private network")
        await expect(page.get_by_role("button", name="Allow it, and look")).to_have_count(offered)
    await page.get_by_role("button", name="Allow it, and look").click()
    await answer(panel, "http://10.0.0.1/feed", FOUND | {"what": "rss"})
    await page.get_by_role("button", name="Add the source").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Городской вестник")
    assert await page.get_by_label("It may be in a private network").is_checked()


async def _added(panel: Panel, address: str) -> str:
    added = await panel.api.http.post("/sources", json={"kind": "telegram", "address": address})
    return str(added.json()["id"])


async def test_destinations(panel: Panel, newsroom: Newsroom) -> None:
    page: Page = await panel.visit("/sources/destinations")
    await page.get_by_role("button", name="Add a destination").click()
    dialog = page.get_by_role("dialog", name="Add a destination")
    await dialog.get_by_label("Network", exact=True).select_option("X")
    await dialog.get_by_label("Address").fill("zarechensk_ru")
    await dialog.get_by_label("At most").fill("7")
    await dialog.get_by_role("button", name="Add it").click()
    row = page.get_by_role("row").filter(has_text="zarechensk_ru")
    await expect(row).to_contain_text("280 characters, longer ones as a thread")
    await expect(row).to_contain_text("7 an hour")
    await row.get_by_role("button", name="Change").click()
    await page.get_by_role("dialog").get_by_label("Called").fill("По-русски")
    await page.get_by_role("dialog").get_by_role("button", name="Save").click()
    await expect(page.get_by_role("row").filter(has_text="По-русски")).to_be_visible()
    found = (await panel.api.http.get("/destinations/x:zarechensk_ru")).json()
    assert (found["title"], found["posts_per_hour"]) == ("По-русски", 7)
    assert newsroom.routes
