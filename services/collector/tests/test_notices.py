"""What people are told of sources: a storm is one notification. The ports here are lists."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from collector.collect import CollectSource
from collector.ports import Page, SourceState, SourceUnreadable
from common.catalog import Source
from common.events import NotifyRequested
from common.posts import Brought, NewPost

SOURCE = Source(uuid4(), "feed", "https://example.com/feed", "News", True, None, False)


class Read:
    """A source whose readings give these, in order: pages, or reasons why it can't be read."""

    def __init__(self, *readings: Page | str) -> None:
        self.readings = list(readings)
        self.state = SourceState()
        self.told: list[NotifyRequested] = []

    async def source(self, _source_id: UUID) -> Source:
        return SOURCE

    async def of(self, _source_id: UUID) -> SourceState:
        return self.state

    async def add(self, _posts: Sequence[NewPost], *, trace_id: str | None = None) -> list[Brought]:
        return []

    async def read(self, _source: Source, _state: SourceState) -> Page:
        reading = self.readings.pop(0)
        if isinstance(reading, str):
            raise SourceUnreadable(reading)
        return reading

    async def all(self) -> list[NotifyRequested]:
        """Read until nothing is left, remembering as the service does; return what people are told."""
        collect = CollectSource(self, self, self, {"feed": self})
        while self.readings:
            collected = await collect(SOURCE.id)
            self.told += [event for event in collected.events if isinstance(event, NotifyRequested)]
            self.state = replace(self.state, last_error=collected.error)
        return self.told


async def test_messages_that_may_not_be_saved_are_one_storm() -> None:
    pages = [Page(refused=(f"messages that may not be saved: {number}, {number + 1}",)) for number in range(100)]
    told = await Read(*pages).all()
    assert len(told) == 100
    assert {notice.fingerprint for notice in told} == {f"collector.content_refused/{SOURCE.id}"}


async def test_a_reason_that_varies_is_told_once() -> None:
    reasons = [f"can't be reached: [Errno {number}] via https://{number}.example/{uuid4()}" for number in range(100)]
    [notice] = await Read(*reasons).all()
    assert notice.fingerprint == f"collector.source_unreadable/{SOURCE.id}/can't be reached"
    assert notice.detail.endswith(reasons[0])


@pytest.mark.parametrize(("second", "times"), [("HTTP 404: gone", 2), ("HTTP 503: come back later", 1)])
async def test_people_are_told_again_when_the_class_of_the_reason_changes(second: str, times: int) -> None:
    told = await Read("HTTP 503: out of service", second).all()
    assert len({notice.fingerprint for notice in told}) == len(told) == times


async def test_people_are_told_again_after_the_source_was_read() -> None:
    told = await Read("HTTP 503: out of service", Page(), "HTTP 503: out of service").all()
    assert len(told) == 2
