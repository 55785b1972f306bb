"""As what a medium is seen on Telegram: photo, video, album, file. Needs the `telegram` and `media` extras."""

import mimetypes
from collections.abc import Sequence
from typing import Any

from telethon.tl import types

from common.media.items import Kind, MediaItem


def kinds_shown(media: Sequence[MediaItem]) -> list[Kind]:
    """Return as what each medium is sent: an album is of photos and videos, of audio, or else of files.

    https://core.telegram.org/bots/api#sendmediagroup
    """
    if len(media) == 1:
        return [media[0].kind]
    kinds: list[Kind] = [
        "video" if item.kind == "animation" and item.mime_type.startswith("video/") else item.kind for item in media
    ]
    return kinds if set(kinds) <= {"photo", "video"} or set(kinds) == {"audio"} else ["document"] * len(kinds)


def file_name(item: MediaItem) -> str:
    """Return the name under which a medium is uploaded."""
    if item.kind == "photo":
        return "photo.jpg"
    return item.name or f"{item.kind}{mimetypes.guess_extension(item.mime_type) or ''}"


def input_document(item: MediaItem, file: Any, *, captioned: bool) -> Any:
    """Return an uploaded file as what it is to be seen as. A sticker has no caption: with one it is a file."""
    seconds, width, height = item.duration_seconds or 0.0, item.width or 0, item.height or 0
    attributes: list[Any] = [types.DocumentAttributeFilename(file_name(item))]
    if item.kind in ("video", "animation") and item.mime_type != "image/gif":
        attributes.append(types.DocumentAttributeVideo(seconds, width, height, supports_streaming=True))
    if item.kind == "animation":
        attributes.append(types.DocumentAttributeAnimated())
    if item.kind in ("audio", "voice"):
        attributes.append(types.DocumentAttributeAudio(round(seconds), voice=item.kind == "voice" or None))
    return types.InputMediaUploadedDocument(
        file,
        item.mime_type or "application/octet-stream",
        attributes,
        nosound_video=item.kind == "video" or None,  # or Telegram makes an animation of a video without sound
        force_file=item.kind == "document" or (item.kind == "sticker" and captioned) or None,
    )
