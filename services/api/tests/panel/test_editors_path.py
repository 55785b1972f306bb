"""The editor's path through the whole system: a source is added, its post arrives, is edited and approved, is seen in
the destination channel, and its timeline is read. All services, before Telegram and a model of the sandbox.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from playwright.async_api import expect

from common.catalog import Catalog
from common.testing import warm
from common.testing.waiting import eventually
from sandbox.announcement import bind
from sandbox.connections import HttpServer
from sandbox.faults import Faults
from sandbox.model.rewriting import Rewriter, load_phrasebooks
from sandbox.model.routes import ModelEndpoint
from sandbox.telegram import Chat, Store, TelegramServer, World
from sandbox.web.application import make_application

from .conftest import Panel

SERVICES = ("collector", "rewriter", "scheduler", "publisher")
KEY = "sk-of-the-tests-only"
WITHIN_MS = 60_000  # for what goes through several services, on a machine that has other things to do


@dataclass
class City:
    """A Telegram with the channel of a source and the channel of the newsroom."""

    world: World
    source: Chat
    ours: Chat

    def posts(self, text: str) -> None:
        """Post in the source's channel."""
        self.world.post(self.source, text)

    def published(self) -> list[str]:
        """What stands in the newsroom's channel."""
        return [message.text for message in self.world.messages(self.ours.id, limit=10)]


@pytest.fixture
async def city(panel: Panel, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[City]:
    """The running services, and what they speak to."""
    world = World(Store(None))
    telegram = TelegramServer(world, Faults())
    await telegram.start()
    endpoint = ModelEndpoint(Rewriter(load_phrasebooks()), Faults(), KEY, 4000, ("sandbox-writer",))
    listener = bind("127.0.0.1", 0, 0)
    model = HttpServer(make_application([endpoint.routes()]))
    await model.start(listener)
    owner, reader = world.add_user("Owner", "+10000000001", "owner"), world.add_user("Reader", "+10000000002")
    bot = world.add_bot("Publisher", "publisher_bot")
    for name, value in {
        "TELEGRAM_SERVER": f"127.0.0.1:{telegram.port}",
        "TELEGRAM_SERVER_PUBLIC_KEY": telegram.public_key_pem,
        "TELEGRAM_BOT_TOKEN": bot.token,
        "TELETHON_SESSION": world.string_session(reader, "127.0.0.1", telegram.port),
        "OPENAI_API_KEY": KEY,
        "OPENAI_BASE_URL": f"http://127.0.0.1:{listener.getsockname()[1]}/v1",
        "PUBLISH_PACING": "off",
        "COLLECT_DEBOUNCE_SECONDS": "0.05",
        "CATALOG_POLL_SECONDS": "0.2",
    }.items():
        monkeypatch.setenv(name, value)
    source = world.add_channel("Городской вестник", "city_herald", owner, members=[reader])
    ours = world.add_channel("Our city", "our_city", owner, admins=[bot])
    processes = [await warm.start(name) for name in SERVICES]
    yield City(world, source, ours)
    for process in processes:
        if process.returncode is None:
            process.terminate()
    await asyncio.gather(*(process.wait() for process in processes))
    await telegram.stop()
    await model.stop()
    world.store.close()


async def test_from_a_new_source_to_the_readers(panel: Panel, city: City) -> None:
    catalog = Catalog(panel.api.database)
    profile = await catalog.put_profile("Brief", max_length=800)
    await catalog.put_route("All to us", profile_id=profile, targets=["telegram:@our_city"], approval=True)
    page = await panel.visit("/inbox")
    await expect(page.get_by_text("Everything is decided")).to_be_visible()

    # A source is added.
    await page.goto("/sources/add")
    await page.get_by_label("A Telegram channel or a feed").fill("@city_herald")
    await page.get_by_role("button", name="Add the source").click(timeout=WITHIN_MS)
    await expect(page.get_by_role("heading", level=1)).to_have_text("Городской вестник")

    # Its post arrives, without a reload.
    await page.goto("/inbox")
    city.posts("Новый мост открыли 21 ноября 2026 года. Он стоил 3500 рублей, и по нему пустили трамвай.")
    await expect(page.locator("#post h2#post-title, #post h1#post-title")).to_be_visible(timeout=WITHIN_MS)
    await page.reload()
    await expect(page.locator("#rows > li")).to_have_count(1)
    await expect(page.locator(".is-original")).to_contain_text("по нему пустили трамвай")
    await expect(page.locator("#post ins").first).to_be_visible()

    # The model is asked for another one, with a remark; the new one awaits a decision again.
    await page.keyboard.press("w")
    await page.get_by_label("Remark for the model").fill("Livelier")
    await page.get_by_role("dialog").get_by_role("button", name="Rewrite again").click()
    await expect(page.locator("#post .remark")).to_have_text("“Livelier”", timeout=WITHIN_MS)
    await expect(page.get_by_role("button", name="Approve")).to_be_visible(timeout=WITHIN_MS)

    # It is edited and approved, by keys.
    await page.keyboard.press("e")
    await page.get_by_label("Text of the post").fill("**По новому мосту пошёл трамвай**\n\nМост открыли 21 ноября.")
    await expect(page.locator("#preview b").first).to_have_text("По новому мосту пошёл трамвай")
    await page.keyboard.press("Control+Enter")
    await expect(page.get_by_role("heading", name="По новому мосту пошёл трамвай")).to_be_visible()
    address = page.url
    await page.keyboard.press("a")
    await expect(page.get_by_text("Everything is decided")).to_be_visible()

    # It is in the channel, as it was edited.
    async def there() -> bool:
        return city.published() != []

    await eventually(there, within=WITHIN_MS / 1000)
    assert city.published() == ["По новому мосту пошёл трамвай\n\nМост открыли 21 ноября."]

    # Too late to take it back, and it says so.
    panel.expect("409")
    await page.keyboard.press("u")
    await expect(page.get_by_role("status").get_by_text(re.compile("Too late to take it back"))).to_be_visible()

    # Its timeline tells all of it.
    post = re.findall(r"[0-9a-f-]{36}", address) or [await page.locator("#rows > li").get_attribute("data-post")]
    await page.goto(f"/posts/{post[0]}")
    history = page.get_by_role("region", name="What happened")
    await expect(history).to_be_visible()
    await expect(page.locator("main")).to_contain_text("@our_city")
    assert await page.locator("main a[href*='our_city/']").count()  # a link to the message
