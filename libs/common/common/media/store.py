"""The object store: images and files of posts, by the SHA-256 of their content.

An object's name is the hash and what tells one storing from the next. So an image can be deleted (its row first, then
its object) while the same content is being stored again: the two never meet at one name.
"""

import asyncio
import hashlib
import secrets
import tempfile
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import BinaryIO, Literal, TypeVar, cast

from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import RawStreamMsg
from nats.js.errors import BucketNotFoundError, NotFoundError
from nats.js.object_store import ObjectStore

from common.media.pictures import Picture, inspect
from common.messaging.job import Job
from common.postgres import Database, Queries

BUCKET = "images"
ATTACHED = "attachments_hash_fkey"  # the constraint by which nothing is attached that is deleted
STREAM, CHUNKS = f"OBJ_{BUCKET}", f"$O.{BUCKET}.C."  # https://github.com/nats-io/nats-architecture-and-design
IN_MEMORY_BYTES = 2**20  # of a file that is read; what is larger goes to the disk
SECONDS, BYTES_PER_SECOND = 10.0, 2**20  # nats-py waits for ever where the server dies: each call is bounded
READ_BYTES = 2**18
FULL = 10077  # https://github.com/nats-io/nats-server/blob/main/server/errors.json: JSStreamStoreFailedF

Origin = Literal["source", "generated"]
Result = TypeVar("Result")


class StoreUnavailable(Exception):
    """The object store can't be reached. Trying again later may help."""


class ImageMissing(Exception):
    """The object store does not have it, or what it has is not what was stored."""


@dataclass(frozen=True, slots=True)
class Image:
    """What the store holds under a hash. `width` and `height` are in pixels, None where it is no picture."""

    hash: str
    object: str
    origin: Origin
    mime_type: str
    size_bytes: int
    width: int | None
    height: int | None


class MediaStore:
    """Stores, reads and attaches."""

    def __init__(self, database: Database, stream: JetStreamContext) -> None:
        self._database = database
        self.stream = stream
        self._bucket: ObjectStore | None = None
        self._sql = Queries.load("common", "media.sql")

    async def keep_picture(self, content: BinaryIO, *, origin: Origin) -> Image:
        """Store a picture, decoded before. Raises NotAPicture and StoreUnavailable."""
        picture = await asyncio.to_thread(inspect, content)
        return await self.keep(content, picture.mime_type, origin=origin, picture=picture)

    async def keep(self, content: BinaryIO, mime_type: str, *, origin: Origin, picture: Picture | None = None) -> Image:
        """Store a file, unless its content is there; safe to repeat. Raises StoreUnavailable, ValueError if empty."""
        digest, size = await asyncio.to_thread(digest_of, content)
        if not size:
            raise ValueError("the file is empty")
        if there := await self._database.fetchrow(self._sql["use"], digest):
            return Image(**dict(there))
        name, began = f"{digest}.{secrets.token_hex(4)}", datetime.now(UTC)
        content.seek(0)
        bucket = await self.bucket()
        await bounded(bucket.put(name, content), size)  # type: ignore[arg-type]  # it only calls readinto
        sides = (picture.width, picture.height) if picture else (None, None)
        kept = await self._database.strict_fetch(
            self._sql["keep"], digest, name, origin, mime_type or "application/octet-stream", size, *sides, began
        )
        if not kept:
            raise StoreUnavailable("storing took so long that the object may have been taken for an orphan")
        image = Image(**dict(kept[0]))
        if image.object != name:  # somebody else was faster
            await bounded(bucket.delete(name))
        return image

    @asynccontextmanager
    async def open(self, digest: str) -> AsyncIterator[BinaryIO]:
        """Open an image for reading, its digest checked. Raises ImageMissing and StoreUnavailable."""
        row = await self._database.fetchrow(self._sql["find"], digest)
        if row is None:
            raise ImageMissing(f"image {digest} is not in the store")
        with tempfile.SpooledTemporaryFile(IN_MEMORY_BYTES) as file:
            content = cast(BinaryIO, file)
            found = await self._read(row["object"], row["size_bytes"], content)
            if found != digest:
                raise ImageMissing(f"image {digest} can't be read: what is stored there is {found}")
            content.seek(0)
            yield content

    def attach(self, job: Job, post_id: object, place: str, digest: str) -> None:
        """Attach an image to a post with a job's result; where it is deleted before that, the job is repeated."""
        job.outdated_by.add(ATTACHED)
        job.write(self._sql["attach"], post_id, place, digest)

    async def _read(self, name: str, size: int, into: BinaryIO) -> str:
        """Read an object and return its SHA-256."""
        bucket = await self.bucket()
        try:
            found = await bounded(bucket.get_info(name))
            return await bounded(self._read_chunks(f"{CHUNKS}{found.nuid}", found.chunks or 0, into), size)
        except NotFoundError as error:
            raise ImageMissing(f"the object {name} can't be read: {type(error).__name__}") from None

    async def _read_chunks(self, subject: str, chunks: int, into: BinaryIO) -> str:
        """Read the content of an object message by message.

        ObjectStore.get leaves a consumer behind for five seconds, and a server that has 1,000 of them refuses more; and
        where the content was deleted it waits for ever.
        """
        digest, sequence = hashlib.sha256(), 0
        for _ in range(chunks):
            message = await self._message(subject, sequence + 1)
            sequence = message.seq or 0
            digest.update(message.data or b"")
            into.write(message.data or b"")
        return digest.hexdigest()

    async def _message(self, subject: str, sequence: int) -> RawStreamMsg:
        """Return the first message on a subject from a sequence on: of any replica, or of the leader if that lags."""
        try:
            return await self.stream.get_msg(STREAM, sequence, subject, direct=True, next=True)
        except NotFoundError:
            return await self.stream.get_msg(STREAM, sequence, subject, next=True)

    async def bucket(self) -> ObjectStore:
        """Return the bucket. Raises StoreUnavailable."""
        if self._bucket is None:
            try:
                self._bucket = await bounded(self.stream.object_store(BUCKET))
            except BucketNotFoundError:
                raise StoreUnavailable(f"the bucket {BUCKET} is missing: run `postroom migrate`") from None
        return self._bucket


async def bounded(call: Awaitable[Result], size: int = 0) -> Result:
    """Await a call to the object store about so many bytes, as long as that may take. Raises StoreUnavailable."""
    seconds = SECONDS + size / BYTES_PER_SECOND
    try:
        async with asyncio.timeout(seconds):
            return await call
    except NotFoundError:
        raise
    except TimeoutError:
        raise StoreUnavailable(f"the object store gave no answer within {seconds:.0f} s") from None
    except (NatsError, OSError) as error:
        if getattr(error, "err_code", None) == FULL:
            raise StoreUnavailable(
                "the object store is full: `postroom images gc` frees what no post has; for more, raise max_bytes of "
                f"the bucket {BUCKET} in subjects.yaml and run `postroom migrate`"
            ) from None
        raise StoreUnavailable(f"the object store can't be used: {str(error) or type(error).__name__}") from error


def digest_of(content: BinaryIO) -> tuple[str, int]:
    """Return the SHA-256 of a file, in hexadecimal digits, and its size in bytes."""
    content.seek(0)
    digest, size = hashlib.sha256(), 0
    while chunk := content.read(READ_BYTES):
        digest.update(chunk)
        size += len(chunk)
    content.seek(0)
    return digest.hexdigest(), size
