"""What the sandbox's X keeps: accounts, posts and media."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from zlib import crc32

from sandbox.records import Records

EPOCH_MILLISECONDS = 1_288_834_974_657  # of ids: https://docs.x.com/fundamentals/x-ids
MEDIA_SECONDS = 24 * 60 * 60  # https://docs.x.com/x-api/media/quickstart/best-practices
NO_ID = 2**63 - 1
FOREVER = 2**62


@dataclass(frozen=True, slots=True)
class Account:
    """A user."""

    id: int
    username: str


@dataclass(frozen=True, slots=True)
class Post:
    """A post, with its text as it was given. `conversation` is the first post of its thread."""

    id: int
    account: int
    text: str
    reply_to: int | None
    conversation: int
    media: tuple[int, ...]
    created_at: float


@dataclass(frozen=True, slots=True)
class Media:
    """What can be attached to a post, for a day. Sizes are in bytes and pixels."""

    id: int
    account: int
    category: str
    type: str
    size: int
    width: int
    height: int
    alt_text: str
    is_complete: bool
    failure: str
    created_at: float
    ready_at: float

    @property
    def key(self) -> str:
        """The media key; its first part says what kind of media it is."""
        kind = {"tweet_image": 3, "tweet_video": 7, "tweet_gif": 16}.get(self.category, 3)
        return f"{kind}_{self.id}"

    def state(self, now: float) -> str:
        """Return `open`, `expired`, `in_progress`, `failed` or `succeeded`."""
        if now >= self.created_at + MEDIA_SECONDS:
            return "expired"
        if not self.is_complete:
            return "open"
        if now < self.ready_at:
            return "in_progress"
        return "failed" if self.failure else "succeeded"


class Archive:
    """All of it, by id. `clock` tells Unix seconds."""

    def __init__(self, records: Records, usernames: Iterable[str], clock: Callable[[], float]) -> None:
        self._records = records
        self.clock = clock
        self.accounts = {account.id: account for account in map(_account, usernames)}

    def named(self, username: str) -> Account | None:
        """Return the account of this name."""
        return next((each for each in self.accounts.values() if each.username == username), None)

    def add_post(self, account: Account, text: str, reply_to: Post | None, media: Sequence[int]) -> Post:
        """Keep a new post and return it."""
        number = self._next_id()
        conversation = reply_to.conversation if reply_to else number
        before = reply_to.id if reply_to else None
        post = Post(number, account.id, text, before, conversation, tuple(media), self.clock())
        described = (text, before, conversation, json.dumps(list(media)), post.created_at)
        self._records.write("post_add", number, account.id, *described)
        self._records.commit()
        return post

    def post(self, number: int) -> Post | None:
        """Return a post that was not deleted."""
        row = self._records.row("post_get", number)
        return _post(row) if row else None

    def delete_post(self, post: Post) -> None:
        """Delete a post."""
        self._records.write("post_delete", post.id)
        self._records.commit()

    def has_same(self, account: Account, text: str, since: float) -> bool:
        """Whether the account has posted this text since a time."""
        return self._records.row("post_same", account.id, text, since) is not None

    def posts(
        self,
        account: Account,
        limit: int,
        *,
        above: int = 0,
        below: int = NO_ID,
        since: float = 0,
        until: float = FOREVER,
        replies: bool = True,
        oldest_first: bool = False,
    ) -> list[Post]:
        """Return posts of an account between two ids (exclusive) and from one time to another, the newest first.

        `oldest_first` takes the `limit` oldest of them rather than the newest.
        """
        query = "posts_oldest" if oldest_first else "posts_newest"
        rows = self._records.rows(query, account.id, above, below, since, until, replies, limit)
        found = [_post(row) for row in rows]
        return found[::-1] if oldest_first else found

    def count(self, account: Account) -> int:
        """Return how many posts an account has."""
        row = self._records.row("posts_count", account.id)
        return int(row[0]) if row else 0

    def open_media(self, account: Account, category: str, kind: str, size: int) -> Media:
        """Keep a media whose content is still to come."""
        number, now = self._next_id(), self.clock()
        self._records.write("media_open", number, account.id, category, kind, size, now)
        self._records.commit()
        return Media(number, account.id, category, kind, size, 0, 0, "", False, "", now, 0)

    def keep_segment(self, media: Media, position: int, content: bytes) -> None:
        """Keep a part of a media."""
        self._records.write("segment_put", media.id, position, content)
        self._records.commit()

    def segments(self, media: Media) -> list[tuple[int, bytes]]:
        """Return the parts of a media that came, in order."""
        return [(position, content) for position, content in self._records.rows("segments_all", media.id)]

    def complete_media(
        self, media: Media, kind: str, size: tuple[int, int], content: bytes, ready_at: float, failure: str = ""
    ) -> Media:
        """Keep the content of a media, of this type and this width and height."""
        self._records.write(
            "media_complete", kind, len(content), size[0], size[1], content, failure, ready_at, media.id
        )
        self._records.write("segments_drop", media.id)
        self._records.commit()
        complete = self.media(media.id)
        assert complete is not None, "it was just written"
        return complete

    def media(self, number: int) -> Media | None:
        """Return a media."""
        row = self._records.row("media_get", number)
        return Media(*row) if row else None

    def describe_media(self, media: Media, alt_text: str) -> None:
        """Keep what a media shows, in words."""
        self._records.write("media_describe", alt_text, media.id)
        self._records.commit()

    def content(self, number: int) -> tuple[bytes, str] | None:
        """Return the content of a media and its type."""
        row = self._records.row("media_content", number)
        return (row[0], row[1]) if row and row[0] is not None else None

    def _next_id(self) -> int:
        """Return an id that is later than all others: milliseconds since the epoch of ids, shifted by 22 bits."""
        row = self._records.row("id_last")
        return max((int(self.clock() * 1000) - EPOCH_MILLISECONDS) << 22, (row[0] if row and row[0] else 0) + 1)


def _account(username: str) -> Account:
    return Account(1_790_000_000_000_000_000 + crc32(username.encode()), username)


def _post(row: tuple[Any, ...]) -> Post:
    number, account, text, reply_to, conversation, media, created_at = row
    return Post(number, account, text, reply_to, conversation, tuple(json.loads(media)), created_at)
