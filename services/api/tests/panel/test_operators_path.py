"""An operator's way through a failure, in the browser, with the services that do the work: nothing is lost."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest
from playwright.async_api import expect

from common.catalog import Catalog
from common.events import PostCollected, derive, emitted
from common.posts import NewPost, Posts
from common.telegram.text import RichText
from common.testing.waiting import eventually
from rewriter.app import run as rewriter
from sandbox.announcement import bind
from sandbox.connections import HttpServer
from sandbox.faults import Fault, Faults
from sandbox.model.rewriting import Rewriter, load_phrasebooks
from sandbox.model.routes import ModelEndpoint
from sandbox.web.application import make_application
from scheduler.app import run as scheduler

from ..conftest import Api
from .conftest import WAIT_MS, Panel
from .watching import axe, shot

KEY = "sk-of-the-tests-only"
QUEUE = "rewrite_queue"


@pytest.fixture
def environment() -> dict[str, str]:
    return {
        "ALERT_CHECK_SECONDS": "0.3",
        "OPENAI_API_KEY": KEY,
        "OPENAI_MODEL": "sandbox-writer",
        "REWRITE_QUEUE_MAX_ATTEMPTS": "2",
        "REWRITE_QUEUE_BACKOFF_BASE_SECONDS": "0.01",
        "REWRITE_QUEUE_ALERT_FAILURES": "3",
    }


@pytest.fixture
async def model(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Faults]:
    """The sandbox's model endpoint; what goes wrong with it."""
    faults = Faults()
    endpoint = ModelEndpoint(Rewriter(load_phrasebooks()), faults, KEY, 4000, ("sandbox-writer",))
    listener = bind("127.0.0.1", 0, 0)
    server = HttpServer(make_application([endpoint.routes()]))
    await server.start(listener)
    monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{listener.getsockname()[1]}/v1")
    yield faults
    await server.stop()


@asynccontextmanager
async def working() -> AsyncIterator[None]:
    """Rewriter and scheduler, at work; an error of one is an error of the test."""
    stop = asyncio.Event()
    tasks = [asyncio.create_task(run(stop)) for run in (rewriter, scheduler)]
    try:
        yield
    finally:
        stop.set()
        await asyncio.gather(*tasks)


async def collected(api: Api, source: UUID, number: int) -> None:
    """Bring a post in as the collector does."""
    post = NewPost(source, str(number), RichText(text=f"News {number}: the bridge over the river is open again."))
    await Posts(api.database).add([post])
    event = PostCollected(post_id=post.id, source_id=source)
    emit = emitted(event, event_id=str(derive("collected", post.id)), consumer="test", cause_id="test")
    await api.nats.jetstream().publish(emit.subject, emit.payload, headers=dict(emit.headers))


async def awaiting(api: Api) -> int:
    """How many posts wait for a person."""
    found: dict[str, Any] = (await api.http.get("/overview")).json()
    return int(found["waiting"]["awaiting"])


async def test_an_operator_gets_through_a_failure_without_loss(panel: Panel, model: Faults) -> None:
    api = panel.api
    catalog = Catalog(api.database)
    source = await catalog.put_source("telegram", "@source", title="City news")
    profile = await catalog.put_profile("city")
    await catalog.put_route("city", profile_id=profile, targets=("telegram:@city",), source_id=source, approval=True)
    model.add(Fault(where="model", kind="server_error", times=1000))
    async with working():
        page = await panel.visit("/")
        for number in range(6):
            await collected(api, source, number)
        # The failure appears by itself.
        await expect(page.locator(".attention")).to_contain_text(re.compile(r"6\s*messages died"), timeout=WAIT_MS)
        await page.goto("/queues")
        row = page.locator(f"#queue-{QUEUE}")
        await expect(row.locator(".c8")).to_contain_text("6")
        await expect(page.locator(".notices")).to_contain_text(f"{QUEUE}: 6 jobs have failed")

        # The queue stands still: what comes now waits.
        await row.get_by_role("button", name="Pause").click()
        dialog = page.get_by_role("dialog", name=f"Pause {QUEUE}")
        await dialog.get_by_label("Why, for the others").fill("the model does not answer")
        await dialog.get_by_role("button", name="Pause").click()
        await expect(row).to_contain_text("the model does not answer")
        await collected(api, source, 6)
        await expect(row.locator(".c3")).to_have_text("1")

        # The cause is gone: the group goes back, and waits with the others.
        model.clear()
        await row.locator(".c8 a").click()
        causes = page.locator(".causes > li")
        await expect(causes).to_have_count(1)
        await shot(page, "operator-dead")
        await causes.get_by_role("button", name="Replay all 6").click()
        asked = page.get_by_role("dialog", name="Do to many")
        await expect(asked).to_contain_text("Replay 6 dead letters?")
        await asked.get_by_role("button", name="Replay all 6").click()
        await expect(page.locator(".page-date")).to_have_text("done")
        await expect(page.locator(".figure")).to_have_text("6 of 6")
        await shot(page, "operator-operation")
        await page.get_by_role("link", name="To the dead letters").click()
        await expect(page.locator(".empty")).to_contain_text("Nothing has died.")
        assert await awaiting(api) == 0

        # It goes on, and every post comes to the person who approves.
        await page.goto("/queues")
        await row.get_by_role("button", name="Resume").click()

        async def all_there() -> bool:
            return await awaiting(api) == 7

        await eventually(all_there)
        await expect(row).not_to_contain_text("the model does not answer")
        await expect(page.locator("#inbox-count")).to_have_text("7")
        await expect(page.locator("#dead-count")).to_have_text("")
        await api.alert("resolved")
        assert await axe(page) == []
        await page.goto("/jobs")
        states = page.get_by_role("navigation", name="State")
        await expect(states.get_by_role("link", name=re.compile("Failed"))).to_have_text(re.compile(r"0$"))
    lines = (await api.http.get("/audit-log")).json()["items"]
    done = {line["action"] for line in lines if line["actor"] == "user:editor"}
    assert done >= {"pause_queue", "start_operation", "dead_letters.replay", "resume_queue"}
