"""The guard against addresses that are not public: by itself, and against a real server."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import httpx
import pytest

from common.addresses import AddressRefused, PinnedTransport, is_any, is_public

PRIVATE = [
    *("127.0.0.1", "127.9.9.9", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1"),
    *("192.0.2.1", "198.18.0.1", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255", "192.0.0.1"),
    *("::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1"),
    *("fe80::1", "fe80::1%eth0", "fc00::1", "fd00::1", "fec0::1", "ff02::1", "2001:db8::1", "2002:7f00:1::", "2001::1"),
]


@dataclass
class Inside:
    """A server on the loopback interface: `/` has something to read, `/away` leads to `location`."""

    port: int = 0
    location: str = ""
    heads: list[bytes] = field(default_factory=list)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request."""
        self.heads.append(await reader.read(65536))
        status = f"302 Found\r\nLocation: {self.location}" if self.heads[-1].startswith(b"GET /away") else "200 OK"
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 6\r\nConnection: close\r\n\r\nsecret".encode())
        await writer.drain()
        writer.close()


@pytest.fixture
async def inside() -> AsyncIterator[Inside]:
    """The server, while it runs."""
    found = Inside()
    server = await asyncio.start_server(found.handle, "127.0.0.1", 0)
    found.port = server.sockets[0].getsockname()[1]
    async with server:
        yield found


def answering(*answers: list[str]) -> tuple[list[str], PinnedTransport]:
    """A transport whose DNS gives each answer once, in order; only 127.0.0.1 counts as public."""
    asked: list[str] = []
    remaining = iter(answers)

    async def resolver(host: str, _port: int) -> list[str]:
        asked.append(host)
        return next(remaining)

    return asked, PinnedTransport(allowed=lambda address: address == "127.0.0.1", resolver=resolver)


@pytest.mark.parametrize("address", PRIVATE)
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "93.184.216.34", "2606:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8"]
)
def test_public_addresses(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "2130706433", "0x7f000001", "127.1", "[::1]", "[::ffff:127.0.0.1]"]
)
async def test_private_addresses_are_refused_however_they_are_written(host: str, inside: Inside) -> None:
    async with httpx.AsyncClient(transport=PinnedTransport()) as client:
        with pytest.raises(httpx.ConnectError, match=r"is not a public address|is not known to DNS"):
            await client.get(f"http://{host}:{inside.port}/")
    assert inside.heads == []


async def test_they_may_be_allowed(inside: Inside) -> None:
    async with httpx.AsyncClient(transport=PinnedTransport(allowed=is_any)) as client:
        assert (await client.get(f"http://localhost:{inside.port}/")).text == "secret"


async def test_a_name_is_resolved_once_and_that_address_is_used(inside: Inside) -> None:
    asked, transport = answering(["127.0.0.1"])
    async with httpx.AsyncClient(transport=transport) as client:
        assert (await client.get(f"http://pictures.test:{inside.port}/")).text == "secret"
    assert asked == ["pictures.test"]
    assert f"Host: pictures.test:{inside.port}".encode() in inside.heads[0]


async def test_one_private_address_of_a_name_is_enough_to_refuse(inside: Inside) -> None:
    _, transport = answering(["127.0.0.1", "127.0.0.2"])
    async with httpx.AsyncClient(transport=transport) as client:
        with pytest.raises(AddressRefused, match=r"pictures\.test is 127\.0\.0\.2, which is not a public address"):
            await client.get(f"http://pictures.test:{inside.port}/")
    assert inside.heads == []


async def test_each_hop_is_checked(inside: Inside) -> None:
    inside.location = f"http://other.test:{inside.port}/"
    asked, transport = answering(["127.0.0.1"], ["10.0.0.1"])
    async with httpx.AsyncClient(transport=transport, follow_redirects=True) as client:
        with pytest.raises(AddressRefused, match=r"other\.test is 10\.0\.0\.1"):
            await client.get(f"http://pictures.test:{inside.port}/away")
    assert asked == ["pictures.test", "other.test"]
    assert len(inside.heads) == 1


async def test_an_answer_that_changes_later_gains_nothing(inside: Inside) -> None:
    _, transport = answering(["127.0.0.1"], ["10.0.0.1"])
    async with httpx.AsyncClient(transport=transport) as client:
        assert (await client.get(f"http://pictures.test:{inside.port}/")).text == "secret"
        with pytest.raises(AddressRefused):
            await client.get(f"http://pictures.test:{inside.port}/")


async def test_the_next_address_is_tried_where_one_does_not_answer(inside: Inside) -> None:
    async def resolver(_host: str, _port: int) -> list[str]:
        return ["127.0.0.2", "127.0.0.1"]  # the server listens on the second one only

    async with httpx.AsyncClient(transport=PinnedTransport(allowed=is_any, resolver=resolver)) as client:
        assert (await client.get(f"http://pictures.test:{inside.port}/")).text == "secret"


async def test_tls_asks_for_the_name(inside: Inside) -> None:
    _, transport = answering(["127.0.0.1"])
    async with httpx.AsyncClient(transport=transport) as client:
        with pytest.raises(httpx.ConnectError, match=r"pictures\.test \(127\.0\.0\.1\)"):
            await client.get(f"https://pictures.test:{inside.port}/")
    assert b"pictures.test" in inside.heads[0]


async def test_an_unknown_name_is_said() -> None:
    async def resolver(_host: str, _port: int) -> list[str]:
        raise OSError("no such name")

    async with httpx.AsyncClient(transport=PinnedTransport(resolver=resolver)) as client:
        with pytest.raises(httpx.ConnectError, match=r"pictures\.test is not known to DNS: no such name"):
            await client.get("http://pictures.test/")
