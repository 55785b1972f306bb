"""Fetching files by their URL: bounded, and never from where only machines inside can read."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from common.addresses import PinnedTransport
from common.media.download import Downloads, Unavailable

MOST_BYTES = 100_000

ANSWERS = {
    "/file": b"HTTP/1.1 200 OK\r\nContent-Type: image/PNG; charset=utf-8\r\nContent-Length: 4\r\n\r\nfile",
    "/nothing": b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
    "/broken": b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n",
    "/empty": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "/declared": b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (MOST_BYTES + 1),
    "/large": b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + bytes(MOST_BYTES + 1),
    "/short": b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nfile",
    "/packed": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nfile",
    "/moved": b"HTTP/1.1 302 Found\r\nLocation: http://inside.test/file\r\nContent-Length: 0\r\n\r\n",
    "/bloated": b"HTTP/1.1 302 Found\r\nLocation: /file\r\nContent-Length: 9999999999\r\n\r\nmoved, and on and on",
    "/strange": b"HTTP/1.1 200 OK\r\nContent-Type: " + b"a" * 9_000 + b"/b\r\nContent-Length: 4\r\n\r\nfile",
    "/around": b"HTTP/1.1 302 Found\r\nLocation: /around\r\nContent-Length: 0\r\n\r\n",
    "/elsewhere": b"HTTP/1.1 302 Found\r\nLocation: file:///etc/hosts\r\nContent-Length: 0\r\n\r\n",
}


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """The port of a server inside; it gives no more than what ANSWERS holds, and closes."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.read(65536)
        writer.write(ANSWERS.get(request.split(b" ")[1].decode(), b""))
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def fetched(downloads: Downloads, url: str) -> tuple[bytes, str]:
    async with downloads.fetch(url, most_bytes=MOST_BYTES) as (file, mime_type):
        return file.read(), mime_type


async def test_a_file_is_fetched_with_its_type(port: int) -> None:
    async with Downloads.open(allow_private=True) as downloads:
        assert await fetched(downloads, f"http://localhost:{port}/file") == (b"file", "image/png")


async def test_a_type_that_is_none_is_none(port: int) -> None:
    async with Downloads.open(allow_private=True) as downloads:
        assert await fetched(downloads, f"http://localhost:{port}/strange") == (b"file", "")


async def test_nothing_is_read_of_what_comes_with_a_redirect(port: int) -> None:
    async with Downloads.open(allow_private=True) as downloads:
        assert await fetched(downloads, f"http://localhost:{port}/bloated") == (b"file", "image/png")


async def test_private_addresses_are_refused_unless_allowed(port: int) -> None:
    async with Downloads.open() as downloads:
        with pytest.raises(Unavailable, match=r"localhost is .*, which is not a public address") as refused:
            await fetched(downloads, f"http://localhost:{port}/file")
    assert not refused.value.temporary


async def test_a_name_that_changes_its_address_gains_nothing(port: int) -> None:
    answers = iter([["127.0.0.1"], ["10.0.0.1"]])

    async def resolver(_host: str, _port: int) -> list[str]:
        return next(answers)

    transport = PinnedTransport(allowed=lambda address: address == "127.0.0.1", resolver=resolver)
    async with Downloads.open(transport=transport) as downloads:
        url = f"http://files.test:{port}/file"
        assert (await fetched(downloads, url))[0] == b"file"  # looked up once, for the check and for the connection
        with pytest.raises(Unavailable, match=r"files\.test is 10\.0\.0\.1, which is not a public address"):
            await fetched(downloads, url)


async def test_a_redirect_to_the_inside_is_refused(port: int) -> None:
    answers = {"files.test": ["127.0.0.1"], "inside.test": ["192.168.0.1"]}

    async def resolver(host: str, _port: int) -> list[str]:
        return answers[host]

    transport = PinnedTransport(allowed=lambda address: address == "127.0.0.1", resolver=resolver)
    async with Downloads.open(transport=transport) as downloads:
        with pytest.raises(Unavailable, match=r"inside\.test is 192\.168\.0\.1"):
            await fetched(downloads, f"http://files.test:{port}/moved")


@pytest.mark.parametrize(
    ("path", "reason", "temporary"),
    [
        ("nothing", "can't be fetched: HTTP 404 Not Found", False),
        ("broken", "can't be fetched: HTTP 503", True),
        ("short", "can't be fetched: .*without sending complete message body", True),
        ("hung-up", "can't be fetched: .*disconnected", True),
        ("empty", "is empty", False),
        ("declared", "larger than 100,000 bytes", False),
        ("large", "larger than 100,000 bytes", False),
        ("packed", "comes as gzip", False),
        ("around", "redirects", False),
        ("elsewhere", "(?i)unsupported protocol|only http", False),
    ],
)
async def test_what_can_not_be_had_is_said(port: int, path: str, reason: str, temporary: bool) -> None:
    async with Downloads.open(allow_private=True) as downloads:
        with pytest.raises(Unavailable, match=reason) as unavailable:
            await fetched(downloads, f"http://127.0.0.1:{port}/{path}")
    assert unavailable.value.temporary is temporary


async def test_an_address_that_is_none_is_said() -> None:
    async with Downloads.open() as downloads:
        for url in ("ftp://files.test/file", "http://", "not an address"):
            with pytest.raises(Unavailable, match="can't be fetched") as unavailable:
                await fetched(downloads, url)
            assert not unavailable.value.temporary
