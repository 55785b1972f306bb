"""Uploading media, in one call or in parts: https://docs.x.com/x-api/media/quickstart/best-practices."""

import asyncio
import io
from dataclasses import dataclass

from PIL import Image

from sandbox.x.archive import Account, Archive, Media
from sandbox.x.errors import XProblem, invalid

MOST_BYTES = {"tweet_image": 5 * 2**20, "tweet_gif": 15 * 2**20, "tweet_video": 512 * 2**20}
TYPES = {
    "tweet_image": ("image/jpeg", "image/png", "image/webp", "image/gif"),
    "tweet_gif": ("image/gif",),
    "tweet_video": ("video/mp4", "video/quicktime"),
}
FORMATS = {"JPEG": "image/jpeg", "MPO": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "GIF": "image/gif"}
MOST_ALT_TEXT = 1000
LAST_SEGMENT = 999


class NotMedia(Exception):
    """The content is not what it was said to be."""


@dataclass(frozen=True)
class Uploads:
    """Takes media in. Moving pictures are processed for `processing_seconds`; images are ready at once."""

    archive: Archive
    processing_seconds: float

    def initialize(self, account: Account, category: str, kind: str, size: int) -> Media:
        """Open an upload in parts; raises the 400."""
        if category not in MOST_BYTES:
            raise invalid(
                f"The media category {category!r} is not one of {', '.join(MOST_BYTES)}.", media_category=category
            )
        if kind not in TYPES[category]:
            raise invalid(f"The media type {kind!r} does not go with {category}.", media_type=kind)
        if not 1 <= size <= MOST_BYTES[category]:
            raise invalid(f"File size exceeds {MOST_BYTES[category]} bytes.", total_bytes=size)
        return self.archive.open_media(account, category, kind, size)

    def append(self, account: Account, number: int, position: int, content: bytes) -> Media:
        """Take one part; raises the 400. A part that comes twice replaces itself."""
        media = self.opened(account, number)
        if not 0 <= position <= LAST_SEGMENT:
            raise invalid(f"segment_index must be from 0 to {LAST_SEGMENT}.", segment_index=position)
        self.archive.keep_segment(media, position, content)
        return media

    async def finalize(self, account: Account, number: int, *, fails: bool = False) -> Media:
        """Put the parts together; raises the 400 where some are missing or the whole is not what was announced."""
        media = self.opened(account, number)
        segments = self.archive.segments(media)
        content = b"".join(part for _, part in segments)
        if [position for position, _ in segments] != list(range(len(segments))) or len(content) != media.size:
            raise invalid("Segments do not add up to provided total file size.", media_id=number)
        return await self._complete(media, content, fails)

    async def upload(self, account: Account, category: str, content: bytes, *, fails: bool = False) -> Media:
        """Take a file in one call; raises the 400."""
        if category not in MOST_BYTES:
            raise invalid(
                f"The media category {category!r} is not one of {', '.join(MOST_BYTES)}.", media_category=category
            )
        if not 1 <= len(content) <= MOST_BYTES[category]:
            raise invalid(f"File size exceeds {MOST_BYTES[category]} bytes.")
        media = self.archive.open_media(account, category, TYPES[category][0], len(content))
        return await self._complete(media, content, fails)

    def describe(self, account: Account, number: int, alt_text: str) -> Media:
        """Keep the alternative text of a media; raises the 400."""
        media = self.found(account, number)
        if len(alt_text) > MOST_ALT_TEXT:
            raise invalid(
                f"alt_text must be at most {MOST_ALT_TEXT} characters long.", metadata__alt_text=alt_text[:20]
            )
        self.archive.describe_media(media, alt_text)
        return media

    def found(self, account: Account, number: int) -> Media:
        """Return a media of the account that has not expired; raises the 400."""
        media = self.archive.media(number)
        if media is None or media.account != account.id or media.state(self.archive.clock()) == "expired":
            raise _unknown(number)
        return media

    def opened(self, account: Account, number: int) -> Media:
        """Return a media whose parts are still to come; raises the 400."""
        media = self.found(account, number)
        if media.is_complete:
            raise invalid("The media was finalized before.", media_id=number)
        return media

    def attachable(self, account: Account, numbers: list[int]) -> None:
        """Check that these can be attached to one post: up to four images, or one GIF or video. Raises the 400."""
        now = self.archive.clock()
        found = [self.archive.media(number) for number in numbers]
        wrong = [
            number
            for number, media in zip(numbers, found, strict=True)
            if media is None or media.account != account.id or media.state(now) != "succeeded"
        ]
        if wrong or len(set(numbers)) < len(numbers):
            raise invalid("Your media IDs are invalid.", media__media_ids=", ".join(map(str, wrong or numbers)))
        if len(numbers) > 1 and any(media and media.category != "tweet_image" for media in found):
            raise invalid("A post may have up to 4 photos, or 1 animated GIF, or 1 video.", media__media_ids=numbers)

    async def _complete(self, media: Media, content: bytes, fails: bool) -> Media:
        try:
            kind, size = await asyncio.to_thread(_inspected, media.category, content)
        except NotMedia:
            raise invalid("media type unrecognized.", media_id=media.id) from None
        if kind not in TYPES[media.category]:
            raise invalid(f"The media type {kind!r} does not go with {media.category}.", media_type=kind)
        moving = media.category != "tweet_image"
        ready_at = self.archive.clock() + self.processing_seconds if moving or fails else 0
        failure = "InvalidMedia" if fails else ""
        return self.archive.complete_media(media, kind, size, content, ready_at, failure)


def _inspected(category: str, content: bytes) -> tuple[str, tuple[int, int]]:
    """Return the type of a file, with width and height where it is an image; it is decoded to its end. Blocking."""
    if category == "tweet_video":
        if content[4:8] != b"ftyp":  # https://developer.apple.com/documentation/quicktime-file-format/file_type_atom
            raise NotMedia
        return ("video/quicktime" if content[8:12] == b"qt  " else "video/mp4"), (0, 0)
    try:
        with Image.open(io.BytesIO(content)) as image:
            image.load()
            return FORMATS.get(image.format or "", "unknown"), image.size
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise NotMedia from error


def _unknown(number: int) -> XProblem:
    return invalid("The media ID is invalid or has expired.", media_id=number)
