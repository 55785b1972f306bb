import pytest

from collector.adapters.addresses import PinnedTransport, is_public
from collector.adapters.feed_items import FeedError
from collector.adapters.feeds import FeedReader

from .server import FeedServer
from .test_feeds_download import FEED

PRIVATE = [
    *("127.0.0.1", "127.9.9.9", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1"),
    *("192.0.2.1", "198.18.0.1", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255", "192.0.0.1"),
    *("::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1"),
    *("fe80::1", "fe80::1%eth0", "fc00::1", "fd00::1", "fec0::1", "ff02::1", "2001:db8::1", "2002:7f00:1::", "2001::1"),
]


@pytest.mark.parametrize("address", PRIVATE)
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "93.184.216.34", "2606:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8"]
)
def test_public_addresses(address: str) -> None:
    assert is_public(address)


def answering(*answers: list[str]) -> tuple[list[str], "PinnedTransport"]:
    """A transport whose DNS gives each answer once, in order; only 127.0.0.1 counts as public."""
    asked: list[str] = []
    remaining = iter(answers)

    async def resolver(host: str, _port: int) -> list[str]:
        asked.append(host)
        return next(remaining)

    return asked, PinnedTransport(allowed=lambda address: address == "127.0.0.1", resolver=resolver)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "2130706433", "0x7f000001", "127.1", "[::1]", "[::ffff:127.0.0.1]"]
)
async def test_private_addresses_are_refused_however_they_are_written(host: str, server: FeedServer) -> None:
    server.serve("/", FEED)
    async with FeedReader() as reader:
        with pytest.raises(FeedError, match=r"refused: .* is not a public address|can't be reached"):
            await reader.read(server.url("/", host))
    assert server.requests == []


async def test_they_may_be_allowed(server: FeedServer, reader: FeedReader) -> None:
    server.serve("/", FEED)
    assert (await reader.read(server.url("/", "localhost"))).items


async def test_a_name_is_resolved_once_and_that_address_is_used(server: FeedServer) -> None:
    server.serve("/", FEED)
    asked, transport = answering(["127.0.0.1"])
    async with FeedReader(transport=transport) as reader:
        assert (await reader.read(server.url("/", "feeds.test"))).items
    assert asked == ["feeds.test"]
    assert server.requests[0][1]["host"] == f"feeds.test:{server.port}"


async def test_one_private_address_of_a_name_is_enough_to_refuse(server: FeedServer) -> None:
    _, transport = answering(["127.0.0.1", "127.0.0.2"])
    async with FeedReader(transport=transport) as reader:
        with pytest.raises(FeedError, match=r"refused: feeds\.test is 127\.0\.0\.2, which is not a public address"):
            await reader.read(server.url("/", "feeds.test"))
    assert server.requests == []


async def test_each_hop_is_checked(server: FeedServer) -> None:
    server.serve("/", status="302 Found", Location=server.url("/inside", "other.test"))
    server.serve("/inside", FEED)
    asked, transport = answering(["127.0.0.1"], ["10.0.0.1"])
    async with FeedReader(transport=transport) as reader:
        with pytest.raises(FeedError, match=r"refused: other\.test is 10\.0\.0\.1"):
            await reader.read(server.url("/", "feeds.test"))
    assert asked == ["feeds.test", "other.test"]
    assert [path for path, _ in server.requests] == ["/"]


async def test_an_answer_that_changes_later_gains_nothing(server: FeedServer) -> None:
    server.serve("/", FEED)
    _, transport = answering(["127.0.0.1"], ["10.0.0.1"])
    async with FeedReader(transport=transport) as reader:
        assert (await reader.read(server.url("/", "feeds.test"))).items
        with pytest.raises(FeedError, match="refused"):
            await reader.read(server.url("/", "feeds.test"))


async def test_tls_asks_for_the_name(server: FeedServer) -> None:
    _, transport = answering(["127.0.0.1"])
    async with FeedReader(transport=transport) as reader:
        with pytest.raises(FeedError, match="can't be reached"):
            await reader.read(f"https://feeds.test:{server.port}/")
    assert b"feeds.test" in server.first_bytes


async def test_an_unknown_name_is_said() -> None:
    async def resolver(_host: str, _port: int) -> list[str]:
        raise OSError("no such name")

    async with FeedReader(transport=PinnedTransport(resolver=resolver)) as reader:
        with pytest.raises(FeedError, match=r"can't be reached: feeds\.test is not known to DNS"):
            await reader.read("http://feeds.test/")
