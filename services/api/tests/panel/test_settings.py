"""Settings: one's own, users, tokens, notifications, budgets, the audit log, the system."""

import re

from playwright.async_api import Page, expect

from common.testing.newsroom import Newsroom
from common.users import Sessions

from .conftest import Panel
from .people import PASSWORD, Someone

ANOTHER = "another long password"


async def said(page: Page, text: str) -> None:
    await expect(page.locator("#toast")).to_contain_text(text)


async def test_what_is_ones_own(panel: Panel) -> None:
    elsewhere = await Someone("viewer").cookie(panel.api.database, panel.api.url)
    page = await panel.visit("/settings", "viewer")
    panel.expect("status of 422")
    await expect(page.get_by_role("navigation", name="Settings").get_by_role("link")).to_have_text(
        ["My profile", "Budgets"]
    )
    await page.get_by_label("Name").fill("Nina")
    await page.get_by_label("Time zone").fill("Mars/Base")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_label("Time zone")).to_have_attribute("aria-invalid", "true")
    await page.get_by_label("Time zone").fill("Asia/Omsk")
    await page.get_by_label("Language").select_option("ru")
    await page.get_by_label("Dark").check()
    await page.get_by_label("Single-key shortcuts").first.uncheck()
    await page.get_by_role("button", name="Save").click()
    await said(page, "Сохранено")
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    await expect(page.locator("body")).to_have_attribute("data-shortcuts", "off")
    [me] = await panel.api.database.fetch("SELECT name, time_zone, language FROM users WHERE login = 'viewer'")
    assert tuple(me) == ("Nina", "Asia/Omsk", "ru")

    await page.locator("input[name=current]").fill("not the password")
    await page.locator("input[name=password]").fill(ANOTHER)
    await page.get_by_role("button", name="Сменить пароль").click()
    await expect(page.locator("#wrong-current")).to_have_text("это не ваш пароль")
    await page.locator("input[name=current]").fill(PASSWORD)
    await page.locator("input[name=password]").fill(ANOTHER)
    await page.get_by_role("button", name="Сменить пароль").click()
    await said(page, "Пароль изменён")
    sessions = Sessions(panel.api.database)
    assert await sessions.check(elsewhere["value"]) is None
    _, secret = await sessions.sign_in("viewer", ANOTHER, address="192.0.2.7", agent="Mozilla/5.0 (Windows) Firefox/1")
    await page.reload()
    await page.get_by_role("button", name=re.compile("Выйти.*Firefox")).click()
    await expect(page.get_by_text("Firefox")).to_have_count(0)
    assert await sessions.check(secret) is None
    entries = await panel.api.database.fetch("SELECT actor, action, before, after FROM audit_log")
    assert {"change_me", "change_own_password", "end_own_session"} <= {each["action"] for each in entries}
    assert {each["actor"] for each in entries} == {"user:viewer"}
    assert PASSWORD not in str(entries)
    assert ANOTHER not in str(entries)


async def test_an_administrator_looks_after_users(panel: Panel) -> None:
    page = await panel.visit("/settings/users", "admin")
    panel.expect("status of (422|409)")
    await page.get_by_role("link", name="New user").click()
    await page.get_by_label("Login").fill("Олег")
    await page.get_by_label("First password").fill(PASSWORD)
    await page.get_by_role("button", name="Add the user").click()
    await expect(page.get_by_label("Login")).to_have_attribute("aria-invalid", "true")
    await page.get_by_label("Login").fill("oleg")
    await page.get_by_label(re.compile("^Name")).fill("Oleg P.")
    await page.get_by_role("radio", name="Editor").check()
    await page.get_by_label("First password").fill(PASSWORD)
    await page.get_by_role("button", name="Add the user").click()
    await expect(page.locator("h1")).to_have_text("Oleg P.")
    sessions = Sessions(panel.api.database)
    session, secret = await sessions.sign_in("oleg", PASSWORD, address="192.0.2.7", agent="")
    assert session.person.role == "editor"

    await page.get_by_role("radio", name="Viewer").check()
    await page.get_by_role("button", name="Save").click()
    await said(page, "Saved")
    checked = await sessions.check(secret)
    assert checked
    assert checked.person.role == "viewer"
    await page.locator("input[name=password]").fill(ANOTHER)
    await page.get_by_role("button", name="Set the password").click()
    await said(page, "signed out everywhere")
    assert await sessions.check(secret) is None
    await page.get_by_role("button", name="Disable").click()
    await page.get_by_role("dialog").get_by_role("button", name="Disable").click()
    await expect(page.locator(".page-head")).to_contain_text("disabled")
    await page.get_by_role("button", name="Let them sign in again").click()
    await expect(page.locator(".page-head")).not_to_contain_text("disabled")

    await page.goto("/settings/users/admin")  # the last one
    await page.get_by_role("radio", name="Viewer").check()
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("alert")).to_contain_text("last administrator")
    await page.goto("/settings/users")
    await expect(page.locator(".set-rows > li")).to_have_count(2)


async def test_a_token_is_shown_once(panel: Panel) -> None:
    page = await panel.visit("/settings/tokens", "admin")
    await page.get_by_label("Name").fill("feed-reader")
    await page.get_by_label("Valid for").select_option("30")
    await page.get_by_role("button", name="Make the token").click()
    secret = await page.locator("#once-secret").inner_text()
    theirs = {"Authorization": f"Bearer {secret}"}
    assert (await panel.api.http.get("/posts", headers=theirs)).status_code == 200
    await page.goto("/settings/tokens")
    assert secret not in await page.content()
    row = page.locator(".set-rows > li", has_text="feed-reader")
    await expect(row).to_contain_text("may read")
    await row.get_by_role("button", name="Revoke").first.click()
    await page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    await expect(row).to_contain_text("revoked")
    assert (await panel.api.http.get("/posts", headers=theirs)).status_code == 401


async def test_a_webhook_and_what_it_was_told(panel: Panel, newsroom: Newsroom) -> None:
    page = await panel.visit("/settings/notifications", "admin")
    panel.expect("status of 422")
    await expect(page.locator(".set-values")).to_contain_text("SMTP_HOST")
    form = page.locator("form[action='/settings/notifications']")
    await form.get_by_label("Address").fill("http://127.0.0.1/hook")
    await form.get_by_role("button", name="Add the webhook").click()
    await expect(page.locator("#wrong-url")).to_be_visible()
    await form.get_by_label("Address").fill("https://hooks.example.com/another")
    await form.get_by_role("button", name="Add the webhook").click()
    assert (await page.locator("#once-secret").inner_text()).startswith("whsec_")
    await page.get_by_role("button", name="Send a test").click()
    await said(page, "on its way")

    await page.goto(f"/settings/webhooks/{newsroom.webhooks[0]}")
    await page.get_by_role("link", name="failed").click()
    row = page.locator(".set-rows > li")
    await expect(row).to_have_count(1)
    await expect(row).to_contain_text("HTTP 500")
    await row.get_by_role("button", name="Send again").click()
    await said(page, "sent again")
    await page.get_by_label("Switched on").uncheck()
    await page.get_by_role("button", name="Save").click()
    await said(page, "Saved")
    await page.get_by_role("button", name="Delete").click()
    await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await said(page, "deleted")


async def test_a_budget_and_what_was_spent(panel: Panel, newsroom: Newsroom) -> None:
    page = await panel.visit("/settings/budgets", "admin")
    panel.expect("status of 422")
    await expect(page.locator(".set-budget")).to_have_count(len(newsroom.budgets))
    await expect(page.locator(".set-table").first).to_contain_text("newsroom-large")
    await page.get_by_role("link", name="New budget").click()
    await page.get_by_label("Name").fill("Trials")
    await page.get_by_role("button", name="Add the budget").click()
    await expect(page.get_by_role("alert")).to_be_visible()  # it needs a limit
    await page.get_by_label("US dollars").fill("2,5")
    await page.get_by_role("button", name="Add the budget").click()
    await said(page, "Saved")
    await expect(page.locator(".set-budget", has_text="Trials")).to_contain_text("of $2.50")
    await page.get_by_role("link", name="Trials").click()
    await page.get_by_label("US dollars").fill("3")
    await page.get_by_role("button", name="Save").click()
    await page.get_by_role("link", name="Trials").click()
    await page.get_by_role("button", name="Delete").click()
    await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await expect(page.get_by_text("Trials")).to_have_count(0)

    reader = await panel.visit("/settings/budgets", "viewer")
    await expect(reader.locator(".set-budget")).to_have_count(len(newsroom.budgets))
    await expect(reader.get_by_role("link", name="New budget")).to_have_count(0)


async def test_the_audit_log_says_what_is_different(panel: Panel, newsroom: Newsroom) -> None:
    page = await panel.visit("/settings/audit", "admin")
    entry = page.locator(".audit > li", has_text="change_profile")
    await expect(entry.locator("del")).to_have_text("1200")
    await expect(entry.locator("ins")).to_have_text("900")
    await entry.get_by_role("link", name="change_profile").click()
    await expect(page.locator(".audit > li")).to_have_count(1)
    await page.get_by_label("Who", exact=True).fill("user:nobody")
    await page.get_by_role("button", name="Filter").click()
    await expect(page.get_by_text("No such change.")).to_be_visible()


async def test_the_report_for_whoever_helps(panel: Panel) -> None:
    page = await panel.visit("/settings/system", "admin")
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await page.get_by_role("button", name="Copy").click()
    await expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = await page.evaluate("navigator.clipboard.readText()")
    assert "database: ready" in copied
    assert "DATABASE_URL=(set)" in copied
    assert "postgresql://" not in copied
