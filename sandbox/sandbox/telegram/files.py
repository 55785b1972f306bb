"""Photos and documents: uploaded in parts, kept as they came."""

import hashlib
from collections.abc import Callable
from typing import Any

from sandbox.telegram.errors import RpcError
from sandbox.telegram.people import User
from sandbox.telegram.photos import check_photo
from sandbox.telegram.store import Store
from sandbox.telegram.wire import read_object, tl

# https://core.telegram.org/api/files#uploading-files
PART_MAX_BYTES = 512 * 1024
PART_STEP_BYTES = 1024
PARTS_MAX = 4000
SMALL_MAX_BYTES = 10 * 1024 * 1024
DC_ID = 2


class Files:
    """All files, and the parts of those that are on their way."""

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock
        newest = store.row("file_last")
        self._last_id = (newest and newest[0]) or 0

    def keep_part(self, user: User, file_id: int, part: int, content: bytes) -> None:
        """Keep a part until the file is sent: 400 FILE_PART_INVALID, FILE_PART_EMPTY or FILE_PART_TOO_BIG."""
        if not 0 <= part < PARTS_MAX:
            raise RpcError.bad_request("FILE_PART_INVALID")
        if not content:
            raise RpcError.bad_request("FILE_PART_EMPTY")
        if len(content) > PART_MAX_BYTES:
            raise RpcError.bad_request("FILE_PART_TOO_BIG")
        self._store.write("part_put", user.id, file_id, part, content)

    def media_of(self, user: User, sent: Any) -> Any:
        """The MessageMedia that an InputMedia stands for, its file put together; None for no media.

        400 FILE_PARTS_INVALID, FILE_PART_X_MISSING, FILE_PART_SIZE_INVALID, MD5_CHECKSUM_INVALID,
        MEDIA_EMPTY, MEDIA_INVALID, or what is wrong with a photo.
        """
        match sent:
            case None | tl.InputMediaEmpty():
                return None
            case tl.InputMediaUploadedPhoto():
                return self.add_photo(self._assemble(user, sent.file))
            case tl.InputMediaUploadedDocument():
                return self._add_file(self._assemble(user, sent.file), sent.mime_type, sent.attributes)
            case tl.InputMediaPhoto() | tl.InputMediaDocument():
                known = self._store.row("file_media", getattr(sent.id, "id", 0))
                if known is None:
                    raise RpcError.bad_request("MEDIA_EMPTY")
                return read_object(known[0])
            case _:
                raise RpcError.bad_request("MEDIA_INVALID")

    def add_photo(self, content: bytes) -> Any:
        """Keep a photo; 400 if Telegram does not take it as one."""
        size = check_photo(content)
        file_id = self._next_id()
        sizes = [tl.PhotoSize("x", *size, len(content))]
        photo = tl.Photo(file_id, file_id, b"reference", int(self._clock()), sizes, DC_ID)
        return self._keep(file_id, content, tl.MessageMediaPhoto(photo=photo))

    def add_document(self, content: bytes, mime_type: str, name: str) -> Any:
        """Keep a file of any kind under a name."""
        return self._add_file(content, mime_type, [tl.DocumentAttributeFilename(name)])

    def content_of(self, media: Any) -> bytes | None:
        """All bytes of a message's photo or document."""
        file = getattr(media, "photo", None) or getattr(media, "document", None)
        return self.slice(file.id, 0, -1) if file is not None else None

    def slice(self, file_id: int, offset: int, limit: int) -> bytes:
        """Some bytes of a file (limit -1: all the rest), or 400 LOCATION_INVALID."""
        row = self._store.row("file_slice", offset + 1, limit if limit >= 0 else 2**31 - 1, file_id)
        if row is None:
            raise RpcError.bad_request("LOCATION_INVALID")
        return bytes(row[0])

    def _assemble(self, user: User, sent: Any) -> bytes:
        parts = dict(self._store.rows("parts_of", user.id, sent.id))
        if not 0 < sent.parts <= PARTS_MAX:
            raise RpcError.bad_request("FILE_PARTS_INVALID")
        missing = next((part for part in range(sent.parts) if part not in parts), None)
        if missing is not None:
            raise RpcError.bad_request(f"FILE_PART_{missing}_MISSING")
        chunks = [parts[part] for part in range(sent.parts)]
        if any(len(chunk) % PART_STEP_BYTES or len(chunk) != len(chunks[0]) for chunk in chunks[:-1]):
            raise RpcError.bad_request("FILE_PART_SIZE_INVALID")
        content = b"".join(chunks)
        if len(content) > SMALL_MAX_BYTES and not isinstance(sent, tl.InputFileBig):
            raise RpcError.bad_request("FILE_PARTS_INVALID")
        checksum = getattr(sent, "md5_checksum", "")
        if checksum and checksum != hashlib.md5(content, usedforsecurity=False).hexdigest():
            raise RpcError.bad_request("MD5_CHECKSUM_INVALID")
        self._store.write("parts_end", user.id, sent.id)
        return content

    def _add_file(self, content: bytes, mime_type: str, attributes: list[Any]) -> Any:
        file_id = self._next_id()
        now = int(self._clock())
        document = tl.Document(file_id, file_id, b"reference", now, mime_type, len(content), DC_ID, attributes)
        return self._keep(file_id, content, tl.MessageMediaDocument(document=document))

    def _next_id(self) -> int:
        self._last_id += 1
        return self._last_id

    def _keep(self, file_id: int, content: bytes, media: Any) -> Any:
        self._store.write("file_add", file_id, content, bytes(media))
        return media
