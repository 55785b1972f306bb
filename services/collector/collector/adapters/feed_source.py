"""Feeds as sources."""

import logging
from typing import Any
from urllib.parse import unquote, urlsplit

from collector.adapters.feed_items import FeedError, FeedItem, FeedMedia
from collector.adapters.feeds import FeedReader
from collector.ports import Page, RateLimited, SourceState, SourceUnreadable
from common.catalog import Source
from common.posts import Media, NewPost
from common.telegram.utf16 import storable

log = logging.getLogger(__name__)

NAME_LENGTH = 255  # of a file, in characters
LONGEST_WAIT_SECONDS = 3600.0  # what a server asks for beyond that is left to the source's schedule


class FeedSource:
    """Reads feeds; addresses in private networks only for sources that allow them."""

    def __init__(self, public: FeedReader, private: FeedReader) -> None:
        self._public = public
        self._private = private

    async def read(self, source: Source, state: SourceState) -> Page:
        """Return the entries of a feed, oldest first; none where it has not changed."""
        reader = self._private if source.allow_private else self._public
        try:
            feed = await reader.read(source.address, state.etag, state.last_modified)
        except FeedError as error:
            if error.retry_after is not None and error.retry_after <= LONGEST_WAIT_SECONDS:
                raise RateLimited(error.retry_after, f"{source.address}: {error.reason}") from error
            raise SourceUnreadable(error.reason) from error
        if feed.problems:
            log.warning("feed %s: %s", source.address, "; ".join(feed.problems), extra={"source_id": str(source.id)})
        if feed.permanent_url:
            log.warning("feed %s has moved for good to %s", source.address, feed.permanent_url)
        posts = tuple(_post(source, item) for item in oldest_first(feed.items))
        return Page(posts, etag=feed.etag, last_modified=feed.last_modified)


def oldest_first(items: tuple[FeedItem, ...]) -> list[FeedItem]:
    """Return the entries by date where each has one; else in reverse, as feeds have their newest entry first."""
    dated = [(item.published_at, item) for item in reversed(items) if item.published_at is not None]
    if len(dated) < len(items):
        return list(reversed(items))
    return [item for _, item in sorted(dated, key=lambda pair: pair[0])]


def _post(source: Source, item: FeedItem) -> NewPost:
    return NewPost(
        source_id=source.id,
        external_id=item.external_id,
        body=item.body,
        title=item.title,
        url=item.url,
        posted_at=item.published_at,
        media=tuple(_media(media) for media in item.media),
    )


def _media(media: FeedMedia) -> Media:
    kind = {"image": "photo", "video": "video", "audio": "audio"}.get((media.type or "image").partition("/")[0])
    said: dict[str, Any] = {"width": media.width, "height": media.height, "duration_seconds": media.duration_seconds}
    if kind != "photo":
        said["name"] = storable(unquote(urlsplit(media.url).path.rpartition("/")[2]))[:NAME_LENGTH]
    return Media(
        kind=kind or "document",
        reference={"url": media.url},
        mime_type=media.type if media.type and "/" in media.type else "",
        details={name: value for name, value in said.items() if value},
    )
