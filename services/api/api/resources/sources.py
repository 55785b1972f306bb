"""Sources: where posts come from."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query
from pydantic import Field, StringConstraints

from api.http.calls import Call, Calling, found
from api.http.paging import Page, Paged
from api.http.problems import Problem
from api.http.routes import resource
from api.http.values import Answer, Change, Given, Line, Utc, Words, merged
from api.statements import statement
from common.editing import CatalogEditor
from common.events import CollectRequested
from common.planning.schedules import CronText

router = resource("sources")

Kind = Literal["telegram", "feed", "import"]
SCHEDULE = "cron, five fields (0 and 7 are Sunday), UTC; null: live events and requests only"


class NewSource(Given):
    """A source."""

    kind: Kind
    address: Annotated[str, StringConstraints(min_length=1, max_length=2000, strip_whitespace=True)] = Field(
        description="@channel, a feed's URL, or the name of an import"
    )
    title: Line = ""
    enabled: bool = True
    schedule: CronText | None = Field(default=None, description=SCHEDULE)
    allow_private: bool = Field(
        default=False, description="of a feed: it may be in a private network; needs the scope admin"
    )


class SourceChange(Change):
    """What is to be different."""

    title: Line = ""
    enabled: bool = True
    schedule: CronText | None = Field(default=None, description=SCHEDULE)
    allow_private: bool = False


class Source(Answer):
    """A source, and how it was read last."""

    id: UUID
    kind: Kind | Literal["canary"]
    address: str
    title: str
    enabled: bool
    schedule: str | None
    allow_private: bool
    created_at: Utc
    last_run_at: Utc | None
    last_success_at: Utc | None
    last_error: str | None
    failures: int = Field(description="in a row")


class Collection(Answer):
    """The request to read a source."""

    event_id: str


@router.get("")
async def list_sources(
    page: Paged,
    kind: Kind | Literal["canary"] | None = None,
    enabled: bool | None = None,
    failing: Annotated[bool | None, Query(description="whether the last run failed")] = None,
    q: Annotated[Words | None, Query(description="a part of its title or address")] = None,
) -> Page[Source]:
    """List sources."""
    return await page.of(Source, statement("catalog", "list_sources"), kind, enabled, failing, q)


@router.post("", status_code=201)
async def create_source(given: NewSource, call: Calling) -> Source:
    """Add a source."""
    _check(call, given.allow_private)
    source_id = await CatalogEditor(call.database).add("source", _values(given))
    call.created(source_id)
    return await get_source(UUID(str(source_id)), call)


@router.get("/{source_id}")
async def get_source(source_id: UUID, call: Calling) -> Source:
    """Read a source."""
    return call.tagged(await _source(call, source_id))


@router.patch("/{source_id}")
async def change_source(source_id: UUID, change: SourceChange, call: Calling) -> Source:
    """Change a source: what is left out stays."""
    await call.alone_with("source", source_id)
    current = await _source(call, source_id)
    call.changing(current)
    _check(call, change.allow_private and not current.allow_private)
    await CatalogEditor(call.database).change("source", source_id, _values(merged(NewSource, current, change)))
    return await get_source(source_id, call)


@router.delete("/{source_id}", status_code=204)
async def delete_source(source_id: UUID, call: Calling) -> None:
    """Remove a source that brought no posts, with its routes. One that did is only switched off: `enabled: false`."""
    await call.alone_with("source", source_id)
    call.changing(await _source(call, source_id))
    await CatalogEditor(call.database).remove("source", source_id)


@router.post("/{source_id}/collect", status_code=202)
async def collect_source(source_id: UUID, call: Calling) -> Collection:
    """Ask for what is new in a source."""
    await _source(call, source_id)
    [event_id] = await call.emit(CollectRequested(source_id=source_id, reason="manual"))
    return Collection(event_id=event_id)


async def _source(call: Call, source_id: UUID) -> Source:
    row = await call.database.fetchrow(statement("catalog", "get_source"), source_id)
    return found(Source(**dict(row)) if row else None, "source")


def _check(call: Call, into_private: bool) -> None:
    # What is read of a feed becomes posts, which every token reads: so an admin decides what is read inside.
    if into_private and not call.caller.allows("admin"):
        raise Problem("forbidden", f"allow_private needs the scope admin; the caller has {call.caller.scope}")


def _values(source: NewSource) -> tuple[object, ...]:
    return source.kind, source.address, source.title, source.enabled, source.schedule, source.allow_private
