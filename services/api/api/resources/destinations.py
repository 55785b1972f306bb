"""Destinations: where posts go, and how fast."""

from typing import Annotated

from fastapi import Path
from pydantic import Field, StringConstraints

from api.http.calls import Call, Calling, found
from api.http.paging import Page, Paged
from api.http.routes import resource
from api.http.values import INT4, Answer, Change, Given, Line, Utc, merged
from api.statements import statement
from common.editing import CatalogEditor

router = resource("destinations")

Target = Annotated[str, StringConstraints(pattern=r"^[a-z]+:[^\s]+$", max_length=300)]
Address = Annotated[str, Path(max_length=300, description="platform:address, such as telegram:@channel")]


class NewDestination(Given):
    """A destination."""

    address: Target = Field(description="platform:address, such as telegram:@channel")
    title: Line = ""
    posts_per_hour: int | None = Field(default=None, ge=1, le=INT4, description="null: the platform's default")
    is_default: bool = Field(default=False, description="where posts of its platform go that name no target")


class DestinationChange(Change):
    """What is to be different."""

    title: Line = ""
    posts_per_hour: int | None = Field(default=None, ge=1, le=INT4)
    is_default: bool = False


class Destination(Answer):
    """A destination."""

    address: str
    title: str
    posts_per_hour: int | None
    is_default: bool
    created_at: Utc


@router.get("")
async def list_destinations(page: Paged) -> Page[Destination]:
    """List destinations."""
    return await page.of(Destination, statement("catalog", "list_destinations"))


@router.post("", status_code=201)
async def create_destination(given: NewDestination, call: Calling) -> Destination:
    """Add a destination."""
    address = await CatalogEditor(call.database).add("destination", _values(given))
    call.created(address)
    return await get_destination(str(address), call)


@router.get("/{address:path}")
async def get_destination(address: Address, call: Calling) -> Destination:
    """Read a destination."""
    return call.tagged(await _destination(call, address))


@router.patch("/{address:path}")
async def change_destination(address: Address, change: DestinationChange, call: Calling) -> Destination:
    """Change a destination: what is left out stays."""
    await call.alone_with("destination", address)
    current = await _destination(call, address)
    call.changing(current)
    values = _values(merged(NewDestination, current, change))
    await CatalogEditor(call.database).change("destination", address, values)
    return await get_destination(address, call)


@router.delete("/{address:path}", status_code=204)
async def delete_destination(address: Address, call: Calling) -> None:
    """Remove a destination. What is sent there from now on goes at the platform's default pace."""
    await call.alone_with("destination", address)
    call.changing(await _destination(call, address))
    await CatalogEditor(call.database).remove("destination", address)


async def _destination(call: Call, address: str) -> Destination:
    row = await call.database.fetchrow(statement("catalog", "get_destination"), address)
    return found(Destination(**dict(row)) if row else None, "destination")


def _values(destination: NewDestination) -> tuple[object, ...]:
    return destination.address, destination.title, destination.posts_per_hour, destination.is_default
