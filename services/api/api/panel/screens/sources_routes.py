"""Routes: from a source, through a profile, to targets; and what one would do with the latest posts."""

from uuid import UUID

from starlette.responses import Response

from api.http.problems import Problem
from api.panel.desk import Asking, Desk
from api.panel.routes import screen
from api.panel.screens.sources_route_form import RouteForm, wrong_fields
from api.resources.chats import list_chats
from api.resources.destinations import Destination, list_destinations
from api.resources.dry_runs import NewDryRun, Tried, dry_run_route
from api.resources.profiles import Profile, list_profiles
from api.resources.routes import (
    NewRoute,
    Route,
    RouteChange,
    change_route,
    create_route,
    delete_route,
    get_route,
    list_routes,
)
from api.resources.sources import Source, get_source, list_sources

router = screen()

MOST = 200  # of what a form offers


@router.get("/sources/routes")
async def show_routes(desk: Asking, cursor: str = "") -> Response:
    """List the routes, each drawn from its source to its targets."""
    page = await desk.read(list_routes, cursor=cursor)
    sources = {source.id: source for source in await _sources(desk, page.items)}
    profiles = {profile.id: profile for profile in await _profiles(desk)}
    return desk.page(
        "routes.html",
        "routes",
        routes=sorted(page.items, key=lambda route: (not route.enabled, route.name.lower())),
        next=page.next,
        cursor=cursor,
        sources=sources,
        profiles=profiles,
        destinations={each.address: each for each in await _destinations(desk)},
    )


@router.get("/sources/routes/new")
async def write_route(desk: Asking, source_id: UUID | None = None) -> Response:
    """Show the form of a new route."""
    desk.need("write")
    form = RouteForm(source_id=str(source_id or ""), timezone=desk.viewer.zone.key)
    return await _form(desk, form)


@router.post("/sources/routes/dry-run")
async def try_route(desk: Asking) -> Response:
    """Show what a route that is being written would do with the latest posts."""
    form = await RouteForm.sent(desk)
    tried, wrong = await _tried(desk, form)
    return desk.page("route_tried.html", "tried", tried=tried, wrong=wrong)


@router.post("/sources/routes")
async def add_route(desk: Asking) -> Response:
    """Add a route."""
    form = await RouteForm.sent(desk)
    try:
        route = await desk.act(create_route, given=desk.given(NewRoute, **form.values()))
    except Problem as problem:
        return await _form(desk, form.refused(problem, desk))
    desk.toast(desk.gettext("The route is there"))
    return desk.redirect(f"/sources/routes#route-{route.id}")


@router.get("/sources/routes/{route_id}")
async def edit_route(desk: Asking, route_id: UUID) -> Response:
    """Show the form of a route."""
    route = await desk.read(get_route, route_id=route_id)
    return await _form(desk, RouteForm.of(route, desk.viewer.zone.key, desk.etag(route)), route)


@router.post("/sources/routes/{route_id}")
async def save_route(desk: Asking, route_id: UUID) -> Response:
    """Change a route."""
    form = await RouteForm.sent(desk)
    try:
        change = desk.given(RouteChange, **form.values())
        await desk.act(change_route, if_match=form.etag or None, route_id=route_id, change=change)
    except Problem as problem:
        return await _form(desk, form.refused(problem, desk), await desk.read(get_route, route_id=route_id))
    return desk.redirect(f"/sources/routes#route-{route_id}")


@router.post("/sources/routes/{route_id}/on")
async def switch_on(desk: Asking, route_id: UUID) -> Response:
    """Let a route take posts again."""
    return await _switch(desk, route_id, enabled=True)


@router.post("/sources/routes/{route_id}/off")
async def switch_off(desk: Asking, route_id: UUID) -> Response:
    """Let a route take no more posts."""
    return await _switch(desk, route_id, enabled=False)


@router.post("/sources/routes/{route_id}/delete")
async def delete(desk: Asking, route_id: UUID) -> Response:
    """Remove a route."""
    await desk.act(delete_route, route_id=route_id)
    return desk.redirect("/sources/routes")


async def _switch(desk: Desk, route_id: UUID, *, enabled: bool) -> Response:
    route = await desk.act(change_route, route_id=route_id, change=RouteChange(enabled=enabled))
    said = desk.gettext("%(name)s takes posts again") if enabled else desk.gettext("%(name)s takes no more posts")
    desk.toast(said % {"name": route.name}, undo=f"/sources/routes/{route_id}/{'off' if enabled else 'on'}")
    return await show_routes(desk) if desk.by_htmx else desk.redirect("/sources/routes")


async def _form(desk: Desk, form: RouteForm, route: Route | None = None) -> Response:
    tried: Tried | None = None
    if route is not None and desk.may("write") and not form.wrong:
        tried, _ = await _tried(desk, form)
    chats = await desk.read(list_chats, limit=MOST)
    sources = (await desk.read(list_sources, limit=MOST)).items
    if form.source_id and all(str(each.id) != form.source_id for each in sources):
        sources.append(await desk.read(get_source, source_id=UUID(form.source_id)))
    return desk.page(
        "route_form.html",
        status=422 if form.wrong else 200,
        form=form,
        route=route,
        tried=tried,
        wrong="",
        sources=[each for each in sources if each.kind != "canary"],
        profiles=await _profiles(desk),
        destinations=await _destinations(desk),
        chats=chats.items,
    )


async def _tried(desk: Desk, form: RouteForm) -> tuple[Tried | None, str]:
    """Return what a route would do, or why it can't be said."""
    try:
        values = form.values()
        given = desk.given(NewDryRun, route=desk.given(NewRoute, **values | {"name": values["name"] or "?"}))
        return await desk.act(dry_run_route, given=given), ""
    except Problem as problem:
        return None, next(iter(wrong_fields(problem, desk).values()))


async def _sources(desk: Desk, routes: list[Route]) -> list[Source]:
    found = (await desk.read(list_sources, limit=MOST)).items
    known = {source.id for source in found}
    missing = {route.source_id for route in routes if route.source_id} - known
    return [*found, *[await desk.read(get_source, source_id=each) for each in missing]]


async def _profiles(desk: Desk) -> list[Profile]:
    return (await desk.read(list_profiles, limit=MOST)).items


async def _destinations(desk: Desk) -> list[Destination]:
    return (await desk.read(list_destinations, limit=MOST)).items
