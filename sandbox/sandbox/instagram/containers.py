"""Making containers and publishing them: the rules."""

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.instagram.errors import GraphError, bad_parameter, refused
from sandbox.instagram.gallery import Account, Container, Gallery
from sandbox.instagram.pictures import accepted, fetch

# https://developers.facebook.com/docs/instagram-platform/instagram-graph-api/reference/ig-user/media
MOST_CAPTION, MOST_HASHTAGS, MOST_MENTIONS, MOST_ALT_TEXT = 2200, 30, 20, 1000
FEWEST_IN_A_CAROUSEL, MOST_IN_A_CAROUSEL = 2, 10
HASHTAG = re.compile(r"(?<![\w#&])#\w*[^\W\d_]\w*")
MENTION = re.compile(r"(?<![\w@.])@[A-Za-z0-9_.]+")
VIDEO_KINDS = {"VIDEO", "REELS", "STORIES"}

# https://developers.facebook.com/docs/instagram-platform/instagram-graph-api/reference/ig-user/content_publishing_limit
QUOTA_SECONDS = 24 * 60 * 60


@dataclass(frozen=True)
class Studio:
    """Makes containers. They are in progress for `processing_seconds`, and `quota` of them a day become posts.

    Without a `quota` nothing is counted. `fetch_seconds` is how long a picture may take to arrive.
    """

    gallery: Gallery
    quota: int | None
    processing_seconds: float
    fetch_seconds: float = 10.0

    async def create(self, account: Account, wanted: Mapping[str, str], failure: int | None = None) -> int:
        """Make a container and return its id; with `failure` it ends as an ERROR of this subcode.

        Raises errors of the codes 100, 352, 9004, 9007, -2 and 36000 to 36004.
        """
        kind = wanted.get("media_type", "IMAGE").upper()
        if kind in VIDEO_KINDS or wanted.get("video_url"):
            said = "The video format is not supported. Please check spec for supported formats"
            raise refused(352, 2207026, "Unsupported video format", f"{said} (the sandbox takes no videos and stories)")
        if kind == "CAROUSEL":
            return self._carousel(account, wanted, failure)
        if kind != "IMAGE":
            raise refused(100, 2207023, "Unknown media type", f"The media type {kind} is unknown.")
        is_child = wanted.get("is_carousel_item", "").lower() in ("true", "1")
        caption = "" if is_child else _caption(wanted)  # a caption is the carousel's, not that of a picture in it
        alt_text = wanted.get("alt_text", "")
        if len(alt_text) > MOST_ALT_TEXT:
            raise bad_parameter(f"Param alt_text must be at most {MOST_ALT_TEXT} characters long")
        if not wanted.get("image_url"):
            raise bad_parameter("The parameter image_url is required.")
        content = await asyncio.to_thread(lambda: accepted(fetch(wanted["image_url"], self.fetch_seconds)))
        ready_at = self.gallery.clock() + self.processing_seconds
        return self.gallery.add_container(
            account,
            "IMAGE",
            caption,
            ready_at,
            alt_text=alt_text,
            is_child=is_child,
            content=content,
            failure=failure,
        )

    def publish(self, account: Account, number: str) -> int:
        """Turn a container into a post and return the post's id.

        Raises errors of the codes 9 (quota), 24 (no such container, or published before), 9007 (in progress), -1
        (failed) and -2 (expired).
        """
        container = self._container(account, number)
        if container is None or container.is_child:
            raise _not_found(number)
        match container.status(self.gallery.clock()):
            case "PUBLISHED":
                raise _not_found(number)
            case "EXPIRED":
                said = "The media you are trying to access has expired. Please try to upload again."
                raise refused(-2, 2207020, "Media expired", said)
            case "IN_PROGRESS":
                raise _not_ready()
            case "ERROR":
                raise refused(-1, 2207032, "Create media fail", "Create media fail, please try to re-create media")
        if self.quota is not None and self.used(account) >= self.quota:
            said = "You reached maximum number of posts that is allowed to be published by Content Publishing API."
            raise refused(9, 2207042, "Application request limit reached", said)
        return self.gallery.publish(container)

    def used(self, account: Account, since: float | None = None) -> int:
        """Return how many posts were published in the last 24 hours, or since a time. A carousel is one."""
        return self.gallery.published_since(account, since or self.gallery.clock() - QUOTA_SECONDS)

    def _carousel(self, account: Account, wanted: Mapping[str, str], failure: int | None) -> int:
        caption = _caption(wanted)
        numbers = _listed(wanted.get("children", ""))
        if not FEWEST_IN_A_CAROUSEL <= len(numbers) <= MOST_IN_A_CAROUSEL:
            said = "Carousels need at least 2 photos/videos and no more than 10 photos/videos."
            raise refused(100, 2207028, "Your post won't work as a carousel.", said)
        children = []
        for number in numbers:
            child = self._container(account, number)
            if child is None or not child.is_child or child.id in children:
                raise _not_found(number)
            status = child.status(self.gallery.clock())
            if status == "IN_PROGRESS":
                raise _not_ready()
            if status != "FINISHED":
                raise _not_found(number)
            children.append(child.id)
        ready_at = self.gallery.clock() + self.processing_seconds
        return self.gallery.add_container(
            account, "CAROUSEL_ALBUM", caption, ready_at, children=children, failure=failure
        )

    def _container(self, account: Account, number: str) -> Container | None:
        container = self.gallery.container(int(number)) if re.fullmatch(r"\d{1,18}", number, re.ASCII) else None
        return container if container and container.account == account.id else None


def _caption(wanted: Mapping[str, str]) -> str:
    caption = wanted.get("caption", "")
    if len(caption) > MOST_CAPTION:
        said = (
            f"The submitted image's caption was {len(caption)} characters long. The maximum number of characters "
            f"permitted for a caption is {MOST_CAPTION}. Please submit media with a shorter caption."
        )
        raise refused(36004, 2207010, "Caption too long", said)
    # That hashtags end with the same error is how the table of errors describes it ("2,200 characters, 30 hashtags").
    if (count := len(HASHTAG.findall(caption))) > MOST_HASHTAGS:
        raise refused(
            36004, 2207010, "Too many hashtags", f"The caption has {count} hashtags; at most 30 are permitted."
        )
    if len(MENTION.findall(caption)) > MOST_MENTIONS:
        raise refused(100, 2207040, "Too many tags", f"Cannot use more than {MOST_MENTIONS} tags per created media.")
    return caption


def _listed(given: str) -> list[str]:
    """Return what was given as `a,b` or as a JSON array."""
    try:
        parsed = json.loads(given)
    except ValueError:
        parsed = given.split(",")
    return [str(each).strip() for each in (parsed if isinstance(parsed, list) else [parsed]) if str(each).strip()]


def _not_ready() -> GraphError:
    said = "The media is not ready for publishing, please wait for a moment"
    return refused(9007, 2207027, "Media ID is not available", said, transient=True)


def _not_found(number: str) -> GraphError:
    return refused(24, 2207006, "The requested resource does not exist", f"The media with {number} cannot be found")
