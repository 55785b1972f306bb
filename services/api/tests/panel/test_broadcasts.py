"""The screens of broadcasts and chats: begun after a question, followed chat by chat, paused, called off."""

from uuid import UUID

from playwright.async_api import expect

from common.testing.newsroom import Newsroom

from .conftest import PHONE, Panel
from .watching import axe, overflow, shot


async def test_a_broadcast_is_begun_after_a_question(panel: Panel, newsroom: Newsroom) -> None:
    page = await panel.visit("/broadcasts")
    await page.get_by_role("link", name="New broadcast").click()
    every = page.get_by_label("all 3")
    await every.uncheck()
    await page.get_by_role("button", name="Begin the broadcast").click()
    panel.expect("422")
    await expect(page.get_by_role("alert")).to_contain_text("choose one chat at least")
    assert await panel.api.silent("broadcast.requested")
    await page.get_by_label("Велоклуб").check()
    await page.get_by_label("Other chats").fill("t.me/Neighbours_5, -1001234567890")
    await page.get_by_role("button", name="Begin the broadcast").click()
    await expect(page.get_by_role("alert")).to_contain_text("It goes to 3 chats.")
    await shot(page, "broadcast-sure")
    assert not [*await axe(page), *await overflow(page)]
    assert await panel.api.silent("broadcast.requested")
    await page.get_by_role("button", name="Send it").click()
    await expect(page.get_by_text("The worker has not taken it yet.")).to_be_visible()
    [asked] = await panel.api.emitted("broadcast.requested")
    assert asked["target_chat_ids"] == ["@maple_cycling", "@neighbours_5", "-1001234567890"]
    published = (await panel.api.http.get("/posts?state=published&limit=1")).json()["items"][0]["id"]
    assert asked["post_id"] == published
    task = UUID(page.url.partition("?")[0].rpartition("/")[2])
    await panel.api.database.execute(  # as the userbot does
        "INSERT INTO userbot_tasks (id, post_id, target_chat_ids) VALUES ($1, $2, $3)",
        task,
        UUID(asked["post_id"]),
        asked["target_chat_ids"],
    )
    await expect(page.get_by_text("0 of 3 chats", exact=True)).to_be_visible()  # looks again by itself
    assert newsroom.broadcasts


async def test_a_broadcast_is_followed_paused_and_called_off(panel: Panel, newsroom: Newsroom) -> None:
    database = panel.api.database
    chats = [f"@chat_{number}" for number in range(120)]
    row = await database.strict_fetch(
        "INSERT INTO userbot_tasks (text, target_chat_ids, chats, status, started_at, sent_count, error_count)"
        " VALUES ('Паром снова на линии', $1, $1, 'processing', now() - interval '10 minutes', 38, 2) RETURNING id",
        chats,
    )
    task = row[0]["id"]
    await database.execute(
        "INSERT INTO broadcast_attempts (task_id, chat, attempt, account, outcome, error, message_ids, finished_at)"
        " SELECT $1, '@chat_' || n, 1, 'a', CASE WHEN n < 38 THEN 'sent' ELSE 'refused' END,"
        " CASE WHEN n >= 38 THEN 'CHAT_WRITE_FORBIDDEN' END, CASE WHEN n < 38 THEN ARRAY[100 + n] ELSE '{}' END,"
        " now() - (600 - 10 * n) * interval '1 s' FROM generate_series(0, 39) n",
        task,
    )
    page = await panel.visit(f"/broadcasts/{task}")
    await expect(page.get_by_text("40 of 120 chats", exact=True)).to_be_visible()
    await expect(page.get_by_role("link", name="100", exact=True)).to_have_attribute("href", "https://t.me/chat_0/100")
    await page.get_by_role("link", name="Refused 2").click()
    await expect(page.locator(".broadcast-chats [role=rowheader]")).to_have_count(2)
    await expect(page.locator(".broadcast-chats")).to_contain_text("CHAT_WRITE_FORBIDDEN")
    await shot(page, "broadcast-moving")
    assert not [*await axe(page), *await overflow(page)]
    await page.get_by_role("button", name="Pause").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text(
        "38 chats have got it. 80 are still to come, and get nothing until it is resumed."
    )
    await dialog.get_by_role("button", name="Pause").click()
    await expect(page.get_by_text("It stands still")).to_be_visible()
    await page.get_by_role("button", name="Resume").click()
    await expect(page.get_by_text("It stands still")).to_have_count(0)
    await database.execute(  # goes on meanwhile
        "INSERT INTO broadcast_attempts (task_id, chat, attempt, account, outcome, finished_at)"
        " VALUES ($1, '@chat_40', 1, 'a', 'skipped', now())",
        task,
    )
    await database.execute("UPDATE userbot_tasks SET skipped_count = 1 WHERE id = $1", task)
    await expect(page.get_by_text("41 of 120 chats", exact=True)).to_be_visible()
    await page.goto("/broadcasts")
    item = page.locator(f"#broadcast-{task}")
    await expect(item).to_contain_text("41 of 120")
    await item.get_by_role("button", name="Call off").click()
    await expect(page.get_by_role("dialog")).to_contain_text("79 chats get nothing.")
    await page.get_by_role("dialog").get_by_role("button", name="Call it off").click()
    await expect(item).to_contain_text("being called off")
    found = (await panel.api.http.get(f"/broadcasts/{task}")).json()
    assert found["cancelled_by"] == "user:editor"
    assert newsroom.broadcasts


async def test_chats_are_added_switched_off_and_found_by_their_flags(panel: Panel, newsroom: Newsroom) -> None:
    page = await panel.visit("/chats", language="ru", theme="dark", width=PHONE)
    await page.get_by_role("link", name="С пометкой").click()
    await expect(page.locator(".chat-table [role=rowheader]")).to_have_count(1)
    await expect(page.locator(".chat-table")).to_contain_text("нам нельзя туда писать")
    await page.get_by_role("link", name="Все", exact=True).click()
    row = page.get_by_role("row").filter(has_text="@maple_cycling")
    await row.get_by_role("button", name="Выключить").click()
    await expect(row).to_contain_text("выключен")
    await page.get_by_role("button", name="Добавить чат").click()
    dialog = page.get_by_role("dialog", name="Добавить чат")
    await dialog.get_by_label("Имя, ссылка или id").fill("https://t.me/Dom_Lesnaya")
    await dialog.get_by_label("Чужих сообщений").fill("15")
    await dialog.get_by_role("button", name="Добавить").click()
    added = page.get_by_role("row").filter(has_text="@dom_lesnaya")
    await expect(added).to_contain_text("из 15 хотя бы")
    assert not [*await axe(page), *await overflow(page)]
    assert (await panel.api.http.get("/chats/@maple_cycling")).json()["enabled"] is False
    assert newsroom.broadcasts


async def test_what_is_no_chat_is_kept_where_it_was_typed(panel: Panel) -> None:
    page = await panel.visit("/broadcasts/chats")
    await page.get_by_role("button", name="Add a chat").click()
    dialog = page.get_by_role("dialog", name="Add a chat")
    await dialog.get_by_label("Name, link or id").fill("not a chat")
    await dialog.get_by_role("button", name="Add it").click()
    panel.expect("422")
    await expect(page.get_by_role("alert")).to_contain_text("It was not added")
    await expect(page.get_by_label("Name, link or id")).to_have_value("not a chat")
    assert not [*await axe(page), *await overflow(page)]
