"""Pictures under signed addresses."""

import io
import time
from collections.abc import AsyncIterator

import httpx
import pytest
from nats.aio.client import Client
from PIL import Image

from common.media.links import MediaLinks
from common.media.store import MediaStore
from common.postgres import Database
from common.service import ServiceSettings

from .conftest import serving

SECRET = "a secret of the tests"


@pytest.fixture
async def url(
    database: Database, service_settings: ServiceSettings, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[str]:
    """The address of an api that serves pictures."""
    async with serving(monkeypatch, MEDIA_URL_SECRET=SECRET) as address:
        yield address


@pytest.fixture
async def digest(database: Database, nats_client: Client) -> str:
    """A picture in the store, which Instagram does not take as it is: too wide, transparent, and no JPEG."""
    content = io.BytesIO()
    Image.new("RGBA", (900, 100), (200, 20, 20, 128)).save(content, "PNG")
    content.seek(0)
    return (await MediaStore(database, nats_client.jetstream()).keep_picture(content, origin="source")).hash


async def answer(address: str) -> httpx.Response:
    """What an address answers to somebody without a token."""
    async with httpx.AsyncClient() as http:
        return await http.get(address)


async def test_an_address_gives_the_picture_as_instagram_takes_it(url: str, digest: str) -> None:
    found = await answer(MediaLinks(SECRET, url).address(digest, 60))
    assert (found.status_code, found.headers["content-type"]) == (200, "image/jpeg")
    assert found.headers["cache-control"] == "no-store"  # no proxy may keep it for longer than the address is good
    with Image.open(io.BytesIO(found.content)) as picture:
        assert picture.format == "JPEG"
        assert picture.width / picture.height <= 1.92


async def test_only_addresses_of_ours_that_are_not_over_are_answered(url: str, digest: str) -> None:
    links = MediaLinks(SECRET, url)
    good = links.address(digest, 60)
    expires = httpx.URL(good).params["expires"]
    wrong = {
        "another signature": MediaLinks("another secret of the tests", url).address(digest, 60),
        "no signature": good.partition("?")[0],
        "another image": good.replace(digest, "0" * 64),
        "a longer time": good.replace(f"expires={expires}", f"expires={int(expires) + 1000}"),
        "expired": MediaLinks(SECRET, url, clock=lambda: time.time() - 100).address(digest, 60),
        "no number": good.replace(f"expires={expires}", "expires=x"),
        "no hash": good.replace(digest, "..%2f" + digest[6:]),
        "not in the store": links.address("0" * 64, 60),
    }
    for what, address in wrong.items():
        found = await answer(address)
        assert found.status_code == 404, what
        assert found.headers["content-type"] == "application/problem+json", what
    assert "expired" in (await answer(wrong["expired"])).json()["detail"]
    assert (await answer(good)).status_code == 200


async def test_without_a_secret_there_are_no_addresses(
    database: Database, service_settings: ServiceSettings, monkeypatch: pytest.MonkeyPatch, digest: str
) -> None:
    async with serving(monkeypatch) as url:
        found = await answer(MediaLinks("", url).address(digest, 60))
    assert found.status_code == 404
    assert "MEDIA_URL_SECRET" in found.json()["detail"]
