"""Looking at addresses that may become sources, with the real Telethon and over real HTTP."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from common.events import CheckRequested, emitted
from common.testing.waiting import eventually

from .conftest import Stage, serving
from .feeds.server import FeedServer, feed_server

RSS = """<?xml version="1.0"?><rss version="2.0"><channel><title>Town &amp; news</title>{items}</channel></rss>"""
ITEM = """<item><guid>{n}</guid><title>Entry {n}</title><link>https://example.com/{n}</link>
<pubDate>Mon, 0{n} Jun 2026 10:00:00 GMT</pubDate><description>What happened on day {n}</description></item>"""
PAGE = """<!DOCTYPE html><html><head><title>Town</title>
<link rel="alternate" type="application/rss+xml" title="All news" href="/all.xml">
<link rel="stylesheet" href="a.css"><link rel="alternate" hreflang="en" href="/en">
<link rel="Alternate" type="application/atom+xml" href="https://example.com/atom"></head><body></body></html>"""


@pytest.fixture
async def feeds() -> AsyncIterator[FeedServer]:
    """A server of feeds on this machine."""
    async with feed_server() as server:
        yield server


async def check(stage: Stage, kind: Any, address: str, *, allow_private: bool = True) -> dict[str, Any]:
    """Ask as the api does, and wait for the answer."""
    check_id = uuid4()
    await stage.database.execute(
        "INSERT INTO source_checks (id, kind, address, allow_private) VALUES ($1, $2, $3, $4)",
        check_id,
        kind,
        address,
        allow_private,
    )
    event = CheckRequested(check_id=check_id, kind=kind, address=address, allow_private=allow_private)
    emit = emitted(event, event_id=str(uuid4()), consumer="api", cause_id="test")
    await stage.nats.jetstream().publish(emit.subject, emit.payload, headers=dict(emit.headers))

    async def answered() -> dict[str, Any] | None:
        row = await stage.database.fetchrow("SELECT finding FROM source_checks WHERE id = $1", check_id)
        return row["finding"] if row else None

    found = await eventually(answered)
    assert found
    assert (await stage.job(emit.id))["status"] == "succeeded"
    assert await stage.posts() == []  # nothing is collected
    return found


async def test_a_channel(stage, telegram, collector) -> None:
    channel = telegram.channel("city_news", "City news")
    for number in range(1, 5):
        last = telegram.world.post(channel, f"Сообщение номер {number} о городских делах")
    found = await check(stage, "telegram", "@city_news")
    assert (found["what"], found["title"], found["posts"]) == ("channel", "City news", 4)
    assert [post["text"] for post in found["newest"]] == [
        f"Сообщение номер {number} о городских делах" for number in (4, 3, 2)
    ]
    assert found["newest"][0]["url"] == f"https://t.me/city_news/{last.id}"
    assert found["newest"][0]["at"]


async def test_what_telegram_does_not_let_us_read(stage, telegram, collector) -> None:
    secret = telegram.channel("secret_news")
    telegram.world.set_noforwards(secret)
    forbids = await check(stage, "telegram", "@secret_news")
    assert (forbids["trouble"], forbids["detail"]) == (
        "forbids_saving",
        "the channel forbids saving its content, so it is not read",
    )
    nobody = await check(stage, "telegram", "@nobody_here")
    assert (nobody["trouble"], nobody["detail"]) == ("no_such_chat", "there is no @nobody_here on Telegram")
    closed = telegram.world.add_channel("Closed", None, telegram.owner, members=[])
    assert (await check(stage, "telegram", str(closed.id)))["trouble"] == "no_access"
    telegram.channel("slow_news")
    telegram.fault("messages.GetHistory", "flood_wait", seconds=30)
    assert (await check(stage, "telegram", "@slow_news"))["detail"] == "Telegram asks to wait 30 s"


async def test_a_dead_session_is_said_at_once(stage, telegram, collector) -> None:
    telegram.channel("city_news")
    await check(stage, "telegram", "@city_news")
    telegram.world.revoke_sessions(telegram.reader)
    found = await check(stage, "telegram", "@city_news")
    assert found["trouble"] == "session_dead"
    assert "SESSION_REVOKED" in found["detail"]


async def test_feeds_and_what_is_none(stage, feeds, monkeypatch) -> None:
    monkeypatch.delenv("TELETHON_SESSION", raising=False)
    rss = feeds.serve("/rss", RSS.format(items="".join(ITEM.format(n=n) for n in (4, 3, 2, 1))))
    atom = feeds.serve("/atom", '<feed xmlns="http://www.w3.org/2005/Atom"><title>A</title></feed>')
    feeds.serve("/json", '{"version": "https://jsonfeed.org/version/1.1", "title": "J", "items": []}')
    page = feeds.serve("/page", PAGE)
    async with serving():
        found = await check(stage, "feed", rss)
        assert (found["what"], found["title"], found["posts"]) == ("rss", "Town & news", 4)
        assert [post["text"] for post in found["newest"]] == [f"Entry {n}. What happened on day {n}" for n in (4, 3, 2)]
        assert found["newest"][0]["at"].startswith("2026-06-04T10:00:00")
        assert (await check(stage, "feed", atom))["what"] == "atom"
        assert (await check(stage, "feed", feeds.url("/json")))["what"] == "json"
        nothing = await check(stage, "feed", page)
        assert (nothing["trouble"], nothing["detail"]) == ("not_a_feed", "not a feed: an HTML page ('Town')")
        assert nothing["suggestions"] == [
            {"address": feeds.url("/all.xml"), "title": "All news"},
            {"address": "https://example.com/atom", "title": ""},
        ]
        assert (await check(stage, "feed", feeds.url("/gone")))["trouble"] == "unusable_answer"
        refused = await check(stage, "feed", rss, allow_private=False)
        assert refused["trouble"] == "address_refused"
        assert "not a public address" in refused["detail"]
        assert (await check(stage, "telegram", "@city_news"))["trouble"] == "no_session"


async def test_a_look_ends_in_any_case(stage, feeds, monkeypatch) -> None:
    monkeypatch.delenv("TELETHON_SESSION", raising=False)
    monkeypatch.setattr("collector.check.CHECK_SECONDS", 0.2)
    feeds.serve("/slow", RSS)
    feeds.answers["/slow"].hang = True
    feeds.answers["/slow"].declared_length = 10_000
    async with serving(), asyncio.timeout(20):
        assert (await check(stage, "feed", feeds.url("/slow")))["trouble"] == "timed_out"
