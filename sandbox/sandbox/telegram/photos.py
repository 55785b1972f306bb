"""Which photos and albums Telegram takes."""

import re
import struct
from collections.abc import Iterable
from typing import Any, Literal

from sandbox.telegram.errors import RpcError
from sandbox.telegram.wire import tl

# https://core.telegram.org/bots/api#sendphoto
PHOTO_MAX_BYTES = 10 * 1024 * 1024
SIDES_MAX_PIXELS = 10_000  # width and height together
RATIO_MAX = 20

JPEG_FRAME = re.compile(rb"\xff[\xc0-\xc2]..\x08(..)(..)", re.DOTALL)

AlbumKind = Literal["seen", "audio", "document"]


def picture_size(content: bytes) -> tuple[int, int] | None:
    """Width and height in pixels of a JPEG, PNG or WebP; None for anything else."""
    if content.startswith(b"\x89PNG"):
        width, height = struct.unpack(">II", content[16:24])
        return width, height
    if content.startswith(b"\xff\xd8") and (frame := JPEG_FRAME.search(content)):
        return int.from_bytes(frame[2], "big"), int.from_bytes(frame[1], "big")
    return _webp_size(content) if content[8:12] == b"WEBP" else None


def check_photo(content: bytes) -> tuple[int, int]:
    """Return the size of what Telegram takes as a photo.

    400 IMAGE_PROCESS_FAILED, PHOTO_SAVE_FILE_INVALID (too many bytes) or PHOTO_INVALID_DIMENSIONS.
    """
    size = picture_size(content)
    if size is None:
        raise RpcError.bad_request("IMAGE_PROCESS_FAILED")
    if len(content) > PHOTO_MAX_BYTES:
        raise RpcError.bad_request("PHOTO_SAVE_FILE_INVALID")
    if not min(size) or sum(size) > SIDES_MAX_PIXELS or max(size) > RATIO_MAX * min(size):
        raise RpcError.bad_request("PHOTO_INVALID_DIMENSIONS")
    return size


def check_album(media: Iterable[Any]) -> None:
    """Refuse to mix: photos go with videos, audio and other files only among themselves, and animations alone.

    400 MEDIA_GROUPED_INVALID. https://core.telegram.org/bots/api#sendmediagroup
    """
    kinds = [_album_kind(item) for item in media]
    if len(kinds) > 1 and (None in kinds or len(set(kinds)) > 1):
        raise RpcError.bad_request("MEDIA_GROUPED_INVALID")


def _album_kind(media: Any) -> AlbumKind | None:
    if not isinstance(media, tl.MessageMediaDocument):
        return "seen"
    attributes = {type(attribute): attribute for attribute in media.document.attributes}
    if tl.DocumentAttributeAnimated in attributes:
        return None
    if audio := attributes.get(tl.DocumentAttributeAudio):
        return None if audio.voice else "audio"
    return "seen" if tl.DocumentAttributeVideo in attributes else "document"


def _webp_size(content: bytes) -> tuple[int, int] | None:
    """https://developers.google.com/speed/webp/docs/riff_container"""
    match content[12:16]:
        case b"VP8 ":
            width, height = struct.unpack("<HH", content[26:30])
            return width & 0x3FFF, height & 0x3FFF
        case b"VP8L":
            sides = int.from_bytes(content[21:25], "little")
            return (sides & 0x3FFF) + 1, (sides >> 14 & 0x3FFF) + 1
        case b"VP8X":
            return int.from_bytes(content[24:27], "little") + 1, int.from_bytes(content[27:30], "little") + 1
    return None
