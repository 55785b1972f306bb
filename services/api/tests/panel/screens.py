"""Every address of the panel that is read, and where it is to be seen. A new one is listed here: a test says so."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastapi.routing import APIRoute

from api.panel.screens import screens
from common.testing.newsroom import Newsroom

from .people import Role


@dataclass(frozen=True)
class Screen:
    """A page; or a `part` that only another page loads. Whoever has `role` may see it."""

    address: str | Callable[[Newsroom], object]
    role: Role | None = "viewer"
    part: bool = False
    views: tuple[str, ...] = ("",)  # queries of its ways to be seen

    def at(self, path: str, newsroom: Newsroom) -> str:
        """Return the address; a callable gives the values of what is in braces, or a whole address."""
        if isinstance(self.address, str):
            return self.address
        value = self.address(newsroom)
        if isinstance(value, str) and value.startswith("/"):
            return value
        return f"{path.partition('{')[0]}{value}{path.partition('}')[2]}"


SCREENS: dict[str, Screen] = {
    "/": Screen("/"),
    "/calendar": Screen("/calendar", views=("", "?view=week", "?view=day", "?view=list")),
    "/calendar/posts/{scheduled_id}": Screen(lambda newsroom: newsroom.scheduled[0]),
    "/calendar/when": Screen("/calendar/when?day=2026-03-29&time=02:30", part=True),
}
STREAMS = {"/live"}  # these never end


def routes() -> set[str]:
    """Return the paths of all routes that are read."""
    found: list[Any] = [route for router in screens() for route in router.routes]
    return {route.path for route in found if isinstance(route, APIRoute) and "GET" in route.methods}


def pages(newsroom: Newsroom) -> list[tuple[str, Role | None]]:
    """Return the addresses of all pages, in order, and who may see them."""
    return [
        (f"{screen.at(path, newsroom)}{view}", screen.role)
        for path, screen in SCREENS.items()
        if not screen.part
        for view in screen.views
    ]
