"""Queues and alerts in the browser: paused with a reason and resumed, settings changed where they are shown."""

import re

from playwright.async_api import expect

from common.testing.waiting import eventually

from .conftest import PHONE, Panel
from .watching import axe, overflow

HISTORY = """
INSERT INTO queue_history (queue, minute, backlog)
SELECT 'notify_queue', date_trunc('minute', now()) - n * interval '1 minute', n FROM generate_series(1, 50) n
"""


async def works(panel: Panel) -> None:
    """Wait until the api has told how it works on its queue."""

    async def told() -> bool:
        return bool((await panel.api.http.get("/queues/notify_queue")).json()["replicas"])

    await eventually(told)


async def test_a_queue_is_paused_with_a_reason_and_resumed(panel: Panel) -> None:
    await works(panel)
    await panel.api.database.execute(HISTORY)
    page = await panel.visit("/queues")
    row = page.locator("#queue-notify_queue")
    await expect(row.locator(".spark-line")).to_be_visible()
    await expect(page.locator(".page-date")).to_have_text("all run")
    await row.get_by_role("button", name="Pause").click()
    dialog = page.get_by_role("dialog", name="Pause notify_queue")
    await expect(dialog).to_contain_text("What waits is kept")
    await expect(dialog.get_by_label("Time (Europe/Moscow)")).to_be_hidden()
    await dialog.get_by_label("Why, for the others").fill("the mail server moves")
    await dialog.get_by_label("Until", exact=True).select_option("an hour from now")
    assert await axe(page) == []
    await dialog.get_by_role("button", name="Pause").click()

    await expect(row).to_contain_text("editor")
    await expect(row).to_contain_text("the mail server moves")
    await expect(page.locator(".page-date")).to_contain_text("notify_queue")
    await expect(page.locator("#toast")).to_contain_text("notify_queue stands still")
    found = (await panel.api.http.get("/queues/notify_queue")).json()
    assert (found["pause"]["paused_by"], found["pause"]["reason"]) == ("user:editor", "the mail server moves")
    assert found["pause"]["until"]
    assert [replica["holding"] for replica in found["replicas"]] == [True]
    assert await axe(page) == []

    await row.get_by_role("button", name="Resume").click()
    await expect(row.get_by_role("button", name="Pause")).to_be_visible()
    await expect(page.locator(".page-date")).to_have_text("all run")
    assert (await panel.api.http.get("/queues/notify_queue")).json()["pause"] is None


async def test_what_others_pause_is_shown_at_once(panel: Panel) -> None:
    page = await panel.visit("/queues", "viewer", width=PHONE)
    row = page.locator("#queue-rewrite_queue")
    await expect(row).to_contain_text("high priority")
    await panel.api.http.post("/queues/rewrite_queue/pause", json={"reason": "no money"})
    await expect(row).to_contain_text("no money")
    await expect(page.get_by_role("button", name=re.compile("Resume|Pause"))).to_have_count(0)
    assert await overflow(page) == []


async def test_settings_are_changed_where_they_are_shown(panel: Panel) -> None:
    await works(panel)
    panel.expect("status of 422.*notify_queue/settings")
    page = await panel.visit("/queues/notify_queue")
    settings = page.locator(".setting", has=page.locator("#set-concurrency"))
    await expect(settings).to_contain_text("default")
    await page.locator("#set-concurrency").fill("0")
    await page.locator("#set-timeout_seconds").fill("45")
    await page.get_by_role("button", name="Save the settings").click()
    await expect(page.locator("#origin-concurrency .wrong")).to_contain_text("greater than or equal to 1")
    await expect(page.locator("#set-timeout_seconds")).to_have_value("45")  # nothing that was typed is lost
    await page.locator("#set-concurrency").fill("7")
    await page.locator("#set-reason").fill("a slow server")
    await page.get_by_role("button", name="Save the settings").click()

    await expect(settings).to_contain_text("changed editor")
    await expect(settings).to_contain_text("a slow server")
    changed = (await panel.api.http.get("/queues/notify_queue")).json()["settings"]
    found = {each["name"]: (each["value"], each["reason"]) for each in changed if each["origin"] == "changed"}
    assert found == {"concurrency": (7, "a slow server"), "timeout_seconds": (45, "a slow server")}

    await settings.get_by_role("button", name="Take back").click()
    await expect(settings).to_contain_text("default")
    await expect(page.locator("#set-concurrency")).to_have_value("50")
    assert await axe(page) == []


async def test_an_alert_is_seen(panel: Panel) -> None:
    await panel.api.database.execute(
        "INSERT INTO alerts (fingerprint, kind, severity, title, detail, notification_id) VALUES"
        " ('queue_failures/notify_queue', 'queue_failures', 'error', 'notify_queue: 25 jobs have failed',"
        " E'25 within 300 s\npostroom dead list --queue notify_queue', gen_random_uuid())"
    )
    page = await panel.visit("/queues")
    await expect(page.locator(".notices")).to_contain_text("25 jobs have failed")
    await page.get_by_role("link", name=re.compile("^Alerts")).click()
    alert = page.locator(".alerts li", has_text="25 jobs have failed")
    await expect(alert).not_to_contain_text("postroom dead")
    await expect(alert.get_by_role("link", name="Its dead letters")).to_have_attribute(
        "href", "/dead?queue=notify_queue"
    )
    await alert.get_by_role("button", name="I have seen it").click()
    await expect(alert).to_contain_text("seen by editor")
    await page.goto("/queues")
    await expect(page.get_by_text("25 jobs have failed")).to_have_count(0)
