"""Rules in the browser: written with a preview of their times, run, paused, deleted; and how schedules are said."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import expect

from api.panel.screens.rules_words import ScheduleWords
from api.panel.viewer import Viewer
from common.catalog import Catalog

from .conftest import PHONE, Panel
from .watching import axe, overflow, shot

BERLIN = {"timezone": "Europe/Berlin"}
DAILY: dict[str, Any] = {
    "name": "Good morning",
    "schedule_type": "daily",
    "schedule_config": {"times": ["09:00"], **BERLIN},
    "content_config": {"title": "A good day", "description": "Wish everybody a good day"},
    "platforms": ["telegram:@city"],
}


async def made(panel: Panel, **given: Any) -> str:
    answer = await panel.api.http.post("/auto-posting/rules", json=DAILY | given)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


@pytest.mark.parametrize(
    ("kind", "config", "english", "russian"),
    [
        ("daily", {"times": ["18:30", "09:00"], **BERLIN}, "every day at 09:00 and 18:30, Europe/Berlin",
         "каждый день в 09:00 и 18:30, Europe/Berlin"),
        ("weekly", {"times": ["09:00"], "days_of_week": [5, 1, 2, 3, 4]}, "every weekday at 09:00, UTC",
         "по будням в 09:00, UTC"),
        ("weekly", {"times": ["09:00"], "days_of_week": [1, 5]}, "on Mondays and Fridays at 09:00, UTC",
         "по понедельникам и пятницам в 09:00, UTC"),
        ("weekly", {"times": ["10:00"], "days_of_week": [6, 7], "jitter": 60},
         "at weekends at 10:00, UTC, up to 1 minute later", "по выходным в 10:00, UTC, со сдвигом до 1 минуты"),
        ("interval", {"every_minutes": 60}, "every hour", "каждый час"),
        ("interval", {"every_minutes": 21}, "every 21 minutes", "каждую 21 минуту"),
        ("interval", {"every_minutes": 2880}, "every 2 days", "каждые 2 дня"),
        ("once", {"at": "2027-03-28T01:30:00Z"}, "once, 28 March 2027, 03:30 Europe/Berlin",
         "один раз, 28 марта 2027, 03:30 Europe/Berlin"),
        ("cron", {"expression": "0 9 * * mon-fri"}, "every weekday at 09:00, UTC", "по будням в 09:00, UTC"),
        ("cron", {"expression": "*/15 * * * *"}, "every 15 minutes, UTC", "каждые 15 минут, UTC"),
        ("cron", {"expression": "0 6 1 * *"}, "every month on day 1 at 06:00, UTC",
         "каждый месяц, 1 числа, в 06:00, UTC"),
        ("cron", {"expression": "0 6 1 3 *"}, "by the cron line 0 6 1 3 *, UTC", "по строке cron: 0 6 1 3 *, UTC"),
        ("daily", {"times": []}, "a schedule that can't be read", "расписание не читается"),
    ],
)  # fmt: skip
def test_a_schedule_in_words(kind: str, config: dict[str, Any], english: str, russian: str) -> None:
    zone = ZoneInfo("Europe/Berlin")
    assert ScheduleWords(Viewer(language="en", zone=zone))(kind, config) == english
    assert ScheduleWords(Viewer(language="ru", zone=zone))(kind, config) == russian


async def test_a_rule_is_written_with_its_next_runs_in_view(panel: Panel) -> None:
    await panel.api.http.post("/destinations", json={"address": "telegram:@city", "title": "The city"})
    page = await panel.visit("/rules")
    await expect(page.locator(".empty")).to_contain_text("No rule yet")
    await page.get_by_role("link", name="New rule").click()
    times = page.locator("#times")
    await expect(times.locator("li")).to_have_count(10)
    await expect(page.get_by_role("group", name="Days", exact=True)).to_have_count(0)
    await page.get_by_label("On some days of the week").check()
    await expect(page.get_by_role("group", name="Days", exact=True)).to_be_visible()
    await page.get_by_label("Times", exact=True).fill("9:30, 18:00")
    await expect(times).to_contain_text("Every weekday at 09:30 and 18:00, Europe/Moscow", ignore_case=True)
    await page.get_by_label("Times", exact=True).fill("25:00")
    await expect(times.locator(".is-wrong")).to_contain_text("times")
    await page.get_by_label("Times", exact=True).fill("09:30")
    await expect(times).to_contain_text("09:30")
    assert await axe(page) == []

    await page.get_by_label("Name of the rule").fill("Good morning")
    await page.get_by_label("Title of the brief").fill("A good day")
    await page.get_by_role("button", name="Add the rule").click()
    await expect(page.get_by_role("alert")).to_be_visible()
    await expect(page.locator("#wrong-targets")).to_be_visible()
    await expect(page.get_by_label("Name of the rule")).to_have_value("Good morning")
    await page.get_by_label("The city").check()
    await page.get_by_role("button", name="Add the rule").click()
    await expect(page.get_by_role("heading", name="Good morning", level=1)).to_be_visible()
    [rule] = (await panel.api.http.get("/auto-posting/rules")).json()["items"]
    assert rule["schedule_config"] == {
        "times": ["09:30"], "days_of_week": [1, 2, 3, 4, 5], "timezone": "Europe/Moscow", "jitter_seconds": 0,
    }  # fmt: skip
    assert (rule["platforms"], rule["created_by"]) == (["telegram:@city"], "user:editor")

    await page.get_by_role("link", name="Edit").click()
    await page.get_by_label("In intervals").check()
    await page.get_by_label("Every", exact=True).fill("2")
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator(".page-date")).to_contain_text("every 2 hours")
    await expect(page.locator(".times li")).to_have_count(10)
    await page.get_by_role("link", name="Edit").click()
    await expect(page.get_by_label("Every", exact=True)).to_have_value("2")
    await panel.api.http.patch(f"/auto-posting/rules/{rule['id']}", json={"name": "Another name"})
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("alert")).to_contain_text("read it again")


async def test_a_rule_is_run_paused_and_deleted(panel: Panel) -> None:
    await Catalog(panel.api.database).put_profile("news")
    rule = await made(panel, content_config={"title": "A good day", "profile": "news"})
    page = await panel.visit(f"/rules/{rule}")
    toast, dialog = page.locator("#toast"), page.locator("#run-dialog")
    await page.keyboard.press("r")
    await expect(dialog).to_contain_text("A post is written from “A good day” and published at telegram:@city")
    await dialog.get_by_role("button", name="Run it now").click()
    await expect(toast).to_contain_text("One post is planned for now")
    await expect(page.locator(".run-list li").first).to_contain_text("telegram:@city planned")
    await expect(page.locator(".run-list li").first).to_contain_text("asked for by editor")

    await panel.api.database.execute("UPDATE profiles SET name = 'gone'")
    await page.keyboard.press("r")
    await dialog.get_by_role("button", name="Run it now").click()
    await expect(toast).to_contain_text("The run failed")
    await expect(page.locator(".run-list > li").first).to_contain_text("there is no profile 'news'")
    assert await axe(page) == []
    await shot(page, "rule")

    await page.get_by_role("button", name="Pause").click()
    await expect(page.locator(".page-date")).to_contain_text("paused")
    await toast.get_by_role("button", name="Undo").click()
    await expect(page.locator(".page-date")).to_contain_text("active")
    await page.get_by_role("button", name="Delete…").click()
    await expect(page.locator("#delete-dialog")).to_contain_text("with the record of its 2 runs. 1 post that it has")
    await page.get_by_role("button", name="Delete it").click()
    await expect(page).to_have_url("/rules")
    assert (await panel.api.http.get("/auto-posting/rules")).json()["items"] == []
    assert (await panel.api.http.get("/scheduled-posts")).json()["items"]


async def test_the_list_says_when_and_what_came_of_it_on_a_phone_too(panel: Panel) -> None:
    await made(panel)
    off = await made(panel, name="Off", is_active=False)
    page = await panel.visit("/rules", role="viewer", width=PHONE, language="ru", theme="dark")
    await expect(page.locator(".rule-list li")).to_have_count(2)
    await expect(page.locator(".rule-list")).to_contain_text("каждый день в 09:00, Europe/Berlin", ignore_case=True)
    await expect(page.get_by_role("link", name="Новое правило")).to_have_count(0)
    assert await axe(page) == []
    assert await overflow(page) == []
    await page.get_by_role("link", name="На паузе").click()
    await expect(page.locator(".rule-list li")).to_have_count(1)
    await made(panel, name="Told live", is_active=False)
    await expect(page.locator(".rule-list li")).to_have_count(2)
    await page.get_by_role("link", name="Told live").click()
    await expect(page.locator("#rule button")).to_have_count(0)
    for path in ("/rules/new", f"/rules/{off}/edit", "/calendar/new"):
        assert (await page.request.get(path)).status == 403


async def test_what_a_rule_says_is_text(panel: Panel) -> None:
    panel_script = "<img src=x onerror=alert(1)>"
    await made(panel, name=panel_script, content_config={"title": panel_script, "description": panel_script})
    page = await panel.visit("/rules")
    await page.get_by_role("link", name=panel_script).click()
    await expect(page.get_by_role("heading", name=panel_script, level=1)).to_be_visible()
    assert await page.locator("img").count() == 0
