"""Media of feeds, from a real HTTP server into the object store."""

import io
import os
from collections.abc import AsyncIterator
from hashlib import sha256

import pytest
from PIL import Image

from common.posts import Media, NewPost, Posts
from common.telegram.text import RichText
from common.testing.waiting import eventually
from sandbox.demo.pictures import picture

from .conftest import serving
from .feeds.server import FeedServer, feed_server

PICTURE = picture(1, 110, 90)
TEXT = "The only entry of the feed, with words enough"


@pytest.fixture
async def feeds() -> AsyncIterator[FeedServer]:
    """A server of feeds and their files on this machine."""
    async with feed_server() as server:
        yield server


@pytest.fixture(autouse=True)
def without_telegram(stage, monkeypatch) -> None:
    """Only feeds here, and files up to 20,000 bytes."""
    monkeypatch.delenv("TELETHON_SESSION", raising=False)
    monkeypatch.setenv("MEDIA_MAX_BYTES", "20000")


def feed(feeds, *declared):
    """A feed of one entry with media; returns its address."""
    return feeds.serve(
        "/rss",
        '<rss version="2.0" xmlns:media="http://search.yahoo.com/mrss/"><channel><title>News</title><item><guid>1</guid>'
        f"<title>Entry</title><description>{TEXT}</description>{''.join(declared)}</item></channel></rss>",
    )


def enclosure(url, mime_type="image/jpeg"):
    return f'<enclosure url="{url}" type="{mime_type}" length="1"/>'


async def collected(stage, url):
    """Collect a feed of one entry; returns what came of its media, when the post went on."""
    source = await stage.source("feed", url, allow_private=True)
    await stage.request(source)
    (post,) = await stage.posts(1)
    await stage.idle()
    assert post["text"] == TEXT
    assert await stage.collected() == [post["id"]]
    return await stage.media(post["id"])


async def test_pictures_and_files_are_stored(stage, feeds) -> None:
    image = feeds.serve("/1.jpg", PICTURE, Content_Type="image/jpeg")  # it is none
    sound = feeds.serve("/%C3%A4.mp3?x=1", b"sound", Content_Type="application/octet-stream")
    film = feeds.serve("/2.mp4", b"film", Content_Type="video/mp4")
    url = feed(
        feeds,
        f'<media:content url="{image}" type="image/jpeg" width="110" height="90"/>',
        enclosure(sound, "audio/mpeg"),
        f'<media:content url="{film}" medium="video" duration="61.5"/>',
    )
    async with serving():
        media = await collected(stage, url)
    by_kind = {each["kind"]: each for each in media}
    assert {kind: each["hash"] for kind, each in by_kind.items()} == {
        "photo": sha256(PICTURE).hexdigest(),
        "audio": sha256(b"sound").hexdigest(),
        "video": sha256(b"film").hexdigest(),
    }
    assert {kind: each["mime_type"] for kind, each in by_kind.items()} == {
        "photo": "image/png",
        "audio": "audio/mpeg",
        "video": "video/mp4",
    }
    assert {kind: each["details"] for kind, each in by_kind.items()} == {
        "photo": {"width": 110, "height": 90},
        "audio": {"name": "ä.mp3"},
        "video": {"name": "2.mp4", "duration_seconds": 61.5},
    }
    assert await stage.content(by_kind["photo"]["hash"]) == PICTURE


async def test_a_picture_of_twenty_megabytes(stage, feeds, monkeypatch) -> None:
    monkeypatch.delenv("MEDIA_MAX_BYTES")
    written = io.BytesIO()
    Image.frombytes("RGB", (2600, 2600), os.urandom(2600 * 2600 * 3)).save(written, "PNG", compress_level=0)
    content = written.getvalue()
    assert len(content) > 20_000_000
    image = feeds.serve("/1.png", content, Content_Type="image/png")
    async with serving():
        (photo,) = await collected(stage, feed(feeds, enclosure(image)))
    assert (photo["problem"], photo["hash"], photo["width"]) == (None, sha256(content).hexdigest(), 2600)
    assert await stage.content(photo["hash"]) == content


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ((PICTURE[:-40], "200 OK"), "it is no picture that can be used: "),
        (("<svg xmlns='http://www.w3.org/2000/svg'/>", "200 OK"), "it is no picture that can be used: "),
        (("<!doctype html><title>Not here</title>", "200 OK"), "it is no picture that can be used: "),
        (("", "404 Not Found"), "can't be fetched: HTTP 404 Not Found"),
        (("", "200 OK"), "is empty"),
        ((bytes(20_001), "200 OK"), "is larger than 20,000 bytes"),
        (("", "503 Service Unavailable"), "can't be fetched: HTTP 503 Service Unavailable"),
    ],
    ids=["truncated", "svg", "html", "missing", "empty", "large", "broken"],
)
async def test_what_is_no_picture_is_left_out_with_the_reason(stage, feeds, answer, problem) -> None:
    image = feeds.serve("/1.png", *answer, Content_Type="image/png")
    async with serving():
        (photo,) = await collected(stage, feed(feeds, enclosure(image)))
    assert problem in photo["problem"]
    assert (photo["hash"], photo["mime_type"]) == (None, None)
    assert await stage.database.strict.fetchval("SELECT count(*) FROM images") == 0


async def test_a_player_is_no_film(stage, feeds) -> None:
    player = feeds.serve("/player", "<!doctype html>", Content_Type="text/html; charset=utf-8")
    async with serving():
        (film,) = await collected(stage, feed(feeds, enclosure(player, "video/mp4")))
    assert film["problem"] == f"{player} is a web page, no video"


async def test_a_server_that_is_broken_for_a_while_is_asked_again(stage, feeds, monkeypatch) -> None:
    monkeypatch.setenv("MEDIA_QUEUE_BACKOFF_BASE_SECONDS", "2")
    image = feeds.serve("/1.png", "", "502 Bad Gateway")
    source = await stage.source("feed", feed(feeds, enclosure(image)), allow_private=True)
    async with serving():
        await stage.request(source)

        async def asked() -> bool:
            return any(path == "/1.png" for path, _ in feeds.requests)

        await eventually(asked)
        assert await stage.collected() == []
        feeds.serve("/1.png", PICTURE)
        (post,) = await stage.posts(1)
        await stage.idle()
    (photo,) = await stage.media(post["id"])
    assert photo["hash"] == sha256(PICTURE).hexdigest()
    assert await stage.collected() == [post["id"]]


async def test_private_addresses_are_for_sources_that_allow_them(stage, feeds) -> None:
    image = feeds.serve("/1.png", PICTURE)
    source = await stage.source("feed", "https://example.com/feed")
    post = NewPost(source, "1", RichText(text=TEXT), media=(Media("photo", {"url": image}),))
    await Posts(stage.database).add([post])
    async with serving():
        assert (await stage.job(await stage.fetch(post.id, source)))["status"] == "succeeded"
    (photo,) = await stage.media(post.id)
    assert "which is not a public address" in photo["problem"]
    assert feeds.requests == []


async def test_a_feed_that_is_read_again_fetches_nothing_again(stage, feeds) -> None:
    image = feeds.serve("/1.png", PICTURE)
    async with serving():
        await collected(stage, feed(feeds, enclosure(image)))
        await collected(stage, feed(feeds, enclosure(image)))
    assert [path for path, _ in feeds.requests if path == "/1.png"] == ["/1.png"]
