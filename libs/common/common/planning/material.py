"""What there is to publish of a post, as far as it can be told before it is due."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg

from common.media.items import ALBUM_ITEMS, MediaItem
from common.planning.limits import PICTURES
from common.planning.refusals import NothingToPlan
from common.postgres import Database, Queries
from common.telegram.text import RichText
from common.telegram.titles import titled

EXPECTED = MediaItem("photo", url="expected:")  # an image that is to be made


@dataclass(frozen=True, slots=True)
class Material:
    """A post's text and media. `body` is None for a content that is not written yet."""

    post_id: UUID
    content_id: UUID | None
    rewrite_id: UUID | None
    body: RichText | None
    media: tuple[MediaItem, ...]


class Materials:
    """Finds what there is to publish."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = Queries.load("common", "planning.sql")

    async def find(self, post_id: UUID | None, content_id: UUID | None, rewrite_id: UUID | None = None) -> Material:
        """Return the material of a post or a content. Raises NothingToPlan where there can be none."""
        row = await self._database.fetchrow(self._sql["material"], post_id, content_id, rewrite_id)
        if row is None:
            raise NothingToPlan(f"there is no post {post_id}" if post_id else f"there is no content {content_id}")
        if row["duplicate_of"]:
            raise NothingToPlan(f"post {row['post_id']} is a duplicate of {row['duplicate_of']}, and is not published")
        if row["content_status"] == "deleted":
            raise NothingToPlan(f"content {row['content_id']} was deleted")
        if row["content_status"] == "failed":
            raise NothingToPlan(f"content {row['content_id']} could not be written: {row['content_reason']}")
        if rewrite_id and row["rewrite_id"] is None:
            raise NothingToPlan(f"post {row['post_id']} has no rewrite {rewrite_id} that succeeded")
        body, media = _body(row), _media(row)
        if body is not None and not body.text.strip() and not media:
            raise NothingToPlan(f"post {row['post_id']} has neither text nor media")
        return Material(row["post_id"], row["content_id"], row["rewrite_id"], body, media)


def _body(row: asyncpg.Record) -> RichText | None:
    if row["edited"] is not None:
        return RichText.from_json({"text": row["edited"], "entities": row["edited_entities"]})
    if row["rewrite_id"] is not None:
        return RichText.from_json({"text": row["rewritten"], "entities": row["rewritten_entities"]})
    if row["content_id"] is not None:
        return None
    return titled(row["title"], RichText.from_json({"text": row["text"], "entities": row["entities"]}))


def _media(row: asyncpg.Record) -> tuple[MediaItem, ...]:
    own = [item for each in row["media"] or () if (item := _item(each))]
    if not any(item.kind in PICTURES for item in own):
        if row["image"]:
            own.insert(0, MediaItem("photo", hash=row["image"]))
        elif row["illustrate"]:
            own.insert(0, EXPECTED)
    return tuple(own[:ALBUM_ITEMS])


def _item(media: dict[str, Any]) -> MediaItem | None:
    """Return a medium that is in the object store, or a photo that nobody has tried to fetch yet."""
    if media["hash"]:
        return MediaItem.from_json({"kind": media["kind"], "hash": media["hash"]})
    return MediaItem("photo", url=media["url"]) if media["kind"] == "photo" and media["url"] else None
