"""What collecting, and fetching media, need from outside."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO, Protocol, TypeAlias
from uuid import UUID

from common.catalog import Source
from common.media.store import Image, Origin
from common.posts import Brought, NewPost

STAND_BY_SECONDS = 2.0  # until something is tried again that needs the session which another replica holds


@dataclass(frozen=True, slots=True)
class SourceState:
    """How far a source is read, and how the last run went."""

    last_message_id: int = 0
    etag: str | None = None
    last_modified: str | None = None
    last_success_at: datetime | None = None
    last_error: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """What one reading of a source brought, oldest first, and the place from which the next one goes on."""

    posts: tuple[NewPost, ...] = ()
    last_message_id: int = 0
    etag: str | None = None
    last_modified: str | None = None
    more: bool = False
    refused: tuple[str, ...] = ()  # what may not be taken, in words for a person


class SourceUnreadable(Exception):
    """The source can't be read, and the reason is the source's: trying again at once won't help."""


class NotNow(Exception):
    """It is to be tried again in so many seconds, which is no failure."""

    def __init__(self, seconds: float, reason: str) -> None:
        super().__init__(reason)
        self.seconds = seconds


class RateLimited(NotNow):
    """The platform asks to wait that many seconds."""


class SourceReader(Protocol):
    """Reads the sources of one kind."""

    async def read(self, source: Source, state: SourceState) -> Page:
        """Read what is new since `state`. Raises SourceUnreadable, RateLimited, or what should count as an attempt."""


class Sources(Protocol):
    """The catalog."""

    async def source(self, source_id: UUID) -> Source | None:
        """Return one source."""


class PostRecords(Protocol):
    """The post records."""

    async def add(self, posts: Sequence[NewPost], *, trace_id: str | None = None) -> list[Brought]:
        """Bring posts in, in their order."""


class States(Protocol):
    """What is remembered of each source."""

    async def of(self, source_id: UUID) -> SourceState:
        """Return the state of a source; of one that was never read, an empty one."""


@dataclass(frozen=True, slots=True)
class Medium:
    """A photo or file that a post came with; `position` counts from 1."""

    position: int
    kind: str
    reference: dict[str, Any]
    mime_type: str = ""
    size_bytes: int | None = None  # as the source declares it


@dataclass(frozen=True, slots=True)
class Wanted:
    """The media of a post of which nothing is known yet. A `duplicate` goes no further, so it needs none."""

    duplicate: bool
    allow_private: bool
    media: tuple[Medium, ...]


class MediumUnavailable(Exception):
    """It can't be had, however often one asks: in words for a person."""


Fetch: TypeAlias = Callable[[Medium], AbstractAsyncContextManager[tuple[BinaryIO, str]]]
"""Opens the content of a medium and says its MIME type. Raises MediumUnavailable, NotNow, or what may pass."""


class MediaPlace(Protocol):
    """Where media lie: at URLs, or in Telegram."""

    async def prepare(self, media: Sequence[Medium], *, allow_private: bool) -> Fetch:
        """Return what fetches these media of one post. Raises MediumUnavailable, NotNow, or what may pass."""


class MediaRecords(Protocol):
    """What came of fetching media."""

    async def wanted(self, post_id: UUID) -> Wanted | None:
        """Return what is still to be fetched for a post; None where there is no such post."""

    async def fetched(self, post_id: UUID, position: int, digest: str) -> None:
        """Record a medium that is stored, and attach it; what was recorded before stays."""

    async def missing(self, post_id: UUID, position: int, problem: str) -> None:
        """Record why there won't be a medium; what was recorded before stays."""


class MediaKeeper(Protocol):
    """The object store."""

    async def keep_picture(self, content: BinaryIO, *, origin: Origin) -> Image:
        """Store a picture, decoded before. Raises NotAPicture, or what may pass."""

    async def keep(self, content: BinaryIO, mime_type: str, *, origin: Origin) -> Image:
        """Store a file."""
