"""Routes: from a source, through a profile, to targets."""

from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from api.http.calls import Call, Calling, found
from api.http.paging import Page, Paged
from api.http.routes import resource
from api.http.values import Answer, Change, Given, Name, Utc, merged
from api.resources.destinations import Target
from api.statements import statement
from common.editing import CatalogEditor
from common.planning.slots import Slots

router = resource("routes")

Hours = Annotated[float, Field(gt=0, le=366 * 24)]
Targets = Annotated[list[Target], Field(min_length=1, max_length=100)]


class RouteBroadcast(Given):
    """What follows when a post was published."""

    chats: list[Annotated[str, StringConstraints(min_length=1, max_length=100)]] = Field(
        default=[], max_length=1000, description="empty: the worker's TARGET_CHAT_IDS"
    )
    delay_seconds: float = Field(default=0, ge=0, le=30 * 86400)
    forward: bool = False


class NewRoute(Given):
    """A route."""

    name: Name
    source_id: UUID | None = Field(default=None, description="null: every source")
    profile_id: UUID
    targets: Targets
    approval: bool = Field(default=False, description="hold every post until a person decides")
    illustrate: bool = Field(default=False, description="have an image made for posts without one")
    image_required: bool = Field(default=False, description="hold a post that gets no image")
    broadcast: RouteBroadcast | None = None
    slots: Slots | None = Field(default=None, description="when its posts go out; null: at once")
    approval_expires_hours: Hours | None = Field(
        default=None, description="then what it holds is rejected; null: never"
    )
    enabled: bool = True


class RouteChange(Change):
    """What is to be different."""

    name: Name = ""
    source_id: UUID | None = None
    profile_id: UUID = UUID(int=0)
    targets: Targets = Field(default=[])
    approval: bool = False
    illustrate: bool = False
    image_required: bool = False
    broadcast: RouteBroadcast | None = None
    slots: Slots | None = None
    approval_expires_hours: Hours | None = None
    enabled: bool = True


class Route(Answer):
    """A route."""

    id: UUID
    name: str
    source_id: UUID | None
    profile_id: UUID
    targets: list[str]
    approval: bool
    illustrate: bool
    image_required: bool
    broadcast: RouteBroadcast | None
    slots: Slots | None
    approval_expires_hours: float | None
    enabled: bool
    created_at: Utc


@router.get("")
async def list_routes(
    page: Paged, source_id: UUID | None = None, profile_id: UUID | None = None, enabled: bool | None = None
) -> Page[Route]:
    """List routes."""
    return await page.of(Route, statement("catalog", "list_routes"), source_id, profile_id, enabled)


@router.post("", status_code=201)
async def create_route(given: NewRoute, call: Calling) -> Route:
    """Add a route."""
    route_id = await CatalogEditor(call.database).add("route", _values(given))
    call.created(route_id)
    return await get_route(UUID(str(route_id)), call)


@router.get("/{route_id}")
async def get_route(route_id: UUID, call: Calling) -> Route:
    """Read a route."""
    return call.tagged(await _route(call, route_id))


@router.patch("/{route_id}")
async def change_route(route_id: UUID, change: RouteChange, call: Calling) -> Route:
    """Change a route: what is left out stays."""
    await call.alone_with("route", route_id)
    current = await _route(call, route_id)
    call.changing(current)
    await CatalogEditor(call.database).change("route", route_id, _values(merged(NewRoute, current, change)))
    return await get_route(route_id, call)


@router.delete("/{route_id}", status_code=204)
async def delete_route(route_id: UUID, call: Calling) -> None:
    """Remove a route. What it was decided for goes on."""
    await call.alone_with("route", route_id)
    call.changing(await _route(call, route_id))
    await CatalogEditor(call.database).remove("route", route_id)


async def _route(call: Call, route_id: UUID) -> Route:
    row = await call.database.fetchrow(statement("catalog", "get_route"), route_id)
    return found(Route(**dict(row)) if row else None, "route")


def _values(route: NewRoute) -> tuple[object, ...]:
    return (
        route.name,
        route.source_id,
        route.profile_id,
        route.targets,
        route.approval,
        route.illustrate,
        route.image_required,
        route.broadcast.model_dump() if route.broadcast else None,
        route.enabled,
        route.slots.model_dump() if route.slots else None,
        route.approval_expires_hours,
    )
