"""Captured feeds, healthy and broken, each over HTTP: parsed, or reported with a clear reason."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from collector.adapters.feed_items import FeedError, FeedPage
from collector.adapters.feeds import FeedReader

from .server import FeedServer

CORPUS = Path(os.environ.get("POSTROOM_CORPUS", Path(__file__).parents[5] / "shared" / "data")) / "feeds"

pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason=f"no captured feeds at {CORPUS} (POSTROOM_CORPUS)")

HEALTHY = {
    "feedjira_AmazonWebServicesBlog.xml": ("Amazon Web Services Blog", 10),
    "feedjira_FeedBurnerXHTML.xml": ("Fantasy Baseball - RotoAuthority.com", 10),
    "feedjira_TypePadNews.xml": ("Everything Typepad", 10),
    "feedjira_json_feed.json": ("inessential.com", 20),
    "rssparser_content-encoded.rss": ("Food in Invironment on Medium", 7),
    "rssparser_encoding.rss": ("Jornal de Notícias - Últimas Notícias", 40),
    "rssparser_guardian.rss": ("The Guardian", 55),
    "rssparser_reddit-atom.rss": ("reddit: the front page of the internet", 24),
}
FLAWED = {"feedjira_InvalidDateFormat.xml", "rssparser_incomplete-fields.atom", "rssparser_unrecognized.rss"}


async def read(name: str, server: FeedServer, reader: FeedReader, content_type: str | None = None) -> FeedPage:
    headers = {"Content_Type": content_type} if content_type else {}
    return await reader.read(server.serve(f"/{name}", (CORPUS / name).read_bytes(), **headers))


def test_every_captured_feed_is_expected() -> None:
    assert {path.name for path in CORPUS.iterdir()} == set(HEALTHY) | FLAWED


@pytest.mark.parametrize("content_type", [None, "text/xml", "application/octet-stream", "text/html; charset=utf-8"])
@pytest.mark.parametrize("name", HEALTHY)
async def test_healthy_feeds(name: str, content_type: str | None, server: FeedServer, reader: FeedReader) -> None:
    page = await read(name, server, reader, content_type)
    assert (page.title, len(page.items), page.problems) == (*HEALTHY[name], ())
    assert len({item.external_id for item in page.items}) == len(page.items)
    for item in page.items:
        assert item.url
        assert item.url.startswith("http")
        assert item.title or item.body.text
        assert "<" not in item.title
        assert item.published_at is not None
        assert item.published_at.tzinfo is UTC
        assert item.body == item.body.trimmed()


async def test_latin1_text_is_read_as_such(server: FeedServer, reader: FeedReader) -> None:
    page = await read("rssparser_encoding.rss", server, reader, "application/rss+xml")
    assert page.items[0].title == "Mãe de utente é a nova presidente da Raríssimas"


async def test_of_one_picture_in_several_sizes_the_widest_is_taken(server: FeedServer, reader: FeedReader) -> None:
    page = await read("rssparser_guardian.rss", server, reader)
    assert all(len(item.media) <= 1 for item in page.items)
    assert "w=460" in page.items[0].media[0].url


async def test_a_wrong_date_and_a_missing_end_leave_the_items(server: FeedServer, reader: FeedReader) -> None:
    page = await read("feedjira_InvalidDateFormat.xml", server, reader)
    assert [item.published_at for item in page.items] == [
        datetime(2017, 10, 16, 15, 10, tzinfo=UTC),
        datetime(2017, 10, 17, 12, 17, tzinfo=UTC),
    ]
    (problem,) = page.problems
    assert problem.startswith("malformed XML, read as far as possible")


async def test_an_entry_without_content_is_a_problem_of_that_entry(server: FeedServer, reader: FeedReader) -> None:
    page = await read("rssparser_incomplete-fields.atom", server, reader)
    assert page.items == ()
    assert page.problems == ("item 1: nothing to read in it",)


async def test_a_page_in_place_of_a_feed_is_named(server: FeedServer, reader: FeedReader) -> None:
    with pytest.raises(FeedError, match="not a feed: an HTML page \\('Document Moved'\\)"):
        await read("rssparser_unrecognized.rss", server, reader)
