"""Feeds as a reader meets them."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import feedparser
import httpx
import pytest

from sandbox.faults import Fault, Faults
from sandbox.feeds.routes import FeedEndpoint
from sandbox.feeds.shelf import FeedAbout, FeedItem, Shelf


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
async def http(serve: Any, faults: Faults, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A reader of a shelf with one feed, and of a directory with one file."""
    shelf = Shelf(None, window=3)
    shelf.open(FeedAbout(name="town", title="Town & country", language="ru"))
    shelf.add("town", FeedItem(title="Мост <открыт>", content="<p>14 июня & точка</p>", categories=("мост",)))
    (tmp_path / "raw.xml").write_bytes(b"<rss><channel><title>raw</title></channel></rss>")
    async with httpx.AsyncClient(base_url=await serve(FeedEndpoint(shelf, faults, tmp_path).routes())) as client:
        yield client


@pytest.mark.parametrize("wanted", ["rss", "atom"])
async def test_xml_formats_say_the_same(http: httpx.AsyncClient, wanted: str) -> None:
    answer = await http.get("/feeds/town", params={"format": wanted})
    assert wanted in answer.headers["content-type"]
    parsed = feedparser.parse(answer.content)
    assert not parsed.bozo
    assert parsed.feed.title == "Town & country"
    entry = parsed.entries[0]
    assert entry.title == "Мост <открыт>"
    assert entry.id.startswith("urn:uuid:")
    assert "14 июня" in entry.summary
    assert entry.published_parsed
    assert [tag.term for tag in entry.tags] == ["мост"]


async def test_json_feed(http: httpx.AsyncClient) -> None:
    answer = await http.get("/feeds/town?format=json")
    assert answer.headers["content-type"] == "application/feed+json"
    feed = answer.json()
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert feed["items"][0]["content_html"] == "<p>14 июня & точка</p>"


async def test_conditional_requests(http: httpx.AsyncClient) -> None:
    first = await http.get("/feeds/town")
    etag, modified = first.headers["etag"], first.headers["last-modified"]
    for headers in (
        {"if-none-match": etag},
        {"if-none-match": f'"other", W/{etag}'},
        {"if-modified-since": modified},
        {"if-none-match": etag, "if-modified-since": "Mon, 01 Jan 2001 00:00:00 GMT"},
    ):
        again = await http.get("/feeds/town", headers=headers)
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == etag
    for headers in (
        {"if-none-match": '"other"', "if-modified-since": modified},
        {"if-modified-since": "Mon, 01 Jan 2001 00:00:00 GMT"},
        {"if-modified-since": "yesterday"},
    ):
        assert (await http.get("/feeds/town", headers=headers)).status_code == 200
    await http.post("/api/feeds/town/items", json={"title": "New"})
    assert (await http.get("/feeds/town", headers={"if-none-match": etag})).status_code == 200


async def test_items_are_added_replaced_and_fall_out(http: httpx.AsyncClient) -> None:
    for number in range(4):
        answer = await http.post("/api/feeds/town/items", json={"title": f"Item {number}", "id": f"i{number}"})
        assert answer.status_code == 201
    await http.post("/api/feeds/town/items", json={"title": "Item 3 again", "id": "i3"})
    titles = [item["title"] for item in (await http.get("/api/feeds/town/items")).json()]
    assert titles == ["Item 3 again", "Item 2", "Item 1"]


async def test_a_first_item_opens_a_feed(http: httpx.AsyncClient) -> None:
    assert (await http.get("/feeds/fresh")).status_code == 404
    await http.post("/api/feeds/fresh/items", json={"title": "First"})
    assert feedparser.parse((await http.get("/feeds/fresh")).content).entries[0].title == "First"
    await http.post("/api/feeds", json={"name": "fresh", "title": "Renamed", "format": "atom"})
    assert b"Renamed" in (await http.get("/feeds/fresh")).content
    assert {feed["name"] for feed in (await http.get("/api/feeds")).json()} == {"town", "fresh"}


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/api/feeds/town/items", {}, "title"),
        ("/api/feeds/town/items", {"title": "x", "published": "2026-01-01T00:00:00"}, "published"),
        ("/api/feeds/town/items", {"title": "x", "colour": "red"}, "colour"),
        ("/api/feeds", {"name": "No Spaces"}, "name"),
        ("/api/feeds/No%20Spaces/items", {"title": "x"}, "name"),
    ],
)
async def test_bad_input_is_named(http: httpx.AsyncClient, path: str, body: dict[str, Any], field: str) -> None:
    answer = await http.post(path, json=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert field in answer.json()["detail"]


async def test_an_unknown_format_is_refused(http: httpx.AsyncClient) -> None:
    answer = await http.get("/feeds/town?format=gopher")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "format"


async def test_raw_files_are_served_as_they_are(http: httpx.AsyncClient, faults: Faults) -> None:
    whole = await http.get("/feeds/files/raw.xml")
    assert whole.content.startswith(b"<rss>")
    again = await http.get("/feeds/files/raw.xml", headers={"if-none-match": whole.headers["etag"]})
    assert again.status_code == 304
    faults.add(Fault(where="feed:files/raw.xml", kind="broken"))
    assert len((await http.get("/feeds/files/raw.xml")).content) < len(whole.content)
    for path in ("nothing.xml", "../conftest.py", "%2e%2e/conftest.py"):
        assert (await http.get(f"/feeds/files/{path}")).status_code == 404


async def test_faults(http: httpx.AsyncClient, faults: Faults) -> None:
    faults.add(Fault(where="feed:town", kind="server_error"))
    assert (await http.get("/feeds/town")).status_code == 500
    faults.add(Fault(where="feed:*", kind="server_error", seconds=9))
    answer = await http.get("/feeds/town")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "9")
    faults.add(Fault(where="feed:town", kind="broken"))
    with pytest.raises(ElementTree.ParseError):
        ElementTree.fromstring((await http.get("/feeds/town")).content)
    faults.add(Fault(where="feed:town", kind="drop"))
    with pytest.raises(httpx.RemoteProtocolError):
        await http.get("/feeds/town")
    faults.add(Fault(where="feed:town", kind="delay", seconds=0.01))
    assert (await http.get("/feeds/town")).status_code == 200
    faults.add(Fault(where="feed:other", kind="drop"))
    assert (await http.get("/feeds/town")).status_code == 200


def test_a_shelf_outlives_its_process(tmp_path: Path) -> None:
    path = tmp_path / "feeds.jsonl"
    shelf = Shelf(path, window=2)
    shelf.open(FeedAbout(name="town", title="Town"))
    for number in range(3):
        shelf.add("town", FeedItem(title=f"Item {number}"))
    with path.open("a") as file:
        file.write(json.dumps({"item": {}})[:-1])  # killed while writing
    before, after = shelf.get("town"), Shelf(path, window=2).get("town")
    assert before == after
    assert after
    assert [item.title for item in after.items] == ["Item 2", "Item 1"]
    assert after.count == 3
