"""The screens of routes: drawn, written with a dry run beside, switched off and on, deleted."""

import re

from playwright.async_api import expect

from common.testing.newsroom import Newsroom

from .conftest import NARROWEST, Panel
from .watching import axe, overflow, shot


async def test_a_route_is_written_with_a_dry_run_beside(panel: Panel, newsroom: Newsroom) -> None:
    page = await panel.visit("/sources/routes")
    await page.get_by_role("link", name="Add a route").click()
    await page.get_by_label("Called").fill("Afisha in English")
    await page.get_by_label("Source", exact=True).select_option("Афиша Заречья")
    await page.get_by_label("Profile").select_option("Zarechensk in English")
    await page.get_by_label("Zarechensk on X").check()
    tried = page.locator("#tried")
    await expect(tried.locator(".tried > li")).to_have_count(5)
    await expect(tried).to_contain_text("a repeat of an earlier post: it goes no further")
    await expect(tried).to_contain_text("would be published")
    await page.get_by_label("by a person, in the Inbox").check()
    await expect(tried).to_contain_text("waits for a person")
    await page.get_by_label("at the next free slot:").check()
    await page.get_by_label("Mon").fill("9.00, 25:00")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("alert")).to_contain_text("It was not saved")
    panel.expect("422")
    await expect(page.get_by_label("Called")).to_have_value("Afisha in English")
    await page.get_by_label("Mon").fill("9.00, 18:30")
    await expect(tried).to_contain_text("the next free slot is")
    await shot(page, "route-tried")
    assert not [*await axe(page), *await overflow(page)]
    await page.get_by_label("what was published goes to chats too").check()
    await page.get_by_label("Chats", exact=True).fill("@maple_cycling\n@zarechensk_english")
    await page.get_by_role("button", name="Save").click()
    drawn = page.get_by_role("listitem").filter(has_text="Afisha in English").first
    await expect(drawn).to_contain_text("then broadcast to 2 chats")
    [route] = [
        each for each in (await panel.api.http.get("/routes")).json()["items"] if each["name"] == "Afisha in English"
    ]
    assert route["source_id"] == str(newsroom.sources["culture"])
    assert route["targets"] == ["x:zarechensk"]
    assert route["slots"]["times"] == {"1": ["09:00", "18:30"]}
    assert route["broadcast"]["chats"] == ["@maple_cycling", "@zarechensk_english"]
    assert route["approval"] is True


async def test_a_route_is_switched_off_and_on_and_deleted(panel: Panel, newsroom: Newsroom) -> None:
    route = newsroom.routes["port"]
    page = await panel.visit("/sources/routes", width=NARROWEST)
    row = page.locator(f"#route-{route}")
    await row.get_by_role("button", name="Switch off").click()
    await expect(row).to_have_class(re.compile("is-off"))
    await page.get_by_role("button", name="Undo").click()
    await expect(row).not_to_have_class(re.compile("is-off"))
    assert (await panel.api.http.get(f"/routes/{route}")).json()["enabled"] is True
    await row.get_by_role("link", name="Порт", exact=True).click()
    await page.get_by_role("button", name="Delete").click()
    await page.get_by_role("button", name="Delete it").click()
    await expect(page).to_have_url(re.compile("/sources/routes$"))
    assert (await panel.api.http.get(f"/routes/{route}")).status_code == 404


async def test_somebody_else_has_changed_the_route(panel: Panel, newsroom: Newsroom) -> None:
    route = newsroom.routes["port"]
    page = await panel.visit(f"/sources/routes/{route}")
    await panel.api.http.patch(f"/routes/{route}", json={"name": "Порт и причал"})
    await page.get_by_label("Called").fill("Гавань")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("alert")).to_contain_text("It was not saved")
    panel.expect("422")
    await expect(page.get_by_label("Called")).to_have_value("Гавань")
    assert (await panel.api.http.get(f"/routes/{route}")).json()["name"] == "Порт и причал"


async def test_a_dry_run_works_without_scripts_and_is_not_for_viewers(panel: Panel, newsroom: Newsroom) -> None:
    route = newsroom.routes["science"]
    page = await panel.visit(f"/sources/routes/{route}", scripts=False)
    await expect(page.locator(".tried > li")).to_have_count(4)
    await page.goto(f"/sources/routes/{newsroom.routes['city']}")
    page = await panel.visit(f"/sources/routes/{route}", "viewer")
    await expect(page.get_by_role("button", name="Save")).to_have_count(0)
    await expect(page.locator("#tried")).to_have_count(0)
