"""The objects of the bucket as they lie in its stream, for whoever tidies it up.

An object is a message of metadata and messages of content ("chunks"), on subjects of their own:
https://github.com/nats-io/nats-architecture-and-design/blob/main/adr/ADR-20.md
"""

import base64
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from nats.js.errors import NotFoundError

from common.media.store import BUCKET, CHUNKS, STREAM, MediaStore, StoreUnavailable, bounded

LISTING_BYTES = 100 * 2**20  # what a list may take to read; a line of it has less than a KiB
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Listed:
    """An object of the bucket; of a `deleted` one a note is left, and perhaps its content."""

    name: str
    nuid: str
    deleted: bool

    @property
    def content(self) -> str:
        """The subject of its content."""
        return f"{CHUNKS}{self.nuid}"


class Objects:
    """Lists and deletes. Everything here raises StoreUnavailable."""

    def __init__(self, store: MediaStore) -> None:
        self._store = store

    async def all(self) -> list[Listed]:
        """Return all objects, in no order."""
        bucket = await self._store.bucket()
        found = await _if_any(bounded(bucket.list(), LISTING_BYTES)) or ()
        return [Listed(each.name, each.nuid or "", bool(each.deleted)) for each in found if each.name]

    async def find(self, name: str) -> Listed | None:
        """Return an object, also one that is deleted, or None where there is no trace of it."""
        bucket = await self._store.bucket()
        found = await _if_any(bounded(bucket.get_info(name, show_deleted=True)))
        return None if found is None else Listed(name, found.nuid or "", bool(found.deleted))

    async def delete(self, name: str) -> None:
        """Delete an object and all traces of it; safe to repeat, also after a crash in the middle."""
        bucket = await self._store.bucket()
        found = await self.find(name)
        if found is None:
            return
        if not found.deleted:
            await _if_any(bounded(bucket.delete(name)))  # from here on nobody can open it
        if found.nuid:
            await self.purge(found.content)
        await self.purge(about(name))

    async def fragments(self) -> list[str]:
        """Return the subjects of contents, also of those that no object has, or not yet: of 100,000 at most, as the
        server names no more at once."""
        info = await bounded(self._store.stream.stream_info(STREAM, subjects_filter=f"{CHUNKS}>"), LISTING_BYTES)
        return list(info.state.subjects or ())

    async def written_at(self, subject: str) -> datetime | None:
        """Return when the newest message on a subject of the bucket was written; None where there is none."""
        message = await _if_any(bounded(self._store.stream.get_last_msg(STREAM, subject)))
        return message.time if message else None

    async def purge(self, subject: str) -> None:
        """Delete all messages on a subject of the bucket."""
        if not await bounded(self._store.stream.purge_stream(STREAM, subject=subject)):
            raise StoreUnavailable(f"the object store did not purge {subject}")


def about(name: str) -> str:
    """Return the subject of an object's metadata."""
    return f"$O.{BUCKET}.M.{base64.urlsafe_b64encode(name.encode()).decode()}"


async def _if_any(call: Awaitable[Result]) -> Result | None:
    """Return what nats-py found, or None in place of its error."""
    try:
        return await call
    except NotFoundError:
        return None
