"""Looking at feeds, and at pages that say where their feeds are."""

from collector.adapters.feed_items import FeedError
from collector.adapters.feed_source import oldest_first
from collector.adapters.feeds import FeedReader
from collector.check import NEWEST, Finding, NothingToRead, SeenPost, Suggestion, shown


class FeedChecks:
    """Looks at feeds; into private networks only where that is allowed."""

    def __init__(self, public: FeedReader, private: FeedReader) -> None:
        self._public = public
        self._private = private

    async def look(self, address: str, *, allow_private: bool) -> Finding:
        """Return the newest entries of a feed."""
        reader = self._private if allow_private else self._public
        try:
            feed = await reader.read(address)
        except FeedError as error:
            suggestions = [Suggestion(each.url, each.title) for each in error.advertised]
            raise NothingToRead(error.trouble, error.reason, suggestions) from error
        newest = oldest_first(feed.items)[: -NEWEST - 1 : -1]
        return Finding(
            what=feed.format,
            title=feed.title or "",
            posts=len(feed.items),
            newest=[SeenPost(shown(item.title, item.body.text), item.published_at, item.url) for item in newest],
        )
