"""Feeds at addresses that are not public are refused, with the reason; common's tests try the guard itself."""

import pytest

from collector.adapters.feed_items import FeedError
from collector.adapters.feeds import FeedReader
from common.addresses import PinnedTransport

from .server import FeedServer
from .test_feeds_download import FEED


async def test_private_addresses_are_refused(server: FeedServer) -> None:
    server.serve("/", FEED)
    async with FeedReader() as reader:
        with pytest.raises(FeedError, match=r"refused: localhost is .*, which is not a public address"):
            await reader.read(server.url("/", "localhost"))
    assert server.requests == []


async def test_they_may_be_allowed(server: FeedServer, reader: FeedReader) -> None:
    server.serve("/", FEED)
    assert (await reader.read(server.url("/", "localhost"))).items


async def test_each_hop_is_checked(server: FeedServer) -> None:
    server.serve("/", status="302 Found", Location=server.url("/inside", "other.test"))
    server.serve("/inside", FEED)
    answers = {"feeds.test": ["127.0.0.1"], "other.test": ["10.0.0.1"]}

    async def resolver(host: str, _port: int) -> list[str]:
        return answers[host]

    transport = PinnedTransport(allowed=lambda address: address == "127.0.0.1", resolver=resolver)
    async with FeedReader(transport=transport) as reader:
        with pytest.raises(FeedError, match=r"refused: other\.test is 10\.0\.0\.1"):
            await reader.read(server.url("/", "feeds.test"))
    assert [path for path, _ in server.requests] == ["/"]


async def test_an_unknown_name_is_said() -> None:
    async def resolver(_host: str, _port: int) -> list[str]:
        raise OSError("no such name")

    async with FeedReader(transport=PinnedTransport(resolver=resolver)) as reader:
        with pytest.raises(FeedError, match=r"can't be reached: feeds\.test is not known to DNS"):
            await reader.read("http://feeds.test/")
