"""Photos and albums: fetched by their URL, uploaded, and sent under our own random ids."""

import io
from collections.abc import Awaitable, Callable, Sequence
from hashlib import md5
from typing import Any

from telethon import errors
from telethon.tl import functions, types

from common.telegram.peers import Peer
from publisher.ports import Message

Fetch = Callable[[str], Awaitable[bytes]]
Ask = Callable[[Any], Awaitable[Any]]

PART_BYTES = 512 * 1024  # https://core.telegram.org/api/files#uploading-files
PHOTO_BYTES = 10 * 1024 * 1024  # https://core.telegram.org/bots/api#sendphoto


class PhotoUnavailable(Exception):
    """A photo can't be fetched, or is none that Telegram takes."""


class Photos:
    """Makes the request that sends a message's photos. `fetch` returns what a URL holds, or raises PhotoUnavailable."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch

    async def request(self, message: Message, peer: Peer, entities: Sequence[Any], ask: Ask) -> Any:
        """Upload the photos and return what sends them. Raises PhotoUnavailable."""
        files = [
            await self._upload(url, number, ask) for url, number in zip(message.media, message.random_ids, strict=True)
        ]
        text, marks = message.body.text, list(entities) or None
        if len(files) == 1:
            media = types.InputMediaUploadedPhoto(files[0])
            return functions.messages.SendMediaRequest(
                peer.input_peer, media, text, random_id=message.random_ids[0], entities=marks
            )
        kept = [await self._keep(file, peer, ask) for file in files]
        album = [
            types.InputSingleMedia(media, "" if position else text, number, None if position else marks)
            for position, (media, number) in enumerate(zip(kept, message.random_ids, strict=True))
        ]
        return functions.messages.SendMultiMediaRequest(peer.input_peer, album)

    async def _upload(self, url: str, file_id: int, ask: Ask) -> Any:
        """Upload one file. Its id is the photo's random id: an upload that is repeated replaces itself."""
        content = await self._fetch(url)
        if not 0 < len(content) <= PHOTO_BYTES:
            raise PhotoUnavailable(f"{url} has {len(content):,} bytes; a photo has up to {PHOTO_BYTES:,}")
        parts = -(-len(content) // PART_BYTES)
        stream = io.BytesIO(content)
        for part in range(parts):
            await ask(functions.upload.SaveFilePartRequest(file_id, part, stream.read(PART_BYTES)))
        return types.InputFile(file_id, parts, "photo.jpg", md5(content, usedforsecurity=False).hexdigest())

    async def _keep(self, file: Any, peer: Peer, ask: Ask) -> Any:
        """Turn an upload into a photo that an album may hold."""
        try:
            answer = await ask(
                functions.messages.UploadMediaRequest(peer.input_peer, types.InputMediaUploadedPhoto(file))
            )
        except errors.BadRequestError as error:
            raise PhotoUnavailable(str(error)) from None
        photo = answer.photo
        return types.InputMediaPhoto(types.InputPhoto(photo.id, photo.access_hash, photo.file_reference))
