"""Media on their way to X: https://docs.x.com/x-api/media/quickstart/media-upload-chunked."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

from common.media.items import MediaItem
from common.media.pictures import X
from common.sends import Refused, Trouble
from common.telegram.outgoing import MediaUnavailable
from publisher.adapters.pictures import Gallery, is_picture
from publisher.adapters.x_calls import XCalls

UPLOAD = "/2/media/upload"
MOST_IMAGES = 4  # of one post, https://docs.x.com/x-api/media/quickstart/best-practices
WHOLE_BYTES = 2**20  # what is larger goes in parts
PART_BYTES = 2**20
PROCESSING_SECONDS = 300.0
VIDEOS = frozenset({"video", "animation"})


@dataclass(slots=True)
class Uploaded:
    """Media ids of a post, and why others are not among them."""

    ids: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


class XMedia:
    """Uploads. An upload may be repeated: what no post has is gone after a day."""

    def __init__(self, calls: XCalls, gallery: Gallery) -> None:
        self._calls = calls
        self._gallery = gallery

    async def upload(self, account: str, media: Sequence[MediaItem]) -> Uploaded:
        """Upload up to four pictures, or else one video. Raises what XCalls.ask raises, but for Refused."""
        done = Uploaded()
        pictures = [item for item in media if is_picture(item)]
        videos = [item for item in media if item.kind in VIDEOS and not is_picture(item)]
        chosen = pictures[:MOST_IMAGES] or videos[:1]
        if more := len(media) - len(chosen):
            done.problems.append(
                f"{more} of its media left out: a post on X has up to {MOST_IMAGES} images, or one video"
            )
        for item in chosen:
            try:
                done.ids.append(await self._upload(account, item))
            except (MediaUnavailable, Refused) as error:
                done.problems.append(f"sent without one of its media: {error}")
        return done

    async def _upload(self, account: str, item: MediaItem) -> str:
        picture = is_picture(item)
        async with self._gallery.open(item, X if picture else None) as content:
            size = content.seek(0, 2)
            start = content.read(8) if content.seek(0) == 0 else b""
            content.seek(0)
            if picture and size <= WHOLE_BYTES:
                return await self._whole(account, content)
            category = "tweet_image" if picture else "tweet_video"
            return await self._in_parts(account, content, size, category, _type_of(start, item))

    async def _whole(self, account: str, content: BinaryIO) -> str:
        answer = await self._calls.ask(
            account,
            "POST",
            UPLOAD,
            files={"media": ("picture", content.read(), "application/octet-stream")},
            data={"media_category": "tweet_image"},
        )
        return str(answer["data"]["id"])

    async def _in_parts(self, account: str, content: BinaryIO, size: int, category: str, kind: str) -> str:
        opened = {"media_type": kind, "media_category": category, "total_bytes": size}
        answer = await self._calls.ask(account, "POST", f"{UPLOAD}/initialize", json=opened)
        number = str(answer["data"]["id"])
        for segment in range(-(-size // PART_BYTES)):
            await self._calls.ask(
                account,
                "POST",
                f"{UPLOAD}/{number}/append",
                operation="POST append",
                files={"media": ("part", content.read(PART_BYTES), "application/octet-stream")},
                data={"segment_index": str(segment)},
            )
        path = f"{UPLOAD}/{number}/finalize"
        answer = await self._calls.ask(account, "POST", path, operation="POST finalize")
        end = time.monotonic() + PROCESSING_SECONDS
        while (info := answer["data"].get("processing_info", {})).get("state") in ("pending", "in_progress"):
            if time.monotonic() > end:
                raise Trouble("X is still processing the video")
            await asyncio.sleep(min(30.0, max(0.1, float(info.get("check_after_secs", 1)))))
            asked = {"command": "STATUS", "media_id": number}
            answer = await self._calls.ask(account, "GET", UPLOAD, params=asked)
        if info.get("state") == "failed":
            raise MediaUnavailable("X could not process it")
        return number


def _type_of(start: bytes, item: MediaItem) -> str:
    if start.startswith(b"\x89PNG"):
        return "image/png"
    if start.startswith(b"GIF8"):
        return "image/gif"
    if start.startswith(b"RIFF"):
        return "image/webp"
    if start.startswith(b"\xff\xd8"):
        return "image/jpeg"
    return item.mime_type or "video/mp4"
