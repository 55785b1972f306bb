"""Reading feeds with the running service; how feeds are parsed is tested in feeds/."""

from collections.abc import AsyncIterator

import pytest

from .conftest import serving
from .feeds.server import FeedServer, feed_server

FEED = b"""<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0"><channel><title>News</title>
<item><guid>2</guid><title>Second</title><link>https://example.com/2</link>
<description>The second entry of the feed, with words enough</description>
<enclosure url="https://example.com/2.jpg" type="image/jpeg" length="1"/></item>
<item><guid>1</guid><title>First</title><link>https://example.com/1</link>
<description>The first entry of the feed, with words enough</description></item>
</channel></rss>"""


@pytest.fixture
async def feeds() -> AsyncIterator[FeedServer]:
    """A server of feeds on this machine."""
    async with feed_server() as server:
        yield server


@pytest.fixture
async def collector(stage, monkeypatch) -> AsyncIterator[None]:
    """The service, without Telegram."""
    monkeypatch.delenv("TELETHON_SESSION", raising=False)
    async with serving():
        yield


async def test_the_entries_of_a_feed_are_posts(stage, feeds, collector) -> None:
    url = feeds.serve("/rss", FEED, ETag='"one"')
    source = await stage.source("feed", url, allow_private=True)
    assert (await stage.collect(source))["status"] == "succeeded"
    first, second = await stage.posts(2)
    assert (first["title"], first["url"]) == ("First", "https://example.com/1")
    assert second["text"] == "The second entry of the feed, with words enough"
    media = await stage.database.fetchrow("SELECT * FROM post_media")
    assert (media["kind"], media["reference"]) == ("photo", {"url": "https://example.com/2.jpg"})
    await stage.idle()
    assert await stage.collected() == [first["id"], second["id"]]
    state = await stage.state(source)
    assert (state["etag"], state["failures"]) == ('"one"', 0)


async def test_a_broken_feed_is_told_once_and_is_not_fatal(stage, feeds, collector) -> None:
    url = feeds.serve("/rss", b"<html><body>Not here</body></html>")
    source = await stage.source("feed", url, allow_private=True, title="Broken")
    for _ in range(3):
        assert (await stage.collect(source))["status"] == "succeeded"
    notice = await stage.notice("collector.source_unreadable")
    assert notice.title.startswith("Broken: ")
    await stage.idle()
    assert len(stage.told["notify.requested"]) == 1
    assert (await stage.state(source))["failures"] == 3


async def test_a_feed_that_asks_to_wait_is_asked_again_later(stage, feeds, collector) -> None:
    url = feeds.serve("/rss", b"", "429 Too Many Requests", Retry_After="1")
    source = await stage.source("feed", url, allow_private=True)
    request = await stage.request(source)
    await stage.notice("collector.rate_limited")
    feeds.serve("/rss", FEED)
    job = await stage.job(request)
    assert (job["status"], job["excused"]) == ("succeeded", job["attempts"] - 1)


async def test_a_private_address_is_refused(stage, feeds, collector) -> None:
    source = await stage.source("feed", feeds.serve("/rss", FEED))
    assert (await stage.collect(source))["status"] == "succeeded"
    assert "refused" in (await stage.state(source))["last_error"]
    assert await stage.posts() == []


async def test_without_a_session_telegram_is_told_not_to_be_set_up(stage, collector) -> None:
    source = await stage.source("telegram", "@city_news")
    assert (await stage.collect(source))["status"] == "succeeded"
    notice = await stage.notice("collector.source_unreadable")
    assert "TELETHON_SESSION is not set" in notice.title


async def test_runs_that_brought_something_or_failed_are_kept(stage, feeds, collector) -> None:
    source = await stage.source("feed", feeds.serve("/rss", FEED), allow_private=True)
    for _ in range(2):
        await stage.collect(source)
    feeds.serve("/rss", b"", "404 Not Found")
    await stage.collect(source)
    await stage.database.execute("UPDATE source_runs SET at = at - interval '8 days' WHERE brought > 0")
    feeds.serve("/rss", b"nothing")
    await stage.collect(source)
    runs = await stage.database.fetch("SELECT brought, duplicates, error FROM source_runs ORDER BY id")
    assert [tuple(run) for run in runs] == [
        (0, 0, "HTTP 404: there is nothing at this address"),
        (0, 0, "not a feed: neither RSS, Atom nor JSON Feed"),
    ]
