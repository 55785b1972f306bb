"""How far a run goes for the media of a post, and when it gives up. The ports here are lists."""

import asyncio
import io
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import BinaryIO
from uuid import UUID, uuid4

import pytest

from collector.fetch_media import FetchMedia, Patience
from collector.ports import Fetch, Medium, MediumUnavailable, NotNow, Wanted
from common.events import MediaRequested, PostCollected
from common.failures import Skip
from common.media.store import Image, Origin, StoreUnavailable

REQUEST = MediaRequested(post_id=uuid4(), source_id=uuid4())
COLLECTED = [PostCollected(post_id=REQUEST.post_id, source_id=REQUEST.source_id)]


class Shelf:
    """Files that are there, or what fetching them gives instead; and what is recorded of them."""

    def __init__(self, *files: bytes | Exception | float) -> None:
        self.files = list(files)
        self.outcomes: dict[int, str] = {}
        self.duplicate = self.full = False

    async def wanted(self, _post_id: UUID) -> Wanted | None:
        left = [number for number in range(1, len(self.files) + 1) if number not in self.outcomes]
        return Wanted(self.duplicate, False, tuple(Medium(number, "document", {"url": "…"}) for number in left))

    async def fetched(self, _post_id: UUID, position: int, digest: str) -> None:
        self.outcomes[position] = digest

    async def missing(self, _post_id: UUID, position: int, problem: str) -> None:
        self.outcomes[position] = problem

    async def keep_picture(self, content: BinaryIO, *, origin: Origin) -> Image:
        raise NotImplementedError

    async def keep(self, content: BinaryIO, mime_type: str, *, origin: Origin) -> Image:
        if self.full:
            raise StoreUnavailable("the object store is full")
        return Image(content.read().decode(), "", origin, mime_type, 1, None, None)

    async def prepare(self, _media: Sequence[Medium], *, allow_private: bool) -> Fetch:
        assert not allow_private
        return self._fetch

    @asynccontextmanager
    async def _fetch(self, medium: Medium) -> AsyncIterator[tuple[BinaryIO, str]]:
        file = self.files[medium.position - 1]
        if isinstance(file, Exception):
            raise file
        if isinstance(file, float):
            await asyncio.sleep(file)
            file = b"slow"
        yield io.BytesIO(file), "text/plain"

    async def run(self, *, seconds: float = 60.0, last_attempt: bool = False, waited_enough: bool = False):
        fetch = FetchMedia(self, self, {"url": self}, most_bytes=100)
        return await fetch(REQUEST, Patience(seconds, last_attempt, waited_enough))


async def test_the_post_goes_on_when_something_is_known_of_each() -> None:
    shelf = Shelf(b"one", MediumUnavailable("it was deleted"), b"three")
    assert await shelf.run() == COLLECTED
    assert shelf.outcomes == {1: "one", 2: "it was deleted", 3: "three"}


async def test_trouble_with_one_keeps_nobody_from_the_others() -> None:
    shelf = Shelf(b"one", ConnectionError("reset"), b"three")
    with pytest.raises(ConnectionError):
        await shelf.run(waited_enough=True)
    assert shelf.outcomes == {1: "one", 3: "three"}
    assert await shelf.run(last_attempt=True) == COLLECTED
    assert shelf.outcomes[2] == "ConnectionError: reset"


async def test_a_wait_ends_the_run_until_enough_was_waited() -> None:
    shelf = Shelf(NotNow(5.0, "Telegram asks to wait 5 s"), b"two")
    with pytest.raises(NotNow):
        await shelf.run(last_attempt=True)  # waiting is no attempt
    assert shelf.outcomes == {}
    assert await shelf.run(waited_enough=True) == COLLECTED
    assert shelf.outcomes == {1: "Telegram asks to wait 5 s", 2: "two"}


async def test_a_full_store_is_waited_for_and_no_attempt() -> None:
    shelf = Shelf(b"one")
    shelf.full = True
    with pytest.raises(NotNow, match="the object store is full") as later:
        await shelf.run(last_attempt=True)
    assert later.value.seconds > 86_400 / 1_000  # or the stream gives up before the deadline comes
    assert shelf.outcomes == {}
    assert await shelf.run(waited_enough=True) == COLLECTED
    assert shelf.outcomes == {1: "the object store is full"}


async def test_time_that_is_up_after_progress_is_no_failure() -> None:
    shelf = Shelf(b"one", 3600.0, b"three")
    with pytest.raises(TimeoutError):
        await shelf.run(seconds=0.1)
    assert shelf.outcomes == {1: "one"}
    with pytest.raises(NotNow) as later:
        await shelf.run(seconds=0.1, last_attempt=True)
    assert (later.value.seconds, str(later.value)) == (0.0, "1 media are left for the next run")
    assert await shelf.run(last_attempt=True) == COLLECTED
    assert shelf.outcomes[3] == "three"


async def test_no_more_are_fetched_than_an_album_has() -> None:
    shelf = Shelf(*[b"file"] * 12)
    assert await shelf.run() == COLLECTED
    assert [shelf.outcomes[number] for number in (10, 11)] == ["file", "only the first 10 of a post are fetched"]


async def test_a_duplicate_needs_no_media() -> None:
    shelf = Shelf(b"one")
    shelf.duplicate = True
    with pytest.raises(Skip, match="duplicate"):
        await shelf.run()
    assert shelf.outcomes == {}
