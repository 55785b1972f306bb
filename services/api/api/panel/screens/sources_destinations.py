"""Destinations: where posts go, what each takes, and how fast."""

from typing import Any

from starlette.responses import Response

from api.http.problems import Problem
from api.panel.desk import Asking, Desk
from api.panel.routes import screen
from api.resources.destinations import (
    DestinationChange,
    NewDestination,
    change_destination,
    create_destination,
    delete_destination,
    list_destinations,
)
from api.resources.routes import list_routes
from common.planning.limits import INSTAGRAM_CAPTION, TELEGRAM_CAPTION, TELEGRAM_TEXT
from common.planning.x_text import MOST as X_POST

router = screen()

LIMITS = {
    "telegram": {"text": TELEGRAM_TEXT, "caption": TELEGRAM_CAPTION, "post": 0},
    "instagram": {"text": 0, "caption": INSTAGRAM_CAPTION, "post": 0},
    "x": {"text": 0, "caption": 0, "post": X_POST},
}
NETWORKS = {"telegram": "Telegram", "instagram": "Instagram", "x": "X"}


@router.get("/sources/destinations")
async def show_destinations(desk: Asking, cursor: str = "") -> Response:
    """List the destinations."""
    return await _shown(desk, cursor)


@router.post("/sources/destinations")
async def add_destination(desk: Asking) -> Response:
    """Add a destination."""
    form = await desk.form()
    network, address = form.get("network", ""), form.get("address", "").strip()
    try:
        values = _values(form) | {"address": address if ":" in address else f"{network}:{address}"}
        await desk.act(create_destination, given=desk.given(NewDestination, **values))
    except Problem as problem:
        return await _shown(desk, typed=form, wrong=problem.errors[0]["detail"] if problem.errors else str(problem))
    return desk.redirect("/sources/destinations")


@router.post("/sources/destinations/change")
async def save_destination(desk: Asking) -> Response:
    """Change a destination."""
    form = await desk.form()
    change = desk.given(DestinationChange, **_values(form))
    await desk.act(change_destination, address=form.get("address", ""), change=change)
    return desk.redirect("/sources/destinations")


@router.post("/sources/destinations/delete")
async def remove_destination(desk: Asking) -> Response:
    """Remove a destination."""
    await desk.act(delete_destination, address=(await desk.form()).get("address", ""))
    return desk.redirect("/sources/destinations")


async def _shown(desk: Desk, cursor: str = "", typed: dict[str, str] | None = None, wrong: str = "") -> Response:
    page = await desk.read(list_destinations, cursor=cursor)
    routes = (await desk.read(list_routes, limit=200)).items
    used = {each.address: [route for route in routes if each.address in route.targets] for each in page.items}
    return desk.page(
        "destinations.html",
        status=422 if wrong else 200,
        destinations=page.items,
        next=page.next,
        used=used,
        limits=LIMITS,
        networks=NETWORKS,
        typed=typed or {},
        wrong=wrong,
    )


def _values(form: dict[str, str]) -> dict[str, Any]:
    return {
        "title": form.get("title", "").strip(),
        "posts_per_hour": form.get("posts_per_hour", "").strip() or None,
        "is_default": "is_default" in form,
    }
