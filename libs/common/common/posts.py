"""The post record: how posts are brought in, and how the stages read them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from common.events import derive
from common.identity import content_key
from common.postgres import Database, Queries
from common.telegram.text import RichText


@dataclass(frozen=True, slots=True)
class Media:
    """A photo, video or document of a post, and where it can be fetched.

    `reference` is `{"url": …}` or `{"chat": …, "message_id": …}`; `content_hash` tells equal media apart; `details` are
    what the source says of a file: name, width, height (pixels), duration_seconds.
    """

    kind: str
    reference: dict[str, Any]
    mime_type: str = ""
    size_bytes: int | None = None
    content_hash: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NewPost:
    """A post as it comes in."""

    source_id: UUID
    external_id: str
    body: RichText
    title: str = ""
    url: str | None = None
    revision: int = 0
    posted_at: datetime | None = None
    media: tuple[Media, ...] = ()

    @property
    def id(self) -> UUID:
        """The id that a live event, a backfill and a re-run agree on."""
        return derive("post", self.source_id, self.external_id, self.revision)

    @property
    def content_key(self) -> bytes | None:
        """What equal posts share, wherever they come from; None where there is too little to tell."""
        text = f"{self.title}\n{self.body.text}" if self.title else self.body.text
        return content_key(text, [media.content_hash.encode() for media in self.media if media.content_hash])


@dataclass(frozen=True, slots=True)
class Brought:
    """What became of a new post: `added` is False where it was there before; `duplicate_of` names its equal."""

    post_id: UUID
    duplicate_of: UUID | None
    added: bool


@dataclass(frozen=True, slots=True)
class Post:
    """A post as it is stored."""

    id: UUID
    source_id: UUID | None
    external_id: str
    title: str
    url: str | None
    body: RichText
    posted_at: datetime | None
    collected_at: datetime
    duplicate_of: UUID | None
    media: tuple[Media, ...] = field(default=())


class Posts:
    """The post records."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = Queries.load(__package__, "posts.sql")

    async def add(self, posts: Sequence[NewPost], *, trace_id: str | None = None) -> list[Brought]:
        """Bring posts in, in their order; what is there already stays as it is. Safe to repeat."""
        rows = await self._database.strict_fetch(self._sql["add"], [_row(post, trace_id) for post in posts])
        return [Brought(row["post_id"], row["original"], row["added"]) for row in rows]

    async def get(self, post_id: UUID) -> Post | None:
        """Return one post with its media."""
        row = await self._database.fetchrow(self._sql["get"], post_id)
        if row is None:
            return None
        values = dict(row)
        body = RichText.from_json({"text": values.pop("text"), "entities": values.pop("entities")})
        media = tuple(Media(**item) for item in values.pop("media"))
        return Post(**values, body=body, media=media)


def _row(post: NewPost, trace_id: str | None) -> dict[str, Any]:
    key = post.content_key
    return {
        "id": str(post.id),
        "source_id": str(post.source_id),
        "external_id": post.external_id,
        "revision": post.revision,
        "url": post.url,
        "title": post.title,
        "text": post.body.text,
        "entities": post.body.to_json().get("entities", []),
        "posted_at": post.posted_at.isoformat() if post.posted_at else None,
        "content_key": key.hex() if key else None,
        "trace_id": trace_id,
        "media": [
            {
                "kind": media.kind,
                "reference": media.reference,
                "mime_type": media.mime_type,
                "size_bytes": media.size_bytes,
                "content_hash": media.content_hash,
                "details": dict(media.details),
            }
            for media in post.media
        ],
    }
