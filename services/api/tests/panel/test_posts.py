"""All posts, and one of them: found, followed while it happens, decided about."""

import re
from uuid import UUID

import pytest
from playwright.async_api import Page, expect

from common.testing.newsroom import Newsroom

from .conftest import NARROWEST, PHONE, Panel
from .watching import axe, overflow, shot

MANY = (
    "INSERT INTO posts (id, source_id, external_id, title, text, collected_at)"
    " SELECT gen_random_uuid(), $1, n::text, 'Title ' || n, 'A text of number ' || n, now() - n * interval '1 minute'"
    " FROM generate_series(1, $2::int) n"
)
ROWS = ".grid-row:not(.grid-head)"


async def many(panel: Panel, number: int) -> UUID:
    source = await panel.api.source("import", "many")
    await panel.api.database.execute(MANY, source, number)
    return source


async def titles(page: Page) -> list[str]:
    return await page.locator(f"{ROWS} .row-text b").all_inner_texts()


async def test_posts_are_turned_over_page_by_page(panel: Panel) -> None:
    await many(panel, 130)
    page = await panel.visit("/posts", "viewer")
    await expect(page.locator("#states a[aria-current]")).to_contain_text("130")
    assert await titles(page) == [f"Title {n}" for n in range(1, 51)]
    await expect(page.get_by_role("link", name="Previous page")).to_have_count(0)
    await page.keyboard.press("j")
    await expect(page.locator(ROWS).first).to_contain_text("Title 51")
    await page.get_by_role("link", name="Next page").click()
    await expect(page.locator(ROWS).first).to_contain_text("Title 101")
    await expect(page.get_by_role("link", name="Next page")).to_have_count(0)
    await page.get_by_role("link", name="Previous page").click()
    await expect(page.locator(ROWS).first).to_contain_text("Title 51")
    await page.keyboard.press("k")
    await expect(page.locator(ROWS).first).to_contain_text("Title 1 ")
    await expect(page.get_by_role("link", name="Previous page")).to_have_count(0)


async def test_posts_are_found_while_one_types(panel: Panel, newsroom: Newsroom) -> None:
    page = await panel.visit("/posts")
    await page.keyboard.press("/")
    await page.keyboard.type("трамв")  # the beginning of a word
    await expect(page.locator(ROWS)).to_have_count(3)
    await expect(page).to_have_url(re.compile(r"q=%D1"))
    await expect(page.locator("#q")).to_be_focused()
    await expect(page.locator(".chip")).to_contain_text("трамв")
    await page.get_by_role("link", name="Duplicates").click()
    await expect(page.locator(ROWS)).to_have_count(1)
    await expect(page.locator("#q")).to_have_value("трамв")
    await page.locator(".chip").click()
    await expect(page).to_have_url(re.compile(r"/posts\?state=duplicate$"))
    await page.goto("/posts")
    await page.get_by_label("Source").select_option(label="Порт Зареченска")
    await expect(page.locator(f"{ROWS} .row-source").first).to_have_text("Порт Зареченска")
    assert set(await page.locator(f"{ROWS} .row-source").all_inner_texts()) == {"Порт Зареченска"}
    await page.goto("/posts?q=нетакогослова")
    await expect(page.get_by_text("No post is like that.")).to_be_visible()
    assert newsroom.posts


async def test_what_no_list_has_is_said(panel: Panel) -> None:
    page = await panel.page("viewer")
    panel.expect("422")
    for query in ("state=nonsense", "source=nonsense", "since=nonsense", "cursor=nonsense"):
        answer = await page.goto(f"/posts?{query}")
        assert answer
        assert answer.status == 422, query
        await expect(page.locator("h1")).to_be_visible()


async def test_the_page_of_a_post_follows_what_happens(panel: Panel) -> None:
    post = await panel.api.post("A bridge was opened today")
    await panel.api.held(post)
    page = await panel.visit(f"/posts/{post}")
    await expect(page.locator(".figures .post-state")).to_have_text("waits")
    await expect(page.get_by_role("link", name="Decide in the Inbox")).to_be_visible()
    first = page.locator(".step").first
    await first.locator("summary").click()
    await expect(first.locator(".step-data")).to_be_visible()
    await panel.api.http.post(f"/posts/{post}/reject", json={"reason": "stale <b>news</b>"})
    await expect(page.locator(".figures .post-state")).to_have_text("rejected", timeout=2500)
    await expect(page.locator(".timeline")).to_contain_text("stale <b>news</b>")
    await expect(first.locator(".step-data")).to_be_visible()  # what was open stays open


async def test_a_post_is_published_tried_again_and_called_off(panel: Panel) -> None:
    post = await panel.api.post("A post to be published")
    await panel.api.http.post("/destinations", json={"address": "telegram:@somewhere", "title": "Somewhere"})
    page = await panel.visit(f"/posts/{post}")
    await page.get_by_role("button", name="Publish").click()
    dialog = page.get_by_role("dialog", name="Publish now at")
    await dialog.get_by_label("Somewhere").check()
    await dialog.get_by_role("button", name="Publish").click()
    await expect(page.locator("#toast")).to_contain_text("It goes out to 1 destination")
    [event] = await panel.api.emitted("publish.requested")
    assert event["targets"] == ["telegram:@somewhere"]

    await panel.api.publication(post, "failed", "telegram:@somewhere")
    await panel.api.publication(post, "queued", "telegram:@other")
    await page.reload()
    await page.get_by_role("button", name="Call off").click()
    dialog = page.get_by_role("dialog", name="Call off")
    await expect(dialog).to_contain_text("@other")
    await expect(dialog).not_to_contain_text("@somewhere")
    await dialog.get_by_role("button", name="Call off").click()
    await expect(page.locator("#toast")).to_contain_text("telegram:@other")
    await page.get_by_role("button", name="Try again").click()
    dialog = page.get_by_role("dialog", name="Try again")
    await expect(dialog).to_contain_text("@somewhere")
    await dialog.get_by_role("button", name="Try again").click()
    [event] = await panel.api.emitted("publish.requested")
    assert set(event["targets"]) == {"telegram:@somewhere", "telegram:@other"}


async def test_who_may_only_read_is_offered_nothing(panel: Panel) -> None:
    post = await panel.api.post("A post to be read")
    await panel.api.publication(post, "failed")
    page = await panel.visit(f"/posts/{post}", "viewer")
    await expect(page.get_by_role("group", name="Actions").get_by_role("button")).to_have_count(0)
    refused = await page.request.post(f"/posts/{post}/retry", headers={"Origin": panel.api.url})
    assert refused.status == 403


async def test_raw_events_are_shown(panel: Panel) -> None:
    post = await panel.api.post("A post with events")
    await panel.api.database.execute(
        "INSERT INTO jobs (consumer, event_id, queue, subject, post_id, status)"
        " VALUES ('rewriter', 'e1', 'rewrite_queue', 'post.collected', $1, 'succeeded')",
        post,
    )
    await panel.api.database.execute(
        "INSERT INTO job_messages (consumer, event_id, payload, headers, sequence)"
        " VALUES ('rewriter', 'e1', $1, '{}', 7)",
        b'{"said": "<script>alert(1)</script>"}',
    )
    page = await panel.visit(f"/posts/{post}")
    await page.get_by_role("link", name="Show what was sent").click()
    event = page.locator(".event", has_text="post.collected")
    await event.locator("summary").click()
    await expect(event.locator("pre")).to_contain_text("<script>alert(1)</script>")


@pytest.mark.soak  # test_every_screen looks at it in two ways
async def test_a_post_reads_well_everywhere(panel: Panel, newsroom: Newsroom) -> None:
    post = newsroom.posts["published"][0]
    for given in ({"width": NARROWEST, "language": "ru"}, {"width": PHONE, "theme": "dark"}, {}):
        page = await panel.page(**given)  # type: ignore[arg-type]
        for name, path in (("posts", "/posts"), ("post", f"/posts/{post}"), ("every", f"/posts/{post}?every=1")):
            await page.goto(path)
            await shot(page, f"{name}-{given.get('width', 1440)}")
            assert await overflow(page) == [], (path, given)
            assert await axe(page) == [], (path, given)
        await page.close()


async def test_without_scripts(panel: Panel) -> None:
    await many(panel, 60)
    page = await panel.page("editor", scripts=False)
    await page.goto("/posts")
    await page.locator("#q").fill("number 7")
    await page.get_by_role("button", name="Filter").click()
    assert await titles(page) == ["Title 7"]
    await page.locator(f"{ROWS} a").first.click()
    await page.get_by_role("link", name="Show what was sent").click()
    await expect(page.get_by_role("heading", name="Raw events")).to_be_visible()
