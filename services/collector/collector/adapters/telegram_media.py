"""Photos and files of Telegram messages: what they are, and what they say of themselves."""

from dataclasses import dataclass
from typing import Any

from telethon.tl import types

from common.posts import Media
from common.telegram.utf16 import storable

NAME_LENGTH = 255  # of a file or of its type, in characters


def media_of(address: str, message: Any) -> Media | None:
    """Return the photo or file of a message in the chat of that address.

    Its id is the platform's own, the same in every message that it was forwarded to.
    """
    reference = {"chat": address, "message_id": message.id}
    match message.media:
        case types.MessageMediaPhoto(photo=types.Photo() as photo):
            size = largest(photo)
            return Media(
                "photo",
                reference,
                mime_type="image/jpeg",
                size_bytes=size.bytes or None,
                content_hash=f"telegram-photo:{photo.id}",
                details=_known({"width": size.width, "height": size.height}),
            )
        case types.MessageMediaDocument(document=types.Document() as document):
            return Media(
                _kind(document),
                reference,
                mime_type=storable(document.mime_type)[:NAME_LENGTH],
                size_bytes=document.size,
                content_hash=f"telegram-document:{document.id}",
                details=_details(document),
            )
    return None


@dataclass(frozen=True, slots=True)
class Size:
    """One of the sizes of a photo: https://core.telegram.org/api/files#image-thumbnail-types."""

    type: str
    width: int
    height: int
    bytes: int


def largest(photo: types.Photo) -> Size:
    """Return the largest size of a photo; of one without any, its name and zeros."""
    sizes = [
        Size(size.type, size.w, size.h, size.sizes[-1] if isinstance(size, types.PhotoSizeProgressive) else size.size)
        for size in photo.sizes
        if isinstance(size, (types.PhotoSize, types.PhotoSizeProgressive))
    ]
    return max(sizes, key=lambda size: size.width * size.height, default=Size("x", 0, 0, 0))


def _details(document: types.Document) -> dict[str, Any]:
    """Return what a file says of itself, without what it leaves open."""
    found: dict[str, Any] = {}
    for attribute in document.attributes:
        match attribute:
            case types.DocumentAttributeFilename(file_name=name):
                found["name"] = storable(name)[:NAME_LENGTH]
            case types.DocumentAttributeVideo(w=width, h=height, duration=duration):
                found |= {"width": width, "height": height, "duration_seconds": duration}
            case types.DocumentAttributeImageSize(w=width, h=height):
                found |= {"width": width, "height": height}
            case types.DocumentAttributeAudio(duration=duration):
                found["duration_seconds"] = duration
    return _known(found)


def _known(details: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in details.items() if value}


def _kind(document: types.Document) -> str:
    """Return the first of these that a file is: an animation says that it is a video as well."""
    attributes = document.attributes
    if any(isinstance(attribute, types.DocumentAttributeSticker) for attribute in attributes):
        return "sticker"
    if any(isinstance(attribute, types.DocumentAttributeAnimated) for attribute in attributes):
        return "animation"
    for attribute in attributes:
        if isinstance(attribute, types.DocumentAttributeVideo):
            return "video"
        if isinstance(attribute, types.DocumentAttributeAudio):
            return "voice" if attribute.voice else "audio"
    return "document"
