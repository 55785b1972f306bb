"""What was read of a post, as what there is to publish."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import asyncpg

from common.media.items import MediaItem
from common.telegram.text import RichText
from common.telegram.titles import titled
from publisher.request import Material, Standing

SAID = ("name", "width", "height", "duration_seconds")  # by the source, of what is not looked into here


def material_of(row: asyncpg.Record) -> Material:
    """Return the material of a row of `read`.

    The illustration comes first where the post shows no picture of its own.
    """
    found = [(each, _item(each)) for each in row["media"] or ()]
    own = Material(
        _body(row),
        tuple(item for _, item in found if item),
        left_out=tuple(each["problem"] or "not fetched" for each, item in found if item is None),
        rewrite_id=row["rewrite_id"],
        duplicate_of=row["duplicate_of"],
        image_failed=row["image_failed"],
        withheld=_withheld(row),
        targets=tuple(row["targets"] or ()),
        standings={
            at["destination"]: Standing(
                at["status"], tuple(at["message_ids"]), at["url"], at["generation"], at["rolling_back"]
            )
            for at in row["publications"] or ()
        },
    )
    if own.pictured or row["illustration"] is None:
        return own
    return replace(own, media=(MediaItem("photo", **row["illustration"]), *own.media))


def _withheld(row: asyncpg.Record) -> str | None:
    if row["is_deleted"]:
        return "was deleted"
    if row["is_brief"] and row["rewrite_id"] is None and row["edited"] is None:
        return "is a brief, and nothing was written from it yet"
    return None


def _body(row: asyncpg.Record) -> RichText:
    if row["edited"] is not None:
        return RichText.from_json({"text": row["edited"], "entities": row["edited_entities"]})
    if row["rewrite_id"] is None:
        return titled(row["title"], RichText.from_json({"text": row["text"], "entities": row["entities"]}))
    return RichText.from_json({"text": row["rewritten"], "entities": row["rewritten_entities"]})


def _item(media: Mapping[str, Any]) -> MediaItem | None:
    """Return a medium that is in the object store, or a photo that nobody has tried to fetch yet."""
    if media["hash"]:
        stored = {name: media[name] for name in ("kind", "hash", "mime_type", "size_bytes", "width", "height")}
        said = {name: media["details"].get(name) for name in SAID}
        return MediaItem.from_json(said | {name: value for name, value in stored.items() if value is not None})
    if media["kind"] == "photo" and "url" in media["reference"] and not media["tried"]:
        return MediaItem("photo", url=media["reference"]["url"])
    return None
