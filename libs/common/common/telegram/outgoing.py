"""Messages on their way to Telegram: media uploaded from files, and requests under our own random ids.

Needs the `telegram` and `media` extras.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import replace
from hashlib import md5
from typing import Any, BinaryIO, TypeAlias

from telethon import errors
from telethon.tl import functions, types

from common.media.items import MediaItem
from common.media.pictures import TELEGRAM, NotAPicture, fitted
from common.media.store import ImageMissing, MediaStore, StoreUnavailable
from common.sends import Away
from common.telegram.peers import Peer
from common.telegram.shown import file_name, input_document, kinds_shown
from common.telegram.telethon_entities import to_telethon
from common.telegram.text import RichText

Ask: TypeAlias = Callable[[Any], Awaitable[Any]]
OpenMedia: TypeAlias = Callable[[MediaItem], AbstractAsyncContextManager[BinaryIO]]

# https://core.telegram.org/api/files#uploading-files
PART_BYTES = 512 * 1024
PARTS = 4000
UPLOADS = 100  # that are remembered
SMALL_BYTES = 10 * 1024 * 1024  # what is larger goes by saveBigFilePart

# What Telegram says of a file that it does not take as what it was sent as.
UNSUITABLE = (
    errors.AudioContentUrlEmptyError,
    errors.DocumentInvalidError,
    errors.FileContentTypeInvalidError,
    errors.FilePartsInvalidError,
    errors.GifContentTypeInvalidError,
    errors.ImageProcessFailedError,
    errors.MediaEmptyError,
    errors.MediaGroupedInvalidError,
    errors.GroupedMediaInvalidError,
    errors.MediaInvalidError,
    errors.PhotoContentTypeInvalidError,
    errors.PhotoExtInvalidError,
    errors.PhotoInvalidDimensionsError,
    errors.PhotoInvalidError,
    errors.PhotoSaveFileInvalidError,
    errors.VideoContentTypeInvalidError,
    errors.VideoFileInvalidError,
)


class MediaUnavailable(Exception):
    """A medium can't be had, or Telegram does not take it. `position` is its index among the media, where known."""

    def __init__(self, reason: str, position: int | None = None) -> None:
        super().__init__(reason)
        self.position = position


class Outgoing:
    """Builds the request that sends a message. One medium at a time is opened, and read in parts."""

    def __init__(self, open_media: OpenMedia, ask: Ask, *, reuse: bool = False) -> None:
        """`open_media` opens the content of a medium or raises MediaUnavailable; `ask` makes a request.

        With `reuse`, what was uploaded for one chat is sent to the next ones as well, until `forget`.
        """
        self._open_media = open_media
        self._ask = ask
        self._reuse = reuse
        self._uploads: dict[tuple[str, str, bool], Any] = {}  # by hash, kind, and whether there is a caption

    async def request(
        self,
        peer: Peer,
        body: RichText,
        media: Sequence[MediaItem],
        random_ids: Sequence[int],
        *,
        link_preview: bool = True,
    ) -> Any:
        """Upload the media and return what sends the message under these random ids, one for each medium or the text.

        Several media, 10 at most, are an album with one caption. Raises MediaUnavailable, and what `open_media` and
        `ask` raise. Made again with the same random ids it uploads the same files.
        """
        marks = to_telethon(body) or None
        if not media:
            return functions.messages.SendMessageRequest(
                peer.input_peer, body.text, no_webpage=not link_preview, random_id=random_ids[0], entities=marks
            )
        shown = [replace(item, kind=kind) for item, kind in zip(media, kinds_shown(media), strict=True)]
        if len(shown) == 1:
            upload = self._reusable if self._reuse else self._uploaded
            content = await upload(0, shown[0], random_ids[0], peer, captioned=bool(body.text))
            return functions.messages.SendMediaRequest(
                peer.input_peer, content, body.text, random_id=random_ids[0], entities=marks
            )
        album = []
        for position, (item, random_id) in enumerate(zip(shown, random_ids, strict=True)):
            content = await self._reusable(position, item, random_id, peer, captioned=True)
            text, entities = ("", None) if position else (body.text, marks)
            album.append(types.InputSingleMedia(content, text, random_id, entities))
        return functions.messages.SendMultiMediaRequest(peer.input_peer, album)

    def forget(self) -> None:
        """Upload everything anew: Telegram no longer knows what was uploaded."""
        self._uploads.clear()

    async def _reusable(self, position: int, item: MediaItem, file_id: int, peer: Peer, *, captioned: bool) -> Any:
        """Return a medium as it can be sent more than once, uploaded unless it was."""
        key = (item.hash or "", item.kind, captioned)
        if self._reuse and key in self._uploads:
            return self._uploads[key]
        kept = await self._kept(
            position, await self._uploaded(position, item, file_id, peer, captioned=captioned), peer
        )
        if self._reuse and item.hash:
            if len(self._uploads) >= UPLOADS:
                self._uploads.clear()
            self._uploads[key] = kept
        return kept

    async def _uploaded(self, position: int, item: MediaItem, file_id: int, _peer: Peer, *, captioned: bool) -> Any:
        """Upload one file. Its id is the medium's random id: an upload that is repeated replaces itself."""
        try:
            async with self._open_media(item) as content:
                file = await self._upload(content, file_id, file_name(item))
        except MediaUnavailable as error:
            raise MediaUnavailable(str(error), position) from None
        return (
            types.InputMediaUploadedPhoto(file)
            if item.kind == "photo"
            else input_document(item, file, captioned=captioned)
        )

    async def _upload(self, content: BinaryIO, file_id: int, name: str) -> Any:
        size = content.seek(0, 2)
        content.seek(0)
        parts = -(-size // PART_BYTES)
        if not 0 < parts <= PARTS:
            raise MediaUnavailable(f"{name} has {size:,} bytes; a file has up to {PARTS * PART_BYTES:,}")
        digest = md5(usedforsecurity=False)
        for number in range(parts):
            part = content.read(PART_BYTES)
            digest.update(part)
            if size > SMALL_BYTES:
                await self._ask(functions.upload.SaveBigFilePartRequest(file_id, number, parts, part))
            else:
                await self._ask(functions.upload.SaveFilePartRequest(file_id, number, part))
        if size > SMALL_BYTES:
            return types.InputFileBig(file_id, parts, name)
        return types.InputFile(file_id, parts, name, digest.hexdigest())

    async def _kept(self, position: int, uploaded: Any, peer: Peer) -> Any:
        """Turn an upload into a medium that an album may hold."""
        try:
            answer = await self._ask(functions.messages.UploadMediaRequest(peer.input_peer, uploaded))
        except UNSUITABLE as error:
            raise MediaUnavailable(str(error), position) from None
        if isinstance(answer, types.MessageMediaPhoto):
            photo: Any = answer.photo
            return types.InputMediaPhoto(types.InputPhoto(photo.id, photo.access_hash, photo.file_reference))
        kept: Any = answer.document
        return types.InputMediaDocument(types.InputDocument(kept.id, kept.access_hash, kept.file_reference))


def forward_request(from_peer: Peer, message_ids: Sequence[int], to_peer: Peer, random_ids: Sequence[int]) -> Any:
    """Return what forwards messages under these random ids, one for each; an album stays one."""
    return functions.messages.ForwardMessagesRequest(
        from_peer.input_peer, list(message_ids), to_peer.input_peer, random_id=list(random_ids)
    )


def stored_media(store: MediaStore, fetch: OpenMedia | None = None) -> OpenMedia:
    """Return what opens media from the object store, pictures as Telegram takes them; `fetch` opens one with a URL.

    What it returns raises MediaUnavailable, and Away where the store can't be reached.
    """
    one_at_a_time = asyncio.Semaphore(1)  # a picture takes up to 600 MB while it is converted

    @asynccontextmanager
    async def opened(item: MediaItem) -> AsyncIterator[BinaryIO]:
        async with AsyncExitStack() as stack:
            try:
                content = await stack.enter_async_context(store.open(item.hash) if item.hash else _fetched(item, fetch))
                if item.kind == "photo":
                    async with one_at_a_time:
                        content = await asyncio.to_thread(fitted, content, TELEGRAM)
            except (ImageMissing, NotAPicture) as error:
                raise MediaUnavailable(str(error)) from None
            except StoreUnavailable as error:
                raise Away(str(error)) from None
            yield content

    return opened


def _fetched(item: MediaItem, fetch: OpenMedia | None) -> AbstractAsyncContextManager[BinaryIO]:
    if fetch is None:
        raise MediaUnavailable(f"{item.url} is not in the store")
    return fetch(item)
