"""The first start: one page that makes the administrator and shows the connections."""

import asyncio
import re

import httpx
import pytest
from playwright.async_api import expect

from api.panel.sessions.first_start import tell_of_set_up
from common.users import Setup

from ..conftest import Api
from .conftest import DESKTOP, PHONE, Panel
from .people import PASSWORD
from .watching import axe, overflow, shot

WRONG, NO_ACCOUNTS = "the bot's token is not taken: Unauthorized", "Instagram has no accounts: set INSTAGRAM_ACCOUNTS"
READY = {"state": "ready", "said": ""}
CHECKS = {
    "rewriter": {"model": READY},
    "publisher": {
        "telegram": {"state": "wrong", "said": WRONG},
        "instagram": {"state": "unset", "said": NO_ACCOUNTS},
        "x": READY,
    },
    "collector": {"telegram": {"state": "unset", "said": "TELETHON_SESSION is not set: only feeds are read"}},
}
BEAT = """
INSERT INTO service_beats (service, replica, address, ready, checks, version)
VALUES ($1, gen_random_uuid(), 'here', true, $2, '0.1.0')
"""


async def link(api: Api) -> str:
    code = await Setup(api.database).code("tests")
    assert code
    return f"/set-up?code={code}"


@pytest.mark.parametrize(("language", "theme", "width"), [("en", "light", DESKTOP), ("ru", "dark", PHONE)])
async def test_the_first_administrator_is_made_and_sees_what_is_connected(
    panel: Panel, language: str, theme: str, width: int
) -> None:
    for service, checks in CHECKS.items():
        await panel.api.database.execute(BEAT, service, checks)
    page = await panel.page(None, language=language, theme=theme, width=width)  # type: ignore[arg-type]
    panel.expect("status of 422")
    await page.goto("/")  # whoever comes without the link is told where it is
    await expect(page.get_by_text("postroom user setup")).to_be_visible()
    assert await axe(page) == []
    await page.goto(await link(panel.api))
    await expect(page.locator("#connection-bot .connection-said")).to_contain_text("Unauthorized")
    await expect(page.locator("#connection-bot")).to_contain_text("TELEGRAM_BOT_TOKEN")
    await expect(page.locator("#connection-reading")).to_contain_text("postroom login")
    await expect(page.locator("#connection-images")).to_contain_text("postroom run imagegen")
    for well in ("database", "nats", "model", "x"):
        await expect(page.locator(f"#connection-{well}")).to_have_class("is-ready")
    assert await axe(page) == []
    assert await overflow(page) == []
    await shot(page, f"set-up-{'desktop' if width == DESKTOP else 'phone'}-{theme}")
    await page.fill("#name", "Anna K.")
    await page.fill("#login", "anna")
    await page.fill("#password", "aaaaaaaaaaaa")
    mended = "UPDATE service_beats SET checks = $1 WHERE service = 'publisher'"
    await panel.api.database.execute(mended, {"telegram": READY})
    await expect(page.locator("#connection-bot")).to_have_class("is-ready")  # by itself
    await expect(page.locator("#password")).to_have_value("aaaaaaaaaaaa")  # and nothing typed is lost
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_be_visible()
    await expect(page.locator("#name")).to_have_value("Anna K.")
    await page.fill("#password", PASSWORD)
    await page.keyboard.press("Enter")
    await page.wait_for_url(re.compile("/$"))
    [made] = await panel.api.database.fetch("SELECT login, name, role, language, time_zone FROM users")
    assert tuple(made) == ("anna", "Anna K.", "admin", language, "Europe/Moscow")


async def test_there_is_one_first_administrator(api: Api) -> None:
    codes = [(await link(api)).partition("=")[2] for _ in range(2)]
    async with httpx.AsyncClient(base_url=api.url, headers={"Sec-Fetch-Site": "same-origin"}, timeout=20) as client:
        assert (await client.get("/set-up", params={"code": "wrong"})).status_code == 403
        assert (await client.get("/set-up/connections", params={"code": "wrong"})).status_code == 403
        given = {"login": "anna", "name": "", "password": PASSWORD}
        assert (await client.post("/set-up", data=given | {"code": "wrong"})).status_code == 403
        answers = await asyncio.gather(
            *(
                client.post("/set-up", data=given | {"login": f"user{number}", "code": code})
                for number, code in enumerate(codes)
            )
        )
        assert sorted(answer.status_code for answer in answers) == [303, 403]
        assert len(await api.database.fetch("SELECT FROM users")) == 1
        client.cookies.clear()
        for code in codes:
            assert (await client.post("/set-up", data=given | {"code": code})).status_code == 403
            late = await client.get("/set-up", params={"code": code})
            assert (late.status_code, late.headers["location"]) == (303, "/sign-in")
        assert (await client.get("/set-up/connections", params={"code": codes[0]})).status_code == 403


async def test_the_output_has_the_link_and_the_log_has_not(api: Api, capfd: pytest.CaptureFixture[str]) -> None:
    await tell_of_set_up(api.database, "http://0.0.0.0:8080")
    said = capfd.readouterr().err
    found = re.search(r"http://127\.0\.0\.1:8080/set-up\?code=(\S+)", said)
    assert found
    assert await Setup(api.database).knows(found[1])
    await api.database.execute(
        "INSERT INTO users (login, name, role, password, created_by) VALUES ('a', 'A', 'viewer', '', 'tests')"
    )
    await tell_of_set_up(api.database, "http://0.0.0.0:8080")
    assert "set-up" not in capfd.readouterr().err
