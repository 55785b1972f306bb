"""Editing the text of a post."""

from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints, ValidationError

from api.http.problems import Problem
from api.http.values import INT4, INT8, Given, Line
from api.statements import statement
from common.postgres import Database
from common.telegram.entities import EntityKind
from common.telegram.markdown import from_markdown
from common.telegram.text import RichText

LONGEST = 4096  # UTF-16 code units, https://core.telegram.org/bots/api#sendmessage


class GivenEntity(Given):
    """A mark on the text, https://core.telegram.org/api/entities; offset and length in UTF-16 code units."""

    kind: EntityKind
    offset: int = Field(ge=0, le=INT4)
    length: int = Field(ge=1, le=INT4)
    url: Annotated[str, StringConstraints(max_length=2048)] | None = None
    language: Annotated[str, StringConstraints(max_length=64)] | None = None
    user_id: int | None = Field(default=None, ge=1, le=2**53)
    custom_emoji_id: int | None = Field(default=None, ge=1, le=INT8)
    collapsed: bool = False


class EditedText(Given):
    """A text: Telegram markdown, or plain with `entities`."""

    text: Annotated[str, StringConstraints(min_length=1, max_length=20_000)]
    entities: Annotated[list[GivenEntity], Field(max_length=200)] | None = Field(
        default=None, description="left out: the text is Telegram markdown"
    )
    title: Line = Field(default="", description="what the edit is called in lists; it is not published")
    rewrite_id: UUID | None = Field(
        default=None,
        description="which rewrite it replaces; left out: the newest one, or the original where there is none",
    )


async def checked(database: Database, post_id: UUID, given: EditedText) -> tuple[RichText, UUID | None]:
    """Return the text, and the rewrite in whose place it is. Raises a problem."""
    body = _body(given)
    if not body.text.strip():
        raise _wrong("/text", "nothing would be left of it")
    if body.utf16_length > LONGEST:
        raise _wrong("/text", f"it has {body.utf16_length} UTF-16 code units; Telegram takes {LONGEST}")
    row = await database.fetchrow(statement("posts", "editable"), post_id, given.rewrite_id)
    assert row
    if row["duplicate_of"]:
        raise Problem("conflict", f"the post is a duplicate of {row['duplicate_of']}, and is not published")
    if given.rewrite_id and row["rewrite_id"] is None:
        raise _wrong("/rewrite_id", "the post has no such rewrite that succeeded")
    return body, row["rewrite_id"]


def _body(given: EditedText) -> RichText:
    if given.entities is None:
        return from_markdown(given.text).trimmed()
    marks = [mark.model_dump(mode="json", exclude_none=True) for mark in given.entities]
    try:
        return RichText.model_validate({"text": given.text, "entities": marks}).trimmed()
    except ValidationError as error:
        raise _wrong("/entities", error.errors()[0]["msg"].removeprefix("Value error, ")) from None


def _wrong(pointer: str, detail: str) -> Problem:
    return Problem("invalid", detail, errors=[{"in": "body", "pointer": pointer, "detail": detail}])
