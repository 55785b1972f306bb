"""Signing in and out."""

import asyncio

import httpx
import pytest
from playwright.async_api import expect

from api.http.server import ApiServer
from common.users import Sessions, Users

from ..conftest import Api, replicas
from .conftest import DESKTOP, PHONE, Panel
from .people import PASSWORD, Someone, hashed
from .watching import axe, overflow, shot

SERVE = ApiServer.serve
SAME = {"Sec-Fetch-Site": "same-origin"}


async def somebody(api: Api, role: str = "editor") -> str:
    """Somebody who has never signed in."""
    await api.database.execute(
        "INSERT INTO users (login, name, role, password, created_by) VALUES ('anna', 'Anna', $1, $2, 'tests')",
        role,
        hashed(),
    )
    return "anna"


def browser(api: Api, **given: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=api.url, headers=SAME | given, timeout=20)


async def sign_in(client: httpx.AsyncClient, **given: str) -> httpx.Response:
    return await client.post("/sign-in", data={"login": "anna", "password": PASSWORD} | given)


@pytest.mark.parametrize(("language", "theme"), [("en", "light"), ("ru", "dark")])
@pytest.mark.parametrize("width", [DESKTOP, PHONE])
async def test_from_the_link_over_the_sign_in_to_the_page_and_out(
    panel: Panel, language: str, theme: str, width: int
) -> None:
    await somebody(panel.api)
    panel.expect("status of 401")
    page = await panel.page(None, language=language, theme=theme, width=width)  # type: ignore[arg-type]
    await page.goto("/?from=a#b")
    assert page.url.endswith("/sign-in?next=%2F%3Ffrom%3Da#b")
    assert await axe(page) == []
    assert await overflow(page) == []
    await shot(page, f"sign-in-{'desktop' if width == DESKTOP else 'phone'}-{theme}")
    await page.fill("#login", "Anna")
    await page.fill("#password", "not the password")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_be_visible()
    await expect(page.locator("#login")).to_have_value("Anna")
    await page.fill("#password", PASSWORD)
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/?from=a")
    await expect(page.locator("h1")).to_be_visible()
    assert await page.locator("html").get_attribute("lang") == language
    [row] = await panel.api.database.fetch("SELECT language, time_zone FROM users WHERE login = 'anna'")
    assert (row["language"], row["time_zone"]) == (language, "Europe/Moscow")
    [cookie] = await page.context.cookies()
    assert (cookie["name"], cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == ("postroom", True, "Lax", "/")
    if width == PHONE:
        await page.locator(".menu-button").click()
    await page.locator("form[action='/sign-out'] button").click()
    await page.wait_for_url("**/sign-in")
    await page.goto("/")
    assert "/sign-in" in page.url


async def test_a_person_chooses_language_and_theme(panel: Panel) -> None:
    page = await panel.visit("/", "viewer")
    await page.get_by_role("button", name="Русский").click()
    await expect(page.locator("html")).to_have_attribute("lang", "ru")
    await page.get_by_role("button", name="Тёмная").click()
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/\t/evil.example"],
)
async def test_nobody_is_sent_elsewhere(api: Api, elsewhere: str) -> None:
    await somebody(api)
    async with browser(api) as client:
        answer = await sign_in(client, next=elsewhere)
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        again = await client.get("/sign-in", params={"next": elsewhere})
        assert (again.status_code, again.headers["location"]) == (303, "/")


async def test_the_secret_is_new_at_each_sign_in_and_what_it_replaces_ends(api: Api) -> None:
    await somebody(api)
    async with browser(api) as client:
        client.cookies.set("postroom", "chosen-by-somebody-else")
        first = (await sign_in(client)).cookies["postroom"]
        assert first != "chosen-by-somebody-else"
        client.cookies.clear()
        client.cookies.set("postroom", first)
        second = (await sign_in(client)).cookies["postroom"]
        assert second != first
        sessions = Sessions(api.database)
        assert await sessions.check(first) is None
        assert await sessions.check(second)
        entries = await api.database.fetch("SELECT actor, action, after FROM audit_log")
        assert [(each["actor"], each["action"]) for each in entries] == [("user:anna", "sign_in")] * 2
        assert second not in str(entries)


async def test_over_https_the_cookie_is_this_hosts_alone(api: Api) -> None:
    await somebody(api)
    async with browser(api, **{"X-Forwarded-Proto": "https", "Host": "panel.example"}) as client:
        cookie = (await sign_in(client)).headers["set-cookie"]
        assert cookie.startswith("__Host-postroom=")
        for attribute in ("Secure", "HttpOnly", "SameSite=lax", "Path=/"):
            assert attribute in cookie
        assert "Domain" not in cookie
        secret = cookie.split(";")[0].partition("=")[2]
        assert (await client.get("/", headers={"Cookie": f"__Host-postroom={secret}"})).status_code == 200
        assert (await client.get("/", headers={"Cookie": f"postroom={secret}"})).status_code == 303
        out = await client.post("/sign-out", headers={"Cookie": f"__Host-postroom={secret}"})
        assert "Max-Age=0" in out.headers["set-cookie"]
        assert await Sessions(api.database).check(secret) is None


async def test_no_password_is_taken_where_others_can_read_it(api: Api) -> None:
    await somebody(api)
    async with browser(api, Host="panel.example") as client:
        answer = await sign_in(client)
        assert answer.status_code == 403
        assert "set-cookie" not in answer.headers
        assert "https" in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": "", "Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "", "Origin": "null"},
        {"Sec-Fetch-Site": ""},
    ],
)
async def test_no_other_site_signs_anybody_in_or_out(api: Api, headers: dict[str, str]) -> None:
    cookie = await Someone("admin").cookie(api.database, api.url)
    given = {name: value for name, value in headers.items() if value}
    async with httpx.AsyncClient(base_url=api.url, headers=given, timeout=20) as client:
        assert (await sign_in(client, login="admin")).status_code == 403
        client.cookies.set("postroom", cookie["value"])
        for path in ("/sign-out", "/prefs", "/set-up"):
            assert (await client.post(path, data={"theme": "dark"})).status_code == 403, path
        assert await Sessions(api.database).check(cookie["value"])


async def test_a_session_ends_with_its_time_its_user_and_the_password(api: Api) -> None:
    cookie = await Someone("editor").cookie(api.database, api.url)
    async with browser(api) as client:
        client.cookies.set("postroom", cookie["value"])
        assert (await client.get("/")).status_code == 200
        for ending, undone in (
            (
                "UPDATE user_sessions SET used_at = now() - interval '8 days'",
                "UPDATE user_sessions SET used_at = now()",
            ),
            ("UPDATE users SET disabled_at = now()", "UPDATE users SET disabled_at = NULL"),
        ):
            await api.database.execute(ending)
            away = await client.get("/", headers={"HX-Request": "true"})
            assert away.status_code == 401
            assert (await client.get("/")).headers["location"] == "/sign-in?next=%2F"
            await api.database.execute(undone)
            assert (await client.get("/")).status_code == 200
        await Users(api.database).set_password("editor", "another long one")
        assert (await client.get("/")).status_code == 303


async def test_attempts_are_counted_over_two_replicas(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    await somebody(api)
    other: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def noted(self: ApiServer) -> None:
        other.set_result(self.url)
        await SERVE(self)

    monkeypatch.setattr(ApiServer, "serve", noted)
    async with replicas(1):
        urls = [api.url, await asyncio.wait_for(other, 20)]
        async with httpx.AsyncClient(headers=SAME, timeout=30) as client:
            wrong = {"login": "anna", "password": "not the password"}
            answers = await asyncio.gather(
                *(client.post(f"{urls[number % 2]}/sign-in", data=wrong) for number in range(10))
            )
            assert sorted(answer.status_code for answer in answers) == [401] * 5 + [429] * 5
            await api.database.execute("UPDATE sign_in_attempts SET blocked_until = now() + interval '1 minute'")
            right = {"login": "anna", "password": PASSWORD}
            refused = await client.post(f"{urls[1]}/sign-in", data=right)
            assert refused.status_code == 429
            assert 50 < int(refused.headers["retry-after"]) <= 60
            await api.database.execute("UPDATE sign_in_attempts SET blocked_until = now()")
            assert (await client.post(f"{urls[0]}/sign-in", data=right)).status_code == 303


async def test_a_login_that_nobody_has_is_answered_alike(api: Api) -> None:
    await somebody(api)
    async with browser(api) as client:
        known = await sign_in(client, password="not the password")
        unknown = await sign_in(client, login="nobody", password="not the password")
    assert known.status_code == unknown.status_code == 401
    assert known.text == unknown.text.replace("nobody", "anna")
