from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from collector.adapters.feeds import FeedReader

from .server import FeedServer, feed_server

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)


@pytest.fixture
async def server() -> AsyncIterator[FeedServer]:
    async with feed_server() as feeds:
        yield feeds


@pytest.fixture
async def reader() -> AsyncIterator[FeedReader]:
    async with FeedReader(allow_private=True, clock=lambda: NOW) as feeds:
        yield feeds
