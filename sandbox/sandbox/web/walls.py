"""What accounts on Instagram and X have posted, alike for both."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from sandbox.calls import Calls
from sandbox.instagram.nodes import picture_path
from sandbox.instagram.routes import InstagramEndpoint
from sandbox.x.routes import XEndpoint
from sandbox.x.views import media_path


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of a post, or a video. `src` is its path."""

    src: str
    alt: str
    type: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A post as it was given to its platform. `reply_to` is the post that it replies to."""

    id: int
    at: datetime
    text: str
    pictures: tuple[Picture, ...]
    reply_to: int | None = None


class Wall(Protocol):
    """What an account has posted, the newest first, before a post; and what ends its tokens."""

    name: str
    title: str
    calls: Calls

    def usernames(self) -> list[str]: ...

    def posts(self, username: str, limit: int, before: int) -> list[Shown] | None: ...

    def expire(self, username: str) -> None: ...

    def issue(self, username: str, /) -> str | None: ...


class InstagramWall:
    """The posts on Instagram."""

    name, title = "instagram", "Instagram"

    def __init__(self, endpoint: InstagramEndpoint) -> None:
        self.calls = endpoint.calls
        self._gallery = endpoint.studio.gallery

    def usernames(self) -> list[str]:
        """Return the names of the accounts."""
        return [account.username for account in self._gallery.accounts.values()]

    def posts(self, username: str, limit: int, before: int) -> list[Shown] | None:
        """Return posts, or None where there is no such account."""
        account = self._gallery.named(username)
        return [self._shown(each) for each in self._gallery.posts(account, limit, below=before)] if account else None

    def expire(self, username: str) -> None:
        """End the account's tokens."""
        if account := self._gallery.named(username):
            self._gallery.expire_tokens(account)

    def issue(self, username: str) -> str | None:
        """Return a new token."""
        account = self._gallery.named(username)
        return self._gallery.issue_token(account) if account else None

    def _shown(self, media: Any) -> Shown:
        pieces = self._gallery.children(media.id) or [media]
        pictures = tuple(Picture(picture_path(piece), piece.alt_text, "image/jpeg") for piece in pieces)
        return Shown(media.id, _time(media.published_at), media.caption, pictures)


class XWall:
    """The posts on X."""

    name, title = "x", "X"

    def __init__(self, endpoint: XEndpoint) -> None:
        self.calls = endpoint.calls
        self._archive = endpoint.archive
        self._tokens = endpoint.tokens

    def usernames(self) -> list[str]:
        """Return the names of the accounts."""
        return [account.username for account in self._archive.accounts.values()]

    def posts(self, username: str, limit: int, before: int) -> list[Shown] | None:
        """Return posts, or None where there is no such account."""
        account = self._archive.named(username)
        return [self._shown(each) for each in self._archive.posts(account, limit, below=before)] if account else None

    def expire(self, username: str) -> None:
        """End the account's access tokens; its refresh token stays good."""
        if account := self._archive.named(username):
            self._tokens.expire(account)

    def issue(self, _: str) -> str | None:
        """Return nothing: on X a token is refreshed."""
        return None

    def _shown(self, post: Any) -> Shown:
        attached = [media for number in post.media if (media := self._archive.media(number))]
        pictures = tuple(Picture(media_path(media), media.alt_text, media.type) for media in attached)
        return Shown(post.id, _time(post.created_at), post.text, pictures, post.reply_to)


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
