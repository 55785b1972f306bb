"""What collecting needs from outside."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from common.catalog import Source
from common.posts import Brought, NewPost


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


class RateLimited(Exception):
    """The platform asks to wait that many seconds."""

    def __init__(self, seconds: float, reason: str) -> None:
        super().__init__(reason)
        self.seconds = seconds


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
