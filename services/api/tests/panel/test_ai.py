"""Profiles in the browser: written, compared, restored, tried. The rewriter is played by the test."""

from typing import Any
from uuid import UUID

import pytest
from playwright.async_api import Page, expect

from common.catalog import Catalog
from common.testing.newsroom import Newsroom

from .conftest import PHONE, Panel
from .watching import axe, overflow

BRIDGE = "The bridge is open\n\nIt was opened on Monday, and 3,500 people came to see it."
CHANGED = "The bridge opened on Monday\n\nIt was opened on Monday, and 3,500 people came."


async def profile(panel: Panel, name: str = "Short news", **given: Any) -> UUID:
    values = {"style": "plain and friendly", "instructions": "Keep names.", "language": "en", "max_length": 700}
    return await Catalog(panel.api.database).put_profile(name, **values | given, by="user:pavel")


async def write(panel: Panel, number: int, text: str, **given: Any) -> None:
    """Do as the rewriter does with one run of the only trial."""
    values = {"status": "succeeded", "title": "The bridge", "model": "a-model", "cost_usd": 0.0125} | given
    values |= {"text": text, "calls": 1, "prompt_tokens": 800, "completion_tokens": 200, "duration_ms": 1500}
    names = ", ".join(f"{name} = ${place}" for place, name in enumerate(values, 2))
    await panel.api.database.execute(
        f"UPDATE profile_trial_runs SET ended_at = now(), {names} WHERE number = $1", number, *values.values()
    )


async def marked(page: Page, tag: str) -> list[str]:
    return [text.strip() for text in await page.locator(f"#trial .copy {tag}").all_text_contents()]


async def test_what_is_saved_is_a_version_that_can_be_compared_and_restored(panel: Panel) -> None:
    city = await profile(panel)
    page = await panel.visit("/ai")
    await page.get_by_role("link", name="Short news").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Short news")
    await page.get_by_label("Style").fill("dry and friendly")
    await expect(page.locator("#style-count")).to_have_text("16 / 20,000")
    await page.get_by_label("facts and figures").uncheck()
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator("#toast")).to_contain_text("Saved as version 2")
    await page.get_by_label("Style").fill("quite another one")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("#toast")).to_contain_text("Saved as version 3")
    await page.get_by_role("button", name="Undo").click()
    await expect(page.locator(".facts")).to_contain_text("version 4")
    await expect(page.get_by_label("Style")).to_have_value("dry and friendly")

    await page.locator(".facts").get_by_role("link", name="version 4").click()
    await expect(page.locator(".version-list li")).to_have_count(4)
    await expect(page.locator(".version-list li").last).to_contain_text("user:pavel")
    await page.get_by_label("Older version").select_option("1")
    await page.get_by_role("button", name="Compare").click()
    style = page.locator(".difference", has_text="Style")
    await expect(style.locator("del")).to_have_text("plain")
    await expect(style.locator("ins")).to_have_text("dry")
    await expect(page.locator(".difference", has_text="Keep").locator("del")).to_contain_text("facts")
    await page.locator(".version-list li", has_text="Version 1").get_by_role("button", name="Restore").click()
    await expect(page.locator("#toast")).to_contain_text("Version 5 says what version 1 said")
    found = (await panel.api.http.get(f"/profiles/{city}")).json()
    assert (found["version"], found["style"], found["keep"]) == (5, "plain and friendly", ["links", "facts", "quotes"])
    assert await axe(page) == []
    by = (await panel.api.http.get(f"/profiles/{city}/versions")).json()["items"][0]["created_by"]
    assert by == "user:editor"


async def test_what_is_wrong_stands_beside_its_field_and_nothing_typed_is_lost(panel: Panel) -> None:
    city = await profile(panel)
    await profile(panel, "Taken")
    page = await panel.visit(f"/ai/{city}")
    panel.expect("409")
    await page.get_by_label("Name").fill("Taken")
    await page.get_by_label("Style").fill("typed a while ago")
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator("#name-error")).to_contain_text("another profile")
    await expect(page.get_by_label("Style")).to_have_value("typed a while ago")

    panel.expect("412")
    await panel.api.http.patch(f"/profiles/{city}", json={"instructions": "Of somebody else."})
    await page.get_by_label("Name").fill("Short news")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("alert")).to_contain_text("this is version 2 now")
    await expect(page.get_by_label("Style")).to_have_value("typed a while ago")
    assert (await panel.api.http.get(f"/profiles/{city}")).json()["instructions"] == "Of somebody else."


async def test_a_draft_is_tried_beside_the_current_version_as_results_come(panel: Panel) -> None:
    city = await profile(panel)
    post = await panel.api.post("It was opened on Monday. 3,500 people came to see the bridge.", title="A bridge")
    page = await panel.visit(f"/ai/{city}")
    await page.get_by_label("Style").fill("terse <b>and</b> dry")
    await page.get_by_role("button", name="Try it").click()
    await expect(page.locator("#trial")).to_contain_text("2 texts are being written")
    events = await panel.api.emitted("trial.requested", 2)
    assert sorted(event["number"] for event in events) == [1, 2]
    await write(panel, 1, BRIDGE)
    await expect(page.locator("#trial .copy").first).to_contain_text("came to see it")  # without the other one
    await expect(page.locator("#trial")).to_contain_text("1 text is being written")
    await write(panel, 2, CHANGED)
    await expect(page.locator("#trial .copy ins").first).to_be_visible()
    assert await marked(page, "del") == ["is open", "to see it"]
    assert await marked(page, "ins") == ["opened on Monday"]
    await expect(page.locator("#trial .provenance").first).to_contain_text("1000 tokens")
    await expect(page.locator("#trial .trial-sum")).to_contain_text("$0.0250")
    await expect(page.locator("#trial")).not_to_have_attribute("hx-trigger", "every 1s")
    assert await axe(page) == []
    assert (await panel.api.http.get(f"/profiles/{city}")).json()["version"] == 1
    assert (await panel.api.http.get(f"/posts/{post}")).json()["rewrites"] == []

    await page.reload()  # the address has the trial: with it the draft comes back
    await expect(page.get_by_role("heading", name="Draft, not saved")).to_be_visible()
    await expect(page.get_by_label("Style")).to_have_value("terse <b>and</b> dry")
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator("#toast")).to_contain_text("Saved as version 2")


async def test_posts_are_searched_for_a_trial_and_a_refusal_is_shown(panel: Panel) -> None:
    city = await profile(panel)
    wanted = await panel.api.post("The ferry is back on its line after the repair.", title="A ferry")
    await panel.api.post("Nothing about ships.")
    page = await panel.visit(f"/ai/{city}")
    await page.get_by_label("Search posts").fill("ferry")
    await expect(page.locator("#found li")).to_have_count(1)
    await expect(page.get_by_label("these:")).to_be_checked()
    await page.locator("#found input").uncheck()
    panel.expect("422")
    await page.get_by_role("button", name="Try it").click()
    await expect(page.locator("#toast")).to_contain_text("Choose from one to 5 posts")
    await page.locator("#found input").check()
    await page.get_by_role("button", name="Try it").click()
    await expect(page.locator(".tried-post a")).to_have_attribute("href", f"/posts/{wanted}")
    await expect(page.locator(".tried-text")).to_have_count(2)  # the original, and the version: nothing is drafted
    await write(panel, 1, "", status="refused", reason="I can't <i>help</i>")
    await expect(page.locator("#trial")).to_contain_text("The model refused: I can't <i>help</i>")


async def test_a_profile_that_routes_use_stays_and_says_whose_it_is(panel: Panel) -> None:
    used, unused = await profile(panel), await profile(panel, "Unused")
    await Catalog(panel.api.database).put_route("The morning", profile_id=used, targets=["telegram:@there"])
    page = await panel.visit(f"/ai/{used}")
    await page.get_by_role("button", name="Delete…").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("The morning")
    await expect(dialog.get_by_role("button", name="Delete the profile")).to_have_count(0)
    await page.goto(f"/ai/{unused}")
    await page.get_by_role("button", name="Delete…").click()
    await page.get_by_role("button", name="Delete the profile").click()
    await page.wait_for_url("**/ai")
    await expect(page.locator("#profiles")).not_to_contain_text("Unused")


async def test_a_new_profile(panel: Panel) -> None:
    page = await panel.visit("/ai")
    await expect(page.locator("#profiles")).to_contain_text("There is no profile yet")
    await page.keyboard.press("n")
    await page.get_by_label("Name").fill("Evening")
    await page.get_by_label("Other things to keep").fill("hashtags, emoji")
    await page.get_by_role("button", name="Add the profile").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Evening")
    [made] = (await panel.api.http.get("/profiles")).json()["items"]
    assert (made["name"], made["keep"]) == ("Evening", ["links", "facts", "quotes", "hashtags", "emoji"])


@pytest.mark.parametrize("path", ["/ai", "/ai/{}", "/ai/{}/versions", "/ai/{}?trial={}"])
async def test_a_viewer_on_a_phone_reads_and_changes_nothing(panel: Panel, newsroom: Newsroom, path: str) -> None:
    page = await panel.visit(
        path.format(newsroom.profiles["city"], newsroom.trials[0]), "viewer", width=PHONE, language="ru", theme="dark"
    )
    assert await overflow(page) == []
    assert await axe(page) == []
    for name in ("Сохранить", "Попробовать", "Удалить…", "Вернуть", "Новый профиль"):
        await expect(page.locator("main").get_by_role("button", name=name)).to_have_count(0)


async def test_closed_gates_and_budgets_say_why(panel: Panel) -> None:
    await panel.api.database.execute(
        "INSERT INTO model_quotas (key, closed_until, reason)"
        " VALUES ('k', now() + interval '5 minutes', 'too <b>many</b>')"
    )
    page = await panel.visit("/ai")
    await expect(page.locator(".gate")).to_contain_text("Closed")
    await expect(page.locator(".gate")).to_contain_text("too <b>many</b>")
