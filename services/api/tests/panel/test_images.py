"""Images in the browser: looked at, narrowed, and deleted where nothing has them."""

import io
from typing import Any
from uuid import UUID

import httpx
from PIL import Image
from playwright.async_api import Page, expect

from common.media.store import MediaStore
from common.testing.newsroom import Newsroom

from .conftest import PHONE, Panel
from .people import Someone
from .watching import axe, overflow

PROMPT = "A ferry at dawn <b>in</b> watercolour"


async def picture(panel: Panel, number: int, *, origin: Any = "generated", post: UUID | None = None) -> str:
    """A picture in the store, `number` days old; its hash."""
    file = io.BytesIO()
    Image.new("RGB", (900, 600), (10 * number % 256, 80, 120)).save(file, "JPEG")
    kept = await MediaStore(panel.api.database, panel.api.nats.jetstream()).keep_picture(file, origin=origin)
    await panel.api.database.execute(
        "UPDATE images SET created_at = now() - make_interval(days => $2) WHERE hash = $1", kept.hash, number
    )
    if post:
        await panel.api.database.execute("SELECT attach_images($1, $2, $3)", [post], ["post"], [kept.hash])
    return kept.hash


async def count(page: Page) -> int:
    return await page.locator(".gallery li").count()


async def seen(page: Page, name: str) -> None:
    """Wait until a picture is really there."""
    image = page.locator(f"img[src*='{name}']")
    await image.scroll_into_view_if_needed()
    await expect(image).to_have_js_property("complete", True)
    assert await image.evaluate("image => image.naturalWidth") > 0


async def test_what_nothing_has_is_deleted_one_some_or_all(panel: Panel) -> None:
    post = await panel.api.post("The ferry is back on its line.")
    attached = await picture(panel, 1, post=post)
    collected = await picture(panel, 2, origin="source")
    free = [await picture(panel, number) for number in range(3, 9)]
    await panel.api.database.execute(
        "INSERT INTO illustrations (id, post_id, prompt, model, size, status, hash, attempts, cost_usd)"
        " VALUES ('i', $1, $2, 'painter', '1024x1024', 'generated', $3, 1, 0.04)", post, PROMPT, attached
    )  # fmt: skip
    page = await panel.visit("/images")
    assert await count(page) == 8
    await seen(page, attached)
    first = page.locator(".gallery li").first
    await expect(first).to_contain_text("The ferry is back on its line.")
    await expect(first).to_contain_text("painter")
    await expect(first.get_by_role("img")).to_have_attribute("alt", PROMPT)
    await expect(page.locator("[name=hashes]")).to_have_count(6)  # neither what is attached nor what was collected

    await page.locator(f"[name=hashes][value='{free[0]}']").check()
    await page.locator(f"[name=hashes][value='{free[1]}']").check()
    await expect(page.locator("[data-chosen]")).to_contain_text("chosen: 2")
    await page.get_by_role("button", name="Delete the chosen ones…").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("Delete 2 images?")
    assert await axe(page) == []
    await dialog.get_by_role("button", name="Delete 2 images").click()
    await expect(page.locator("#progress")).to_contain_text("2 images are deleted")
    await expect(page.locator(".gallery li")).to_have_count(6)

    await page.goto(f"/images/{free[2]}")
    await page.get_by_role("button", name="Delete…").click()
    await page.get_by_role("button", name="Delete the image").click()
    await page.wait_for_url("**/images")
    assert await count(page) == 5

    await page.get_by_role("button", name="Delete what nothing has…").click()
    await expect(dialog).to_contain_text("Delete 3 images?")
    await dialog.get_by_role("button", name="Cancel").click()
    await page.get_by_role("button", name="Delete what nothing has…").click()
    await dialog.get_by_role("button", name="Delete 3 images").click()
    await expect(page.locator("#progress")).to_contain_text("3 images are deleted")
    await expect(page.locator(".gallery li")).to_have_count(2)
    left = {item["hash"] for item in (await panel.api.http.get("/images")).json()["items"]}
    assert left == {attached, collected}
    audit = (await panel.api.http.get("/audit-log?actor=user:editor")).json()["items"]
    acts = [line["action"] for line in reversed(audit) if line["action"] != "sign_in"]
    assert acts == ["start_operation", "images.delete", "delete_image", "start_operation", "images.delete"]


async def test_filters_stand_in_the_address_and_narrow_what_is_deleted(panel: Panel) -> None:
    await picture(panel, 1, origin="source")
    for number in (2, 3, 9):
        await picture(panel, number)
    page = await panel.visit("/images")
    filters = page.get_by_role("navigation", name="Filters")
    await filters.get_by_role("link", name="Generated").click()
    await expect(page.locator(".gallery li")).to_have_count(3)
    await filters.get_by_role("link", name="Unattached").click()
    await page.wait_for_url("**/images?origin=generated&attached=unattached")
    day = await page.locator(".gallery time").last.get_attribute("datetime")
    assert day
    await filters.get_by_label("to", exact=True).fill(day[:10])
    await filters.get_by_role("button", name="Show").click()
    await expect(page.locator(".gallery li")).to_have_count(1)
    await page.get_by_role("button", name="Delete what nothing has…").click()
    await expect(page.get_by_role("dialog")).to_contain_text("Delete 1 image?")
    await page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    await filters.get_by_role("link", name="Attached", exact=True).click()
    await expect(page.locator("#images")).to_contain_text("No image is like this.")


async def test_a_gallery_is_paged(panel: Panel) -> None:
    await panel.api.database.execute(
        "INSERT INTO images (hash, object, origin, mime_type, size_bytes, created_at)"
        " SELECT lpad(to_hex(n), 64, '0'), n, 'source', 'application/pdf', 1, now() - make_interval(mins => n)"
        " FROM generate_series(1, 50) n"
    )
    page = await panel.visit("/images")
    assert await count(page) == 40
    await page.get_by_role("link", name="Older ones").click()
    await expect(page.locator(".gallery li")).to_have_count(10)
    await page.get_by_role("link", name="Newest").click()
    await expect(page.locator(".gallery li")).to_have_count(40)


async def test_pictures_are_shown_to_those_who_are_signed_in_and_files_are_only_saved(
    panel: Panel, newsroom: Newsroom
) -> None:
    digest, page_in_disguise = newsroom.images[1], b"<script>alert(1)</script>"
    store = MediaStore(panel.api.database, panel.api.nats.jetstream())
    unsafe = await store.keep(io.BytesIO(page_in_disguise), "text/html", origin="source")
    cookie = await Someone("viewer").cookie(panel.api.database, panel.api.url)
    async with httpx.AsyncClient(base_url=panel.api.url) as nobody:
        for part in ("small", "content"):
            answer = await nobody.get(f"/images/{digest}/{part}")
            assert answer.status_code == 303
            assert answer.headers["location"].startswith("/sign-in")
    async with httpx.AsyncClient(base_url=panel.api.url, cookies={cookie["name"]: cookie["value"]}) as somebody:
        small = await somebody.get(f"/images/{digest}/small")
        assert (small.status_code, small.headers["content-type"]) == (200, "image/jpeg")
        assert "immutable" in small.headers["cache-control"]
        assert max(Image.open(io.BytesIO(small.content)).size) <= 480
        tag = {"If-None-Match": small.headers["etag"]}
        assert (await somebody.get(f"/images/{digest}/small", headers=tag)).status_code == 304
        assert (await somebody.get(f"/images/{digest}/content")).headers["content-type"] == "image/png"
        saved = await somebody.get(f"/images/{unsafe.hash}/content")
        assert saved.headers["content-type"] == "application/octet-stream"
        assert saved.headers["content-disposition"].startswith("attachment")
        for path in (f"/images/{unsafe.hash}/small", f"/images/{'0' * 64}", "/images/../etc", "/images/nothing/small"):
            assert (await somebody.get(path)).status_code == 404, path
        origin = {"Origin": panel.api.url}
        refused = await somebody.post(f"/images/{newsroom.images[2]}/delete", headers=origin)
        assert refused.status_code == 403


async def test_a_viewer_on_a_phone_looks_and_deletes_nothing(panel: Panel, newsroom: Newsroom) -> None:
    page = await panel.visit("/images", "viewer", width=PHONE, language="ru", theme="dark")
    assert await overflow(page) == []
    assert await axe(page) == []
    await expect(page.locator("main [name=hashes], main .is-danger")).to_have_count(0)
    await page.goto(f"/images/{newsroom.images[1]}")
    await expect(page.locator(".prompt")).to_contain_text("crickets")
    assert await overflow(page) == []
    await expect(page.locator("main .is-danger")).to_have_count(0)


async def test_images_are_deleted_without_scripts(panel: Panel) -> None:
    digest = await picture(panel, 1)
    page = await panel.visit("/images", scripts=False)
    await page.locator("[name=hashes]").check()
    await page.get_by_role("button", name="Delete the chosen ones…").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Delete 1 image?")
    await page.get_by_role("button", name="Delete 1 image").click()
    await page.wait_for_url("**/images?operation=*")
    assert digest
