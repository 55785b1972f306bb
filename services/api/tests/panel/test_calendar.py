"""The calendar in the browser: moved by mouse, finger and keyboard, over both changes of the clocks."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from playwright.async_api import Locator, Page, expect

from .conftest import PHONE, Panel
from .watching import axe, overflow, shot

TARGET = "telegram:@planned"
# Berlin puts its clocks forward on Sunday 29 March 2099, and back on Sunday 25 October.
SPRING_WEEK = "/calendar?view=week&date=2099-03-25"


async def plan(panel: Panel, at: str, target: str = TARGET, text: str = "A post that is planned") -> str:
    post = await panel.api.post(f"{text} {uuid4()}")
    body = {"post_id": str(post), "target": target, "scheduled_time": at}
    answer = await panel.api.http.post("/scheduled-posts", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def visit(panel: Panel, path: str, **given: Any) -> Page:
    """A page of somebody in Berlin; their browser is somewhere else."""
    page = await panel.page(**given)
    await panel.api.database.execute("UPDATE users SET time_zone = 'Europe/Berlin'")
    await page.goto(path)
    return page


async def time_of(panel: Panel, scheduled_id: str) -> str:
    planned = (await panel.api.http.get(f"/scheduled-posts/{scheduled_id}")).json()
    return str(planned["scheduled_time"])


async def drag(page: Page, slot: Locator, place: Locator, part: float = 0.5) -> None:
    """Drag a post to a place; `part` of its height says where in it."""
    await place.scroll_into_view_if_needed()
    begin, end = await slot.bounding_box(), await place.bounding_box()
    assert begin
    assert end
    await page.mouse.move(begin["x"] + 20, begin["y"] + 8)
    await page.mouse.down()
    await page.mouse.move(begin["x"] + 30, begin["y"] + 18, steps=2)
    await expect(page.locator(".slot-ghost")).to_be_visible()
    await page.mouse.move(end["x"] + end["width"] / 2, end["y"] + end["height"] * part, steps=4)
    await page.mouse.up()


def hour(page: Page, day: str, number: int, fold: int = 0) -> Locator:
    return page.locator(f".hour[data-day='{day}'][data-hour='{number}'][data-fold='{fold}']")


async def test_a_drag_over_a_change_of_the_clocks_keeps_the_time_on_the_clock(panel: Panel) -> None:
    planned = await plan(panel, "2099-03-27T08:00:00Z")  # Friday, 09:00 CET
    page = await visit(panel, SPRING_WEEK)
    await expect(page.locator(".page-date")).to_contain_text("Europe/Berlin")
    slot, toast = page.locator(f"#slot-{planned}"), page.locator("#toast")
    await expect(slot.locator("time")).to_have_text("09:00")

    # The Sunday has 23 hours: none from 02:00 to 03:00.
    await expect(page.locator("#day-2099-03-29")).to_contain_text("23 h")
    await expect(hour(page, "2099-03-29", 2)).to_have_count(0)
    await expect(hour(page, "2099-03-28", 2)).to_have_count(1)
    await drag(page, slot, hour(page, "2099-03-29", 10), 0.6)
    await expect(toast).to_contain_text("Moved to Sun 29 March, 10:30")
    await expect(hour(page, "2099-03-29", 10).locator(f"#slot-{planned} time")).to_have_text("10:30")
    assert await time_of(panel, planned) == "2099-03-29T08:30:00Z"  # CEST

    await page.goto("/calendar?date=2099-03-25")
    await drag(page, slot, page.locator(".day[data-day='2099-03-28']"))
    await expect(toast).to_contain_text("Moved to Sat 28 March, 10:30")
    assert await time_of(panel, planned) == "2099-03-28T09:30:00Z"  # CET
    await drag(page, slot, page.locator(".day[data-day='2099-03-30']"))
    await expect(toast).to_contain_text("Moved to Mon 30 March, 10:30")
    assert await time_of(panel, planned) == "2099-03-30T08:30:00Z"
    await shot(page, "calendar-undo")
    await toast.get_by_role("button", name="Undo").click()
    await expect(toast).to_contain_text("It is back at Sat 28 March, 10:30")
    await expect(page.locator(f".day[data-day='2099-03-28'] #slot-{planned}")).to_be_visible()
    assert await time_of(panel, planned) == "2099-03-28T09:30:00Z"


async def test_a_time_that_is_missing_or_comes_twice_is_said_and_chosen_by_keyboard(panel: Panel) -> None:
    planned = await plan(panel, "2099-03-27T08:00:00Z")
    page = await visit(panel, SPRING_WEEK)
    slot, dialog, toast = page.locator(f"#slot-{planned}"), page.locator("#slot-dialog"), page.locator("#toast")
    await slot.focus()
    await page.keyboard.press("Enter")
    await expect(dialog.get_by_label("Day")).to_be_focused()
    assert await axe(page) == []
    await dialog.get_by_label("Day").fill("2099-03-29")
    await dialog.get_by_label("Time", exact=True).fill("02:30")
    await dialog.get_by_label("Time", exact=True).blur()
    await expect(dialog.locator("#when")).to_contain_text("there is no 02:30: the clocks go forward, so it is 03:30")
    await dialog.get_by_role("button", name="Move").click()
    await expect(toast).to_contain_text("Moved to Sun 29 March, 03:30")
    await expect(toast).to_contain_text("there is no 02:30 on that day")
    assert await time_of(panel, planned) == "2099-03-29T01:30:00Z"
    await expect(slot).to_be_focused()

    await page.keyboard.press("Enter")
    await dialog.get_by_label("Day").fill("2099-10-25")
    await dialog.get_by_label("Time", exact=True).fill("02:30")
    await dialog.get_by_label("Time", exact=True).blur()
    await dialog.get_by_label("the second").check()
    await dialog.get_by_role("button", name="Move").click()
    await expect(toast).to_contain_text("02:30 comes twice on that day; this is CET")
    assert await time_of(panel, planned) == "2099-10-25T01:30:00Z"

    # The Sunday has 25 hours, two of them from 02:00 to 03:00; a drag says which one is meant.
    await page.goto("/calendar?view=day&date=2099-10-25")
    await expect(page.locator("#day-2099-10-25")).to_contain_text("25 h")
    await expect(page.locator(".hour")).to_have_count(25)
    await expect(hour(page, "2099-10-25", 2, 1).locator(f"#slot-{planned}")).to_be_visible()
    await drag(page, slot, hour(page, "2099-10-25", 2, 0), 0.1)
    await expect(toast).to_contain_text("02:00 comes twice on that day; this is CEST")
    assert await time_of(panel, planned) == "2099-10-25T00:00:00Z"


async def test_a_finger_rests_on_a_post_and_moves_it(panel: Panel) -> None:
    planned = await plan(panel, "2099-03-27T08:00:00Z")
    await plan(panel, "2099-03-29T08:00:00Z")
    page = await visit(panel, "/calendar?view=list&date=2099-03-26", width=PHONE)
    assert await overflow(page) == []
    slot, place = page.locator(f"#slot-{planned}"), page.locator(".day[data-day='2099-03-29']")
    begin, end = await slot.bounding_box(), await place.bounding_box()
    assert begin
    assert end
    session = await page.context.new_cdp_session(page)

    async def touch(kind: str, *points: tuple[float, float]) -> None:
        given = [{"x": x, "y": y} for x, y in points]
        await session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": given})

    x, y = begin["x"] + 40, begin["y"] + 10
    await touch("touchStart", (x, y))
    await expect(page.locator(".slot-ghost")).to_be_visible()
    for part in (0.3, 0.6, 1.0):
        await touch("touchMove", (x, y + (end["y"] + 20 - y) * part))
    await expect(place).to_have_class("day is-target")
    await touch("touchEnd")
    await expect(page.locator("#toast")).to_contain_text("Moved to Sun 29 March, 09:00")
    assert await time_of(panel, planned) == "2099-03-29T07:00:00Z"
    assert not await page.evaluate("() => document.querySelector('dialog[open]')")


async def test_who_comes_second_is_told_and_sees_how_it_is(panel: Panel) -> None:
    planned = await plan(panel, "2099-03-27T08:00:00Z")
    page = await visit(panel, "/calendar?date=2099-03-25")
    slot = page.locator(f"#slot-{planned}")
    await slot.evaluate("(slot) => { document.getElementById('calendar').removeAttribute('data-live') }")
    await panel.api.http.patch(f"/scheduled-posts/{planned}", json={"scheduled_time": "2099-03-26T11:00:00Z"})
    await drag(page, slot, page.locator(".day[data-day='2099-03-30']"))
    await expect(page.locator("#toast")).to_contain_text("Somebody has changed it meanwhile")
    await expect(page.locator(f".day[data-day='2099-03-26'] #slot-{planned} time")).to_have_text("12:00")
    assert await time_of(panel, planned) == "2099-03-26T11:00:00Z"

    await panel.api.http.delete(f"/scheduled-posts/{planned}")  # and this is told live
    await expect(slot).to_have_count(0)


async def test_the_past_takes_nothing_and_escape_lets_go(panel: Panel) -> None:
    now = datetime.now(UTC)
    planned = await plan(panel, now.replace(year=now.year + 1, day=15, hour=12).isoformat())
    page = await visit(panel, f"/calendar?date={now.year + 1}-{now.month:02}-15")
    slot = page.locator(f"#slot-{planned}")
    before = await time_of(panel, planned)
    box = await slot.bounding_box()
    assert box
    await page.mouse.move(box["x"] + 20, box["y"] + 8)
    await page.mouse.down()
    await page.mouse.move(box["x"] - 120, box["y"] + 8, steps=3)
    await page.keyboard.press("Escape")
    await page.mouse.up()
    await expect(page.locator(".slot-ghost")).to_have_count(0)
    await slot.click()
    dialog = page.locator("#slot-dialog")
    await dialog.get_by_label("Day").fill("2020-01-01")
    await dialog.get_by_role("button", name="Move").click()
    await expect(page.locator("#toast")).to_contain_text("has passed")
    assert await time_of(panel, planned) == before


async def test_series_channels_and_full_days(panel: Panel) -> None:
    rule = {
        "name": "Good morning", "schedule_type": "daily", "content_config": {"title": "t"}, "platforms": [TARGET],
        "schedule_config": {"times": ["09:00"], "timezone": "Europe/Berlin"},
    }  # fmt: skip
    made = (await panel.api.http.post("/auto-posting/rules", json=rule)).json()
    for minute in range(6):
        await plan(panel, f"2099-03-27T08:0{minute}:00Z")
    other = await plan(panel, "2099-03-27T12:00:00Z", "telegram:@elsewhere")
    page = await visit(panel, "/calendar?date=2099-03-25")
    friday = page.locator(".day[data-day='2099-03-27']")
    await expect(friday.locator(".slot")).to_have_count(4)
    await friday.get_by_role("link", name="+4 more").click()
    await expect(page).to_have_url("/calendar?view=day&date=2099-03-27")
    await expect(page.locator(".slot:not(.is-series)")).to_have_count(7)
    series = page.locator(".slot.is-series")
    await expect(series).to_contain_text("Good morning")
    await expect(series).to_have_attribute("href", f"/rules/{made['id']}")
    await page.locator(".chips").get_by_role("link", name="@elsewhere").click()
    await expect(page.locator(".slot")).to_have_count(1)
    await expect(page.locator(f"#slot-{other}")).to_be_visible()
    await page.keyboard.press("j")
    await expect(page).to_have_url("/calendar?view=day&date=2099-03-28&target=telegram%3A%40elsewhere")
    await page.keyboard.press("m")
    await expect(page.get_by_role("heading", name="March 2099", level=1)).to_be_visible()


async def test_it_is_called_off_and_planned_again(panel: Panel) -> None:
    planned = await plan(panel, "2099-03-27T08:00:00Z")
    page = await visit(panel, SPRING_WEEK)
    await page.locator(f"#slot-{planned}").click()
    await page.get_by_role("button", name="Call it off").click()
    toast = page.locator("#toast")
    await expect(toast).to_contain_text("Called off")
    await expect(page.locator(".slot")).to_have_count(0)
    await toast.get_by_role("button", name="Undo").click()
    await expect(toast).to_contain_text("It is planned again")
    await expect(page.locator(".slot time")).to_have_text("09:00")


async def test_who_only_looks_can_not_move(panel: Panel) -> None:
    planned = await plan(panel, "2099-03-27T08:00:00Z")
    page = await visit(panel, SPRING_WEEK, role="viewer")
    slot = page.locator(f"#slot-{planned}")
    await expect(slot).to_be_visible()
    assert await slot.get_attribute("data-move") is None
    await slot.click()
    await expect(page.locator("#slot-dialog").get_by_role("link", name="The post and its history")).to_be_visible()
    assert await page.locator("#slot-dialog button").count() == 0
    answer = await page.request.post(
        f"/calendar/posts/{planned}/move", form={"day": "2099-03-28"}, headers={"Origin": panel.api.url}
    )
    assert answer.status == 403
    assert await time_of(panel, planned) == "2099-03-27T08:00:00Z"


async def test_without_scripts_a_form_moves_it(panel: Panel) -> None:
    planned = await plan(panel, "2099-03-27T08:00:00Z")
    page = await visit(panel, SPRING_WEEK, scripts=False)
    await page.locator(f"#slot-{planned}").click()
    await page.get_by_label("Day").fill("2099-03-26")
    await page.get_by_role("button", name="Move").click()
    await expect(page.locator(f".hour[data-day='2099-03-26'] #slot-{planned}")).to_be_visible()
    assert await time_of(panel, planned) == "2099-03-26T08:00:00Z"


async def test_a_post_is_written_and_planned(panel: Panel) -> None:
    for address in (TARGET, "x:planned"):
        await panel.api.http.post("/destinations", json={"address": address})
    page = await visit(panel, "/calendar?view=week&date=2099-03-25")
    await hour(page, "2099-03-27", 14).dblclick(position={"x": 40, "y": 20})
    await expect(page.get_by_label("Day")).to_have_value("2099-03-27")
    await expect(page.get_by_label("Time", exact=True)).to_have_value("14:15")
    await page.get_by_label("Text").fill("**The bridge** is open\n\n<b>tags</b> are text")
    previews = page.locator(".preview-of-new")
    await expect(previews.locator("b")).to_have_text("The bridge")
    await page.get_by_role("button", name="Plan it").click()
    await expect(page.get_by_role("alert")).to_have_text("Choose where it goes.")
    await page.get_by_label("x:planned").check()
    await page.get_by_label(TARGET).check()
    await expect(previews).to_have_count(2)
    assert await axe(page) == []
    await page.get_by_role("button", name="Plan it").click()
    await expect(page.locator(".slot")).to_have_count(2)
    await expect(page.locator(".slot-title").first).to_have_text("The bridge is open")
    items = (await panel.api.http.get("/scheduled-posts")).json()["items"]
    assert {(item["target"], item["scheduled_time"]) for item in items} == {
        (TARGET, "2099-03-27T13:15:00Z"), ("x:planned", "2099-03-27T13:15:00Z"),
    }  # fmt: skip
    assert await panel.api.silent("content.requested")

    await page.goto("/calendar/new?day=2099-03-28&time=10:00")
    await page.get_by_label("Have it written from a brief").check()
    await page.get_by_label("Title of the brief").fill("The market")
    await page.get_by_label(TARGET).check()
    await page.get_by_role("button", name="Plan it").click()
    await expect(page.locator(".slot-title")).to_have_text("The market")
    [event] = await panel.api.emitted("content.requested")
    assert event["content_id"]


async def test_what_can_not_be_planned_leaves_nothing_behind(panel: Panel) -> None:
    for address in (TARGET, "instagram:planned"):
        await panel.api.http.post("/destinations", json={"address": address})
    page = await visit(panel, "/calendar/new?day=2099-03-28&time=10:00")
    await page.get_by_label("Text").fill("Without an image")
    await page.get_by_label(TARGET).check()
    await page.get_by_label("instagram:planned").check()
    await page.get_by_role("button", name="Plan it").click()
    await expect(page.get_by_role("alert")).to_contain_text("it has no image")
    await expect(page.get_by_label("Text")).to_have_value("Without an image")
    waiting = (await panel.api.http.get("/scheduled-posts?status=scheduled")).json()["items"]
    assert waiting + (await panel.api.http.get("/content")).json()["items"] == []
