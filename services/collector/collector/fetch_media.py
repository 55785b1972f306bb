"""Fetching the media of a post, once, before the post goes on.

What came of each medium is recorded as soon as it is known, so that a run goes on where an earlier one ended. A medium
that can't be had is a record too: the post goes on without it.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from collector.ports import Fetch, MediaKeeper, MediaPlace, MediaRecords, Medium, MediumUnavailable, NotNow
from common.events import Event, MediaRequested, PostCollected
from common.failures import Skip
from common.media.items import ALBUM_ITEMS
from common.media.pictures import NotAPicture
from common.media.store import StoreUnavailable

log = logging.getLogger(__name__)

FOR_GOOD = (MediumUnavailable, NotAPicture)
IN_WORDS = (*FOR_GOOD, NotNow)  # what speaks for itself
STORE_SECONDS = 90.0  # until an object store that is full or away is tried again: in a day fewer times than max_deliver
LEFT_OUT = {"sticker": "stickers are left out"}  # by kind


@dataclass(frozen=True, slots=True)
class Patience:
    """How much more a run may ask for: its own time in seconds, another attempt, another wait."""

    seconds: float
    last_attempt: bool = False
    waited_enough: bool = False


class FetchMedia:
    """The use case. `places` are by the key of a reference that leads there: `url`, `chat`."""

    def __init__(
        self, records: MediaRecords, store: MediaKeeper, places: Mapping[str, MediaPlace], *, most_bytes: int
    ) -> None:
        self._records = records
        self._store = store
        self._places = places
        self._most_bytes = most_bytes
        self._decoding = asyncio.Lock()  # a large picture takes 200 MB while it is decoded

    async def __call__(self, request: MediaRequested, patience: Patience) -> list[Event]:
        """Fetch what is still missing. Raises Skip where there is nothing to do.

        As long as `patience` allows, also NotNow and what may pass, the latter after the other media were fetched.
        """
        wanted = await self._records.wanted(request.post_id)
        if wanted is None or wanted.duplicate:
            raise Skip("there is no such post" if wanted is None else "the post is a duplicate")
        fetches = _Fetches(self._places, wanted.media, allow_private=wanted.allow_private)
        loop = asyncio.get_running_loop()
        end = loop.time() + patience.seconds
        trouble: Exception | None = None
        for number, medium in enumerate(wanted.media):
            if loop.time() >= end:
                trouble = trouble or _time_is_up(len(wanted.media) - number, patience)
                break
            try:
                async with asyncio.timeout_at(end):
                    digest = await self._keep(medium, fetches)
            except Exception as error:
                if _passes(error, patience):
                    if isinstance(error, NotNow):
                        raise
                    trouble = trouble or error
                else:
                    await self._missing(request.post_id, medium, error)
            else:
                await self._records.fetched(request.post_id, medium.position, digest)
        if trouble:
            raise trouble
        return [PostCollected(post_id=request.post_id, source_id=request.source_id)]

    async def _keep(self, medium: Medium, fetches: "_Fetches") -> str:
        """Fetch a medium into the store and return its hash."""
        if problem := LEFT_OUT.get(medium.kind):
            raise MediumUnavailable(problem)
        if medium.position > ALBUM_ITEMS:  # an article may show a hundred pictures
            raise MediumUnavailable(f"only the first {ALBUM_ITEMS} of a post are fetched")
        if (medium.size_bytes or 0) > self._most_bytes:
            raise MediumUnavailable(f"its {medium.size_bytes:,} bytes are more than {self._most_bytes:,}")
        fetch = await fetches.of(medium)
        async with fetch(medium) as (content, mime_type):
            try:
                if medium.kind == "photo":
                    async with self._decoding:
                        image = await self._store.keep_picture(content, origin="source")
                else:
                    image = await self._store.keep(content, mime_type, origin="source")
            except StoreUnavailable as error:  # no fault of the medium, which is not to be given up for it
                raise NotNow(STORE_SECONDS, str(error)) from error
        return image.hash

    async def _missing(self, post_id: UUID, medium: Medium, error: Exception) -> None:
        problem = str(error) if isinstance(error, IN_WORDS) else f"{type(error).__name__}: {error}"
        log.warning("medium %d of post %s: %s", medium.position, post_id, problem, extra={"post_id": str(post_id)})
        await self._records.missing(post_id, medium.position, problem)


class _Fetches:
    """What fetches the media of one post, prepared when the first medium of each place is its turn."""

    def __init__(self, places: Mapping[str, MediaPlace], media: Sequence[Medium], *, allow_private: bool) -> None:
        self._places = places
        self._media = media
        self._allow_private = allow_private
        self._prepared: dict[str, Fetch] = {}

    async def of(self, medium: Medium) -> Fetch:
        place = _place(medium)
        if place not in self._prepared:
            if place not in self._places:
                raise MediumUnavailable(f"it can't be fetched from {medium.reference}")
            there = [each for each in self._media if _place(each) == place]
            self._prepared[place] = await self._places[place].prepare(there, allow_private=self._allow_private)
        return self._prepared[place]


def _place(medium: Medium) -> str:
    return "url" if "url" in medium.reference else "chat"


def _time_is_up(left: int, patience: Patience) -> Exception:
    """Return what ends a run that came some way: no failure, unless the job is too old for that."""
    words = f"{left} media are left for the next run"
    return TimeoutError(words) if patience.waited_enough else NotNow(0.0, words)


def _passes(error: Exception, patience: Patience) -> bool:
    """Whether it is to be tried again."""
    if isinstance(error, FOR_GOOD):
        return False
    return not (patience.waited_enough if isinstance(error, NotNow) else patience.last_attempt)
