"""What the sandbox's Instagram keeps: accounts, tokens, containers, and the posts that containers became."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from secrets import token_hex
from typing import Any, Literal
from zlib import crc32

from sandbox.records import Records

Status = Literal["IN_PROGRESS", "FINISHED", "ERROR", "EXPIRED", "PUBLISHED"]
Kind = Literal["IMAGE", "CAROUSEL_ALBUM"]

# https://developers.facebook.com/docs/instagram-platform/instagram-graph-api/reference/ig-container
CONTAINER_SECONDS = 24 * 60 * 60
TOKEN_SECONDS = 60 * 24 * 60 * 60  # of a long-lived token; https://developers.facebook.com/docs/instagram-platform
FIRST_CONTAINER, FIRST_MEDIA = 17_900_000_000_000_000, 18_000_000_000_000_000
NEVER = 2**62


@dataclass(frozen=True, slots=True)
class Account:
    """A professional account."""

    id: int
    username: str


@dataclass(frozen=True, slots=True)
class Container:
    """What is to become a post. Times are Unix seconds."""

    id: int
    account: int
    kind: Kind
    caption: str
    alt_text: str
    is_child: bool
    children: tuple[int, ...]
    failure: int | None
    created_at: float
    ready_at: float
    media: int | None

    def status(self, now: float) -> Status:
        """Return its status at this time."""
        if self.media is not None:
            return "PUBLISHED"
        if now >= self.created_at + CONTAINER_SECONDS:
            return "EXPIRED"
        if now < self.ready_at:
            return "IN_PROGRESS"
        return "ERROR" if self.failure is not None else "FINISHED"


@dataclass(frozen=True, slots=True)
class Media:
    """A post, or a picture of the carousel `album`."""

    id: int
    account: int
    album: int | None
    published_at: float
    kind: Kind
    caption: str
    alt_text: str


class Gallery:
    """All of it, by id. `clock` tells Unix seconds."""

    def __init__(self, records: Records, usernames: Iterable[str], clock: Callable[[], float]) -> None:
        self._records = records
        self.clock = clock
        self.accounts = {account.id: account for account in map(_account, usernames)}
        for account in self.accounts.values():
            token = "IGAA" + sha256(f"sandbox/instagram/{account.username}".encode()).hexdigest()
            records.write("token_put", token, account.id, 0.0, None)
        records.commit()

    def named(self, username: str) -> Account | None:
        """Return the account of this name."""
        return next((each for each in self.accounts.values() if each.username == username), None)

    def owner(self, token: str) -> tuple[Account, bool] | None:
        """Return whose token this is and whether it is in force."""
        row = self._records.row("token_get", token)
        if row is None or row[0] not in self.accounts:
            return None
        return self.accounts[row[0]], row[1] is None or row[1] > self.clock()

    def issue_token(self, account: Account) -> str:
        """Return a new token, good for 60 days."""
        now = self.clock()
        token = "IGAA" + token_hex(32)
        self._records.write("token_put", token, account.id, now, now + TOKEN_SECONDS)
        self._records.commit()
        return token

    def expire_tokens(self, account: Account) -> None:
        """End all tokens of an account."""
        self._records.write("tokens_expire", self.clock(), account.id)
        self._records.commit()

    def newest_token(self, account: Account) -> str:
        """Return the token that was issued last."""
        row = self._records.row("token_newest", account.id)
        assert row is not None, "every account gets a token at the start"
        return str(row[0])

    def add_container(
        self,
        account: Account,
        kind: Kind,
        caption: str,
        ready_at: float,
        *,
        alt_text: str = "",
        is_child: bool = False,
        children: Sequence[int] = (),
        content: bytes | None = None,
        failure: int | None = None,
    ) -> int:
        """Keep a new container and return its id."""
        number = self._next("container_last", FIRST_CONTAINER)
        described = (kind, caption, alt_text, int(is_child), json.dumps(list(children)), content, failure)
        self._records.write("container_add", number, account.id, *described, self.clock(), ready_at)
        self._records.commit()
        return number

    def container(self, number: int) -> Container | None:
        """Return a container."""
        row = self._records.row("container_get", number)
        if row is None:
            return None
        identity, account, kind, caption, alt_text, is_child, children, *rest = row
        return Container(identity, account, kind, caption, alt_text, bool(is_child), tuple(json.loads(children)), *rest)

    def publish(self, container: Container) -> int:
        """Turn a container into a post, and what is in it into its pictures; return the post's id."""
        now = self.clock()
        number = self._next("media_last", FIRST_MEDIA)
        self._records.write("media_add", number, container.id, container.account, None, now)
        for position, child in enumerate(container.children, 1):
            self._records.write("media_add", number + position, child, container.account, number, now)
        self._records.commit()
        return number

    def media(self, number: int) -> Media | None:
        """Return a post or a picture of a carousel."""
        row = self._records.row("media_get", number)
        return Media(*row) if row else None

    def children(self, album: int) -> list[Media]:
        """Return the pictures of a carousel, in order."""
        return [Media(*row) for row in self._records.rows("media_children", album)]

    def posts(
        self,
        account: Account,
        limit: int,
        *,
        above: int = 0,
        below: int = NEVER,
        since: float = 0,
        until: float = NEVER,
        oldest_first: bool = False,
    ) -> list[Media]:
        """Return posts of an account between two ids (exclusive) and two times, the newest first.

        `oldest_first` takes the `limit` oldest of them rather than the newest.
        """
        query = "media_oldest_first" if oldest_first else "media_recent"
        rows = self._records.rows(query, account.id, above, below, since, until, limit)
        found = [Media(*row) for row in rows]
        return found[::-1] if oldest_first else found

    def count(self, account: Account) -> int:
        """Return how many posts an account has."""
        return self._number("media_count", account.id)

    def published_since(self, account: Account, since: float) -> int:
        """Return how many posts an account has published since a time."""
        return self._number("media_published", account.id, since)

    def content(self, media: int) -> bytes | None:
        """Return the picture of a media; a carousel has none of its own."""
        row = self._records.row("media_content", media)
        return row[0] if row else None

    def _next(self, query: str, first: int) -> int:
        row = self._records.row(query)
        return (row[0] if row and row[0] else first) + 1

    def _number(self, query: str, *values: Any) -> int:
        row = self._records.row(query, *values)
        return int(row[0]) if row else 0


def _account(username: str) -> Account:
    return Account(17_841_400_000_000_000 + crc32(username.encode()), username)
