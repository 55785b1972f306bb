import gzip
import zlib
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from collector.adapters.feed_download import FeedSettings
from collector.adapters.feed_items import FeedError
from collector.adapters.feeds import FeedReader

from .server import Answer, FeedServer

FEED = b'<rss version="2.0"><channel><title>t</title><item><title>one</title></item></channel></rss>'


def small(**settings: float) -> FeedReader:
    return FeedReader(FeedSettings(**settings), allow_private=True)


async def test_conditional_requests(server: FeedServer, reader: FeedReader) -> None:
    url = server.serve("/", FEED, ETag='W/"1"', Last_Modified="Wed, 14 Jan 2026 10:00:00 GMT")
    page = await reader.read(url)
    assert (page.etag, page.last_modified) == ('W/"1"', "Wed, 14 Jan 2026 10:00:00 GMT")
    server.serve("/", status="304 Not Modified")
    again = await reader.read(url, page.etag, page.last_modified)
    _, headers = server.requests[-1]
    assert headers["if-none-match"] == 'W/"1"'
    assert headers["if-modified-since"] == "Wed, 14 Jan 2026 10:00:00 GMT"
    assert again.not_modified
    assert (again.etag, again.last_modified, again.items) == (page.etag, page.last_modified, ())


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", gzip.compress(FEED, mtime=0)),
        ("x-gzip", gzip.compress(FEED[:30], mtime=0) + gzip.compress(FEED[30:], mtime=0)),
        ("deflate", zlib.compress(FEED)),
        ("deflate", zlib.compress(FEED, wbits=-15)),
        ("identity", FEED),
    ],
)
async def test_content_codings(coding: str, body: bytes, server: FeedServer, reader: FeedReader) -> None:
    page = await reader.read(server.serve("/", body, Content_Encoding=coding))
    assert page.items[0].title == "one"


@pytest.mark.parametrize(
    ("coding", "body", "reason"),
    [
        ("gzip", FEED, "undecodable: broken gzip data"),
        ("gzip", gzip.compress(FEED, mtime=0)[:40], "undecodable: gzip data that ends too early"),
        ("br", FEED, "undecodable: an unknown content coding 'br'"),
    ],
)
async def test_undecodable(coding: str, body: bytes, reason: str, server: FeedServer, reader: FeedReader) -> None:
    with pytest.raises(FeedError, match=reason):
        await reader.read(server.serve("/", body, Content_Encoding=coding))


@pytest.mark.parametrize("coding", ["identity", "gzip"])
async def test_the_size_is_that_of_the_decoded_content(coding: str, server: FeedServer) -> None:
    body = FEED + b" " * 2_000_000
    url = server.serve("/", gzip.compress(body) if coding == "gzip" else body, Content_Encoding=coding)
    async with small(max_bytes=1_000_000) as reader:
        with pytest.raises(FeedError, match="too large: more than 1,000,000 bytes"):
            await reader.read(url)
    async with small(max_bytes=len(body)) as reader:
        assert len((await reader.read(url)).items) == 1


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("404 Not Found", "HTTP 404: there is nothing at this address"),
        ("410 Gone", "HTTP 410: it was removed for good"),
        ("500 Internal Server Error", "HTTP 500: Internal Server Error"),
        ("302 Found", "HTTP 302: Found"),
    ],
)
async def test_http_errors(status: str, reason: str, server: FeedServer, reader: FeedReader) -> None:
    with pytest.raises(FeedError) as failure:
        await reader.read(server.serve("/", FEED, status=status))
    assert failure.value.reason == reason
    assert failure.value.status == int(status[:3])
    assert failure.value.retry_after is None


@pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Service Unavailable"])
async def test_a_server_may_ask_to_wait(status: str, server: FeedServer, reader: FeedReader) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    for value, low, high in (("120", 120, 120), (date, 3500, 3600)):
        with pytest.raises(FeedError) as failure:
            await reader.read(server.serve("/", status=status, Retry_After=value))
        assert failure.value.retry_after is not None
        assert low <= failure.value.retry_after <= high
    with pytest.raises(FeedError) as failure:
        await reader.read(server.serve("/", status=status, Retry_After="later"))
    assert failure.value.retry_after is None


async def test_where_a_feed_has_moved_for_good(server: FeedServer, reader: FeedReader) -> None:
    server.serve("/a", status="301 Moved Permanently", Location="/b")
    server.serve("/b", status="308 Permanent Redirect", Location=server.url("/c"))
    server.serve("/c", status="302 Found", Location="/d")
    server.serve("/d", status="301 Moved Permanently", Location="/e")
    server.serve("/e", FEED)
    assert (await reader.read(server.url("/a"))).permanent_url == server.url("/c")
    assert (await reader.read(server.url("/c"))).permanent_url is None
    assert (await reader.read(server.url("/e"))).permanent_url is None


async def test_endless_redirects(server: FeedServer, reader: FeedReader) -> None:
    server.serve("/a", status="302 Found", Location="/a")
    with pytest.raises(FeedError, match="more than 5 redirects"):
        await reader.read(server.url("/a"))
    assert len(server.requests) == 6


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://e.org/", "gopher://e.org", "feed", "", "http://", "http://\0/"]
)
async def test_what_is_no_address(url: str, server: FeedServer, reader: FeedReader) -> None:
    with pytest.raises(FeedError, match="not an address"):
        await reader.read(url)
    with pytest.raises(FeedError, match="not an address"):
        await reader.read(server.serve("/", status="302 Found", Location="file:///etc/passwd"))


async def test_a_server_that_stops_in_the_middle(server: FeedServer) -> None:
    server.answers["/slow"] = Answer(FEED, hang=True, declared_length=len(FEED) + 1)
    server.answers["/short"] = Answer(FEED, declared_length=len(FEED) + 1)
    async with small(timeout_seconds=0.3) as reader:
        with pytest.raises(FeedError, match=r"timed out after 0\.3 s"):
            await reader.read(server.url("/slow"))
        with pytest.raises(FeedError, match="can't be reached"):
            await reader.read(server.url("/short"))


async def test_nobody_listens(reader: FeedReader, unused_tcp_port: int) -> None:
    with pytest.raises(FeedError, match=r"can't be reached: 127\.0\.0\.1"):
        await reader.read(f"http://127.0.0.1:{unused_tcp_port}/")
