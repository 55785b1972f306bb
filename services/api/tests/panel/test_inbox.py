"""The Inbox: deciding about posts with the keyboard, without losing a place or a word."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

from playwright.async_api import Page, Route, expect

from api.panel.sessions.cookie import PLAIN
from common.testing.newsroom import Newsroom

from .conftest import PHONE, Panel
from .people import Someone
from .watching import axe, overflow, shot

LIMIT = re.compile(r"of 4,096")
expect.set_options(timeout=15_000)


async def held(panel: Panel, number: int = 1, text: str = "Rewritten text of post {}", *, begin: int = 0) -> list[UUID]:
    """Posts that wait for a decision, the one that came last first."""
    found = []
    for each in range(begin, begin + number):
        post = await panel.api.post(f"Text of post {each} as it came in")
        _, rewrite = await panel.api.held(post)
        await panel.api.database.execute("UPDATE rewrites SET text = $2 WHERE id = $1", rewrite, text.format(each))
        found.insert(0, post)
    return found


async def shown(page: Page, post: UUID) -> None:
    """Wait until a post is shown, and its row marked."""
    await expect(page.locator("#post")).to_have_attribute("data-shown", str(post))
    await expect(page.locator(f"#row-{post}.is-current")).to_be_visible()


async def decision(panel: Panel, post: UUID) -> str:
    [routing] = (await panel.api.http.get(f"/posts/{post}")).json()["routings"]
    return str(routing["decision"])


async def test_an_editor_goes_through_the_list_by_keys(panel: Panel) -> None:
    first, second, third = await held(panel, 3)
    page = await panel.visit("/inbox")
    await shown(page, first)
    rows = await page.locator("#rows > li").all_text_contents()
    for key, post in (("j", second), ("j", third), ("k", second)):
        await page.keyboard.press(key)
        await shown(page, post)
    await expect(page).to_have_url(re.compile(str(second)))
    await page.keyboard.press("a")
    await shown(page, third)
    await expect(page.get_by_role("status").get_by_text("Approved", exact=True)).to_be_visible()
    assert await decision(panel, second) == "publish"
    await expect(page.locator(f"#row-{second}")).to_contain_text("Approved by editor")
    assert len(await page.locator("#rows > li").all()) == len(rows)  # nothing has moved
    await page.keyboard.press("k")  # what was decided is passed over
    await shown(page, first)
    await page.keyboard.press("u")
    await shown(page, second)
    assert await decision(panel, second) == "hold"


async def test_what_changed_and_what_each_network_gets(panel: Panel) -> None:
    [post] = await held(panel, text="**Rewritten** text of post as it came " + "in <b>full</b> " * 40)
    await panel.api.database.execute("UPDATE routings SET targets = '{telegram:@there,x:city,instagram:city}'")
    page = await panel.visit(f"/inbox/{post}")
    await expect(page.locator(".is-rewrite ins").first).to_contain_text("Rewritten")
    await expect(page.locator(".is-original del").first).to_be_visible()
    await page.get_by_role("link", name="Clean").click()
    await expect(page.locator("#post ins")).to_have_count(0)
    await expect(page.locator(".is-rewrite b")).to_have_count(0)  # what stands in the text is no markup
    preview = page.get_by_role("complementary", name="Preview")
    await expect(preview.locator("#counter-text")).to_contain_text(LIMIT)
    await preview.get_by_role("link", name="X", exact=True).click()
    await expect(preview.locator("#counter-text")).to_contain_text("a thread of 3 posts")
    await expect(preview.locator(".bubble")).to_have_count(3)
    await preview.get_by_role("link", name="Instagram").click()
    await expect(preview.get_by_text("Instagram takes none without")).to_be_visible()
    await expect(page.locator("#rows .flag")).to_contain_text("Instagram: needs an image")


async def test_a_post_is_rejected_with_a_reason(panel: Panel) -> None:
    first, second = await held(panel, 2)
    page = await panel.visit("/inbox")
    await page.keyboard.press("r")
    await page.get_by_label("Reason").fill("a advertisement")  # keys are silent here
    await page.keyboard.press("Enter")
    await shown(page, second)
    assert await decision(panel, first) == "reject"
    await page.get_by_role("link", name="Rejected").click()
    row = page.locator(f"#row-{first}")
    await expect(row).to_contain_text("a advertisement")
    await row.get_by_role("link").click()
    await expect(page.locator("#post").get_by_text("Rejected by editor")).to_be_visible()
    await page.get_by_role("button", name="Take it back").click()
    await shown(page, first)
    await expect(page.get_by_role("button", name="Approve")).to_be_visible()


async def test_a_post_is_scheduled_by_the_clock_of_the_editor(panel: Panel) -> None:
    [post] = await held(panel)
    page = await panel.visit("/inbox")
    await page.keyboard.press("s")
    field = page.get_by_label("When, by the clock of Europe/Moscow")
    there = (datetime.now(UTC) + timedelta(days=2)).replace(hour=9, minute=30, second=0, microsecond=0)
    await field.fill((there + timedelta(hours=3)).strftime("%Y-%m-%dT%H:%M"))
    await page.get_by_role("dialog").get_by_role("button", name="Schedule").click()
    await expect(page.get_by_text("Everything is decided")).to_be_visible()
    [plan] = (await panel.api.http.get(f"/scheduled-posts?post_id={post}")).json()["items"]
    assert plan["scheduled_time"] == f"{there:%Y-%m-%dT%H:%M:%SZ}"
    await page.get_by_role("link", name="Scheduled").click()
    await expect(page.locator(f"#row-{post}")).to_contain_text("12:30")
    panel.expect("422")
    await page.goto(f"/inbox/{post}")
    await page.keyboard.press("u")
    await expect(page.get_by_role("button", name="Schedule")).to_be_visible()
    await page.keyboard.press("s")
    await page.get_by_label("When, by the clock").fill("2020-01-01T10:00")
    await page.get_by_role("dialog").get_by_role("button", name="Schedule").click()
    await expect(page.get_by_text("has passed")).to_be_visible()  # and the post waits still
    assert await decision(panel, post) == "hold"


async def test_an_edit_is_previewed_and_saved_by_keys(panel: Panel) -> None:
    [post] = await held(panel)
    page = await panel.visit("/inbox")
    await page.keyboard.press("e")
    editor = page.get_by_label("Text of the post")
    await expect(editor).to_be_focused()
    await editor.fill("**A better headline**\n\nAnd a text. a j k")
    await expect(page.locator("#preview b").first).to_have_text("A better headline")
    await page.locator("#preview").get_by_role("link", name="X", exact=True).click()  # though it does not go there
    await expect(page.locator("#counter-text")).to_contain_text("of 280")
    await editor.press_sequentially("!")
    await expect(page.locator("#preview")).to_contain_text("a j k!")
    await expect(page.locator("#counter-text")).to_contain_text("of 280")
    await page.keyboard.press("Control+Enter")
    await expect(page.get_by_role("heading", name="A better headline")).to_be_visible()
    await expect(page.get_by_role("heading", name="Edited")).to_be_visible()
    [edit] = (await panel.api.http.get(f"/posts/{post}")).json()["edits"]
    assert (edit["text"], edit["entities"][0]["kind"]) == ("A better headline\n\nAnd a text. a j k!", "bold")
    await page.keyboard.press("e")
    await expect(editor).to_be_focused()
    await editor.fill("nothing of this")
    await page.keyboard.press("Escape")
    await expect(editor).to_have_count(0)
    await expect(page.get_by_role("heading", name="A better headline")).to_be_visible()
    await page.keyboard.press("e")
    await expect(editor).to_have_value(re.compile("A better headline"))
    await editor.fill("😀" * 2049)
    await page.keyboard.press("Control+Enter")
    await expect(page.get_by_role("alert")).to_contain_text("4098")
    await expect(editor).to_have_value("😀" * 2049)


async def test_what_is_typed_is_never_lost(panel: Panel) -> None:
    [post] = await held(panel)
    page = await panel.visit(f"/inbox/{post}?edit=1")
    editor = page.get_by_label("Text of the post")
    await editor.fill("My text")
    # Somebody else writes meanwhile: their words are not overwritten unseen, mine are not taken away.
    assert (await panel.api.http.patch(f"/posts/{post}", json={"text": "Their text"})).status_code == 200
    await page.keyboard.press("Control+Enter")
    await expect(page.get_by_role("alert")).to_contain_text("has changed the text meanwhile")
    await expect(page.get_by_role("alert")).to_contain_text("Their text")
    await expect(editor).to_have_value("My text")
    # The session ends: it is said, and the text stays; also when the page is left and comes back.
    panel.expect("401")
    await panel.api.database.execute("DELETE FROM user_sessions")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("status").get_by_text("nothing here is lost")).to_be_visible()
    await expect(editor).to_have_value("My text")
    cookie = await Someone("editor").cookie(panel.api.database, panel.api.url)
    assert cookie["name"] == PLAIN
    await page.context.add_cookies([cookie])  # type: ignore[list-item]
    await page.goto(f"/inbox/{post}?edit=1")
    await expect(editor).to_have_value("My text")
    await expect(page.get_by_text("This is what you typed before")).to_be_visible()
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("heading", name="My text")).to_be_visible()
    await page.keyboard.press("e")
    await expect(page.get_by_text("This is what you typed before")).to_be_hidden()


async def test_what_comes_late_takes_no_editor_away(panel: Panel) -> None:
    first, second = await held(panel, 2)
    page = await panel.visit("/inbox")
    await shown(page, first)
    held_back = asyncio.Event()

    async def late(route: Route) -> None:
        await held_back.wait()
        await route.continue_()

    await page.route(re.compile(f"/inbox/{first}$"), late)
    async with page.expect_request(re.compile(f"/inbox/{first}$")):  # as something happened to it
        assert (await panel.api.http.patch(f"/posts/{first}", json={"text": "Their text"})).status_code == 200
    await page.keyboard.press("e")
    editor = page.get_by_label("Text of the post")
    await editor.fill("What I type")
    async with page.expect_response(re.compile(f"/inbox/{first}$")):
        held_back.set()
    await expect(page.locator(f"#row-{first}")).to_contain_text("Their text")
    await expect(editor).to_have_value("What I type")
    assert second


async def test_another_rewrite_is_asked_for(panel: Panel) -> None:
    [post] = await held(panel)
    page = await panel.visit("/inbox")
    await page.keyboard.press("w")
    await page.get_by_label("Remark for the model").fill("Shorter, and livelier")
    await page.get_by_role("dialog").get_by_role("button", name="Rewrite again").click()
    await expect(page.locator("#post").get_by_text("editor has it rewritten")).to_be_visible()
    await expect(page.locator(f"#row-{post}")).to_contain_text("being rewritten")
    await expect(page.get_by_role("button", name="Approve")).to_have_count(0)
    [event] = await panel.api.emitted("rewrite.requested")
    assert (event["remark"], event["by"]) == ("Shorter, and livelier", "user:editor")
    await page.get_by_role("button", name="Take it back").click()
    await expect(page.get_by_role("button", name="Approve")).to_be_visible()


async def test_of_two_editors_one_wins_and_the_other_is_told(panel: Panel) -> None:
    first, second = await held(panel, 2)
    one, other = await panel.visit("/inbox"), await panel.visit("/inbox", "admin")
    await shown(other, first)
    await one.keyboard.press("a")
    await shown(one, second)
    # The other one sees it without a reload, and nothing to press any more.
    await expect(other.locator("#post").get_by_text("Approved by editor")).to_be_visible()
    await expect(other.get_by_role("button", name="Approve")).to_have_count(0)
    await expect(other.locator(f"#row-{first}")).to_contain_text("Approved by editor")
    await other.keyboard.press("j")
    await shown(other, second)
    # Both at once.
    await asyncio.gather(one.keyboard.press("a"), other.keyboard.press("r"))
    dialog = other.get_by_role("dialog")
    if await dialog.count():
        await expect(one.get_by_text("Everything is decided")).to_be_visible()
        await dialog.get_by_role("button", name="Reject").click()
    told = other.get_by_role("status").get_by_text("Decided already by editor")
    await expect(told.or_(other.locator("#post").get_by_text("Approved by editor")).first).to_be_visible()
    assert await decision(panel, second) == "publish"


async def test_new_posts_are_counted_and_never_move_the_list(panel: Panel) -> None:
    [old] = await held(panel)
    page = await panel.visit("/inbox")
    await shown(page, old)
    before = await page.locator("#rows").inner_html()
    await held(panel, 2, begin=1)
    await panel.api.http.post("/queues/rewrite_queue/pause", json={"reason": "something happens"})
    came = page.get_by_role("link", name=re.compile("2 new posts"))
    await expect(came).to_be_visible()
    assert await page.locator("#rows").inner_html() == before
    await came.click()
    await expect(page.locator("#rows > li")).to_have_count(3)
    await expect(came).to_have_count(0)


async def test_it_says_why_a_decision_can_not_be_taken_back(panel: Panel) -> None:
    [post] = await held(panel)
    page = await panel.visit("/inbox")
    await page.keyboard.press("a")
    await expect(page.get_by_text("Everything is decided")).to_be_visible()
    [event] = (await panel.api.http.get(f"/posts/{post}")).json()["routings"]
    assert event["decision"] == "publish"
    rows = await panel.api.database.fetch("SELECT id FROM publish_packages")
    assert rows == []
    await panel.api.emitted("publish.requested")
    await panel.api.database.execute(
        """WITH job AS (
               INSERT INTO jobs (consumer, event_id, queue, subject, post_id, status)
               SELECT 'publisher', o.id, 'publish_queue', 'publish.requested', $1, 'succeeded'
               FROM (SELECT $2::text AS id) o RETURNING event_id)
           SELECT FROM job""",
        post,
        await request_of(panel, post),
    )
    panel.expect("409")
    await page.keyboard.press("u")
    await expect(page.get_by_role("status").get_by_text("Too late to take it back")).to_be_visible()


async def request_of(panel: Panel, post: UUID) -> str:
    """The id of the publish request of an approval, as the audit log has it."""
    [entry] = await panel.api.database.fetch("SELECT after FROM audit_log WHERE action = 'approve_post'")
    return str(entry["after"]["package_ids"][0])


async def test_on_a_phone_list_and_post_are_pages(panel: Panel, newsroom: Newsroom) -> None:
    page = await panel.visit("/inbox", width=PHONE, language="ru", theme="dark")
    await expect(page.get_by_role("heading", name="Входящие")).to_be_visible()
    await expect(page.locator("#post")).to_be_hidden()
    first = page.locator("#rows > li").first
    post = await first.get_attribute("data-post")
    await first.get_by_role("link").click()
    await expect(page.locator("#post")).to_be_visible()
    await expect(page.locator("#rows")).to_be_hidden()
    assert await overflow(page) == []
    assert await axe(page) == []
    await page.get_by_role("button", name="Отклонить").click()
    await page.get_by_label("Причина").fill("реклама")
    await page.get_by_role("dialog").get_by_role("button", name="Отклонить").click()
    await expect(page.locator("#post")).not_to_have_attribute("data-shown", str(post))
    await page.get_by_role("link", name="К списку").click()
    await expect(page.locator("#rows")).to_be_visible()


async def test_the_image_of_a_post_is_shown_and_makes_its_text_a_caption(panel: Panel, newsroom: Newsroom) -> None:
    [post] = await held(panel, text="A text of some length. " * 60)
    [rewrite] = await panel.api.database.fetch("SELECT id FROM rewrites WHERE post_id = $1", post)
    place = f"rewrite/{rewrite['id']}"
    await panel.api.database.execute("SELECT attach_images($1, $2, $3)", [post], [place], [newsroom.images[0]])
    page = await panel.visit(f"/inbox/{post}")
    image = page.get_by_role("img", name="The image of the post")
    await expect(image).to_be_visible()
    assert await image.evaluate("image => image.decode().then(() => image.naturalWidth)") > 100
    counter = page.locator("#counter-text")
    await expect(counter).to_contain_text("of 1,024")
    await expect(counter).to_contain_text("characters are cut")
    await expect(page.locator("#preview .bubble-text")).to_contain_text("…")
    await expect(page.locator(f"#row-{post} .flag")).to_contain_text(re.compile(r"Telegram \+\d+"))
    await shot(page, "inbox-image")


async def test_a_viewer_reads_and_decides_nothing(panel: Panel) -> None:
    [post] = await held(panel)
    page = await panel.visit(f"/inbox/{post}?edit=1", "viewer")
    await expect(page.locator("#post")).to_contain_text("waits for a decision")
    for button in ("Approve", "Reject", "Schedule", "Rewrite again"):
        await expect(page.get_by_role("button", name=button)).to_have_count(0)
    await expect(page.get_by_label("Text of the post")).to_have_count(0)


async def test_it_works_without_scripts(panel: Panel) -> None:
    first, second = await held(panel, 2)
    page = await panel.visit("/inbox", scripts=False)
    await page.get_by_role("button", name="Approve").click()
    await expect(page).to_have_url(re.compile(str(second)))
    assert await decision(panel, first) == "publish"
    await page.goto(f"/inbox/{second}?edit=1")
    await page.get_by_label("Text of the post").fill("Typed without scripts")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("heading", name="Typed without scripts")).to_be_visible()


async def test_a_post_that_two_routes_hold_is_decided_for_each(panel: Panel) -> None:
    [post] = await held(panel)
    await panel.api.held(post)
    routings = (await panel.api.http.get(f"/posts/{post}")).json()["routings"]
    page = await panel.visit("/inbox")
    await expect(page.locator("#rows > li")).to_have_count(1)
    await page.locator(".routes a").last.click()
    await page.keyboard.press("a")
    await expect(page.get_by_role("status").get_by_text("Approved", exact=True)).to_be_visible()
    routings = (await panel.api.http.get(f"/posts/{post}")).json()["routings"]
    assert sorted(each["decision"] for each in routings) == ["hold", "publish"]
