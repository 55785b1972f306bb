"""Dead letters in the browser: the errors behind them, one letter edited and replayed, all of one error at once."""

import json

from playwright.async_api import expect

from common.testing.waiting import eventually

from ..conftest import Api
from .conftest import Panel
from .watching import axe

BROKEN = b'{"kind": "tests.told", "title": 5, "fingerprint": "f"}'
MENDED = {"kind": "tests.told", "title": "mended", "fingerprint": "f"}


async def die(api: Api, number: int, payload: bytes = BROKEN) -> None:
    """Let so many more jobs fail."""

    async def letters() -> int:
        return sum(each["count"] for each in (await api.http.get("/dead-letters/groups")).json()["items"])

    wanted = number + await letters()
    for _ in range(number):
        await api.nats.jetstream().publish("notify.requested", payload)

    async def died() -> bool:
        return await letters() == wanted

    await eventually(died)


async def test_a_letter_is_mended_and_replayed_then_the_next_one(panel: Panel) -> None:
    await die(panel.api, 2)
    page = await panel.visit("/dead")
    await page.locator(".cause").click()
    await expect(page.locator(".group-head")).to_contain_text("2 letters")
    await page.get_by_role("link", name="2 api-notifications").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Letter 2")
    assert await axe(page) == []
    payload = page.get_by_label("Payload, as JSON")
    assert json.loads(await payload.input_value())["title"] == 5
    panel.expect("status of 422.*dead/2/edit")
    await payload.fill('{"kind": "tests.told"')
    await page.get_by_role("button", name="Save and replay").click()
    await expect(page.locator("#payload-wrong")).to_contain_text("this is no JSON")
    await payload.fill('{"kind": "tests.told"}')
    await page.get_by_role("button", name="Save and replay").click()
    await expect(page.locator("#payload-wrong li")).to_have_text(
        ["title: Field required", "fingerprint: Field required"]
    )
    await expect(payload).to_have_value('{"kind": "tests.told"}')
    await payload.fill(json.dumps(MENDED))
    await page.get_by_role("button", name="Save and replay").click()

    await expect(page.locator("#toast")).to_contain_text("Letter 2 goes to api-notifications again")
    await eventually(lambda: panel.api.database.fetchrow("SELECT 1 FROM notifications WHERE title = 'mended'"))
    await expect(page.locator(".group-head")).to_contain_text("1 letter")
    await page.get_by_role("link", name="1 api-notifications").click()
    await page.get_by_role("button", name="Discard").click()
    dialog = page.get_by_role("dialog", name="Discard letter 1?")
    await dialog.get_by_role("button", name="Leave it").click()
    await page.get_by_role("button", name="Discard").click()
    await dialog.get_by_role("button", name="Discard").click()
    await expect(page.locator(".empty")).to_contain_text("Nothing has died.")
    await expect(page).to_have_url("/dead")
    lines = (await panel.api.http.get("/audit-log")).json()["items"]
    told = {(line["action"], line["actor"]) for line in lines}
    assert told >= {(f"{verb}_dead_letter", "user:editor") for verb in ("edit", "replay", "discard")}


async def test_two_who_edit_a_letter_lose_nothing(panel: Panel) -> None:
    await die(panel.api, 1)
    page = await panel.visit("/dead/1")
    await expect(page.get_by_label("Payload, as JSON")).to_be_visible()
    await panel.api.http.patch("/dead-letters/1", json={"payload": MENDED})
    panel.expect("status of 412")
    mine = json.dumps(MENDED | {"title": "mine"})
    await page.get_by_label("Payload, as JSON").fill(mine)
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.locator("#payload-wrong")).to_contain_text("Somebody has edited it meanwhile")
    await expect(page.get_by_label("Payload, as JSON")).to_have_value(mine)
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.locator("#toast")).to_contain_text("Saved")
    assert (await panel.api.http.get("/dead-letters/1")).json()["payload"]["title"] == "mine"


async def test_all_of_one_error_by_group_by_selection_and_by_filter(panel: Panel) -> None:
    await die(panel.api, 12)
    await die(panel.api, 3, b"{")
    page = await panel.visit("/dead")
    causes = page.locator(".causes > li")
    await expect(causes).to_have_count(2)
    await expect(page.locator(".bulk-all")).to_contain_text("15 match:")
    await causes.filter(has_text="title").get_by_role("button", name="Discard all 12").click()
    dialog = page.get_by_role("dialog", name="Do to many")
    await expect(dialog).to_contain_text("Discard 12 dead letters?")
    await expect(dialog.locator(".error-box")).to_contain_text("title: Input should be a valid string")
    assert await axe(page) == []
    await dialog.get_by_role("button", name="Discard all 12").click()
    await expect(page.locator(".page-date")).to_have_text("done")
    await expect(page.locator(".figure")).to_have_text("12 of 12")

    await page.get_by_role("link", name="To the dead letters").click()
    await page.get_by_role("link", name="Letter by letter").click()
    await page.get_by_role("checkbox", name="Choose all of this page").check()
    await page.get_by_role("checkbox", name="Choose letter 13").uncheck()
    await page.locator(".bulk-chosen").get_by_role("button", name="Discard").click()
    await dialog.get_by_role("button", name="Discard all 2").click()
    await expect(page.locator(".figure")).to_have_text("2 of 2")

    await page.goto("/dead?error=no+such+error")
    await expect(page.locator(".empty")).to_contain_text("Nothing has died that is like that.")
    await expect(page.get_by_role("button", name="Discard all")).to_have_count(0)
    assert [each["number"] for each in (await panel.api.http.get("/dead-letters")).json()["items"]] == [13]


async def test_nothing_is_discarded_that_was_not_counted(panel: Panel) -> None:
    await die(panel.api, 2)
    page = await panel.visit("/dead")
    await page.get_by_role("button", name="Discard all 2").click()
    await die(panel.api, 1)
    panel.expect("status of 409")
    await page.get_by_role("dialog").get_by_role("button", name="Discard all 2").click()
    await expect(page.get_by_role("alert")).to_have_text("More have come meanwhile: it was to be 2.")
    await page.get_by_role("button", name="Discard all 3").click()
    await expect(page.locator(".figure")).to_have_text("3 of 3")


async def test_many_without_scripts(panel: Panel) -> None:
    await die(panel.api, 2)
    page = await panel.visit("/dead", scripts=False)
    await page.get_by_role("button", name="Replay all 2").first.click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Replay 2 dead letters?")
    await page.get_by_role("button", name="Replay all 2").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Replay dead letters")

    async def again() -> bool:
        await page.reload()
        return await page.locator(".page-date").inner_text() == "done"

    await eventually(again)
