import json
from datetime import UTC, datetime

import pytest

from collector.adapters.feed_items import FeedError, FeedMedia
from collector.adapters.feeds import FeedReader

from .server import FeedServer

RSS = (
    '<?xml version="1.0" encoding="{encoding}"?><rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/">'
    "<channel><title>Канал</title>{items}</channel></rss>"
)


def rss(*items: str, encoding: str = "utf-8") -> bytes:
    joined = "".join(f"<item>{item}</item>" for item in items)
    return RSS.format(encoding=encoding, items=joined).encode(encoding)


async def test_an_item_in_full(server: FeedServer, reader: FeedReader) -> None:
    page = await reader.read(
        server.serve(
            "/feed/",
            rss(
                "<guid isPermaLink='false'>id-1</guid><link>/news/1</link>"
                "<title>A &amp;amp; B &lt;b&gt;c&lt;/b&gt;</title>"
                "<description>&lt;p&gt;Текст &lt;a href='/x'&gt;тут&lt;/a&gt;&lt;img src='/i.png'&gt;"
                "&lt;img src='/pixel.gif' width='1' height='1'&gt;&lt;/p&gt;</description>"
                "<pubDate>Wed, 14 Jan 2026 10:00:00 +0300</pubDate><dc:creator>Анна</dc:creator>"
                "<enclosure url='https://cdn.org/a.mp3' type='audio/mpeg' length='1'/>"
            ),
        )
    )
    (item,) = page.items
    assert page.title == "Канал"
    assert item.external_id == "id-1"
    assert item.url == server.url("/news/1")
    assert item.title == "A & B c"
    assert item.body.text == "Текст тут"
    assert [mark.url for mark in item.body.entities] == [server.url("/x")]
    assert item.published_at == datetime(2026, 1, 14, 7, tzinfo=UTC)
    assert item.authors == ("Анна",)
    assert item.media == (FeedMedia("https://cdn.org/a.mp3", "audio/mpeg"), FeedMedia(server.url("/i.png"), "image"))


async def test_without_a_guid_the_link_and_else_the_content_is_the_identity(
    server: FeedServer, reader: FeedReader
) -> None:
    body = rss(
        "<link>https://e.org/1</link>", "<title>Без ссылки</title>", f"<guid>{'g' * 2000}</guid><title>t</title>"
    )
    items = (await reader.read(server.serve("/", body))).items
    assert items[0].external_id == "https://e.org/1"
    assert items[1].external_id.startswith("sha256:")
    assert len(items[2].external_id) == len("sha256:") + 64
    again = (await reader.read(server.url("/"))).items
    assert [item.external_id for item in again] == [item.external_id for item in items]


@pytest.mark.parametrize("date", ["tomorrow", "Wed, 14 Jan 2062 10:00:00 GMT", "0001-01-01T00:00:00Z", "1518478934"])
async def test_a_wrong_date_is_noted_and_the_item_kept(date: str, server: FeedServer, reader: FeedReader) -> None:
    page = await reader.read(server.serve("/", rss(f"<title>t</title><pubDate>{date}</pubDate>")))
    assert page.items[0].published_at is None
    assert page.problems == (f"item 1: {date!r} is no date that it can have",)


@pytest.mark.parametrize("content_type", ["text/xml", "application/rss+xml", "text/html", ""])
@pytest.mark.parametrize("encoding", ["utf-8", "windows-1251", "koi8-r", "utf-16"])
async def test_encodings(encoding: str, content_type: str, server: FeedServer, reader: FeedReader) -> None:
    page = await reader.read(
        server.serve("/", rss("<title>Ёлка</title>", encoding=encoding), Content_Type=content_type)
    )
    assert (page.title, page.items[0].title, page.problems) == ("Канал", "Ёлка", ())


@pytest.mark.parametrize(
    ("encoding", "declared"),
    [("windows-1251", "windows-1251"), ("utf-8", "iso-8859-1"), ("windows-1251", "utf-8"), ("utf-8", "nonsense")],
)
async def test_the_charset_of_the_server(encoding: str, declared: str, server: FeedServer, reader: FeedReader) -> None:
    body = rss("<title>Ёлка</title>", encoding="windows-1251").decode("windows-1251")
    body = body if encoding != "utf-8" else body.replace("windows-1251", "utf-8")
    if declared == encoding:
        body = body.replace(f' encoding="{encoding}"', "")
    url = server.serve("/", body.encode(encoding), Content_Type=f"text/xml; charset={declared}")
    assert (await reader.read(url)).items[0].title == "Ёлка"


async def test_a_feed_broken_in_the_middle_gives_what_comes_before(server: FeedServer, reader: FeedReader) -> None:
    body = rss("<title>one</title>", "<title>two & <b></title>")[:-40]
    page = await reader.read(server.serve("/", body))
    assert page.items[0].title == "one"
    assert page.problems[0].startswith("malformed XML")


async def test_entity_bombs_do_not_expand(server: FeedServer, reader: FeedReader) -> None:
    levels = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    body = f'<!DOCTYPE rss [<!ENTITY l0 "lol">{levels}]><rss version="2.0"><channel><item><title>&l9;</title>'
    page = await reader.read(server.serve("/", body + "</item></channel></rss>"))
    assert all(len(item.title) < 1000 for item in page.items)


async def test_a_path_in_place_of_a_feed_is_not_opened(server: FeedServer, reader: FeedReader) -> None:
    with pytest.raises(FeedError, match="neither RSS, Atom nor JSON Feed"):
        await reader.read(server.serve("/", __file__))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "empty: the answer has no content"),
        (b" \n", "empty: the answer has no content"),
        (b"<!DOCTYPE html><html><head><title>Log in</title>", r"an HTML page \('Log in'\)"),
        (b"\x89PNG\r\n\x1a\n\0\0", "not a feed: neither"),
        (b"just words", "not a feed: neither"),
        (b'{"a": ', "JSON that can't be read"),
        (b"[" * 100_000, "JSON that can't be read"),
        (b'{"a": 1}', "JSON without the version"),
        (b'{"version": "https://jsonfeed.org/version/1"}', "without a list of items"),
    ],
)
async def test_what_is_no_feed_is_named(body: bytes, reason: str, server: FeedServer, reader: FeedReader) -> None:
    with pytest.raises(FeedError, match=reason):
        await reader.read(server.serve("/", body))


async def test_json_feed(server: FeedServer, reader: FeedReader) -> None:
    document = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "Лента",
        "items": [
            {
                "id": 7,
                "url": "/7",
                "title": "t",
                "content_html": "<b>ж</b><img src=i.png>",
                "date_published": "2026-01-14T10:00:00+03:00",
                "authors": [{"name": "Анна"}, {"url": "x"}],
                "attachments": [{"url": "https://cdn.org/a.mp3", "mime_type": "audio/mpeg"}],
            },
            {"id": "b", "content_text": "a < b\x00\ud800", "date_published": "soon", "author": {"name": "Б"}},
            {"id": "empty"},
            "nonsense",
        ],
    }
    page = await reader.read(server.serve("/feed.json", "\ufeff" + json.dumps(document)))
    first, second = page.items
    assert page.title == "Лента"
    assert (first.external_id, first.url, first.body.text) == ("7", server.url("/7"), "ж")
    assert first.published_at == datetime(2026, 1, 14, 7, tzinfo=UTC)
    assert first.authors == ("Анна",)
    assert first.media == (FeedMedia("https://cdn.org/a.mp3", "audio/mpeg"), FeedMedia(server.url("/i.png"), "image"))
    assert second.body.text == "a < b\ufffd\ufffd"
    assert second.authors == ("Б",)
    assert page.problems == (
        "item 2: 'soon' is no date that it can have",
        "item 3: nothing to read in it",
        "item 4: nothing to read in it",
    )
