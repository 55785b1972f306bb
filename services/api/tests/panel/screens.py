"""Every address of the panel that is read, and where it is to be seen. A new one is listed here: a test says so."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from fastapi.routing import APIRoute

from api.panel.screens import screens
from common.testing.newsroom import Newsroom

from .people import Role


@dataclass(frozen=True)
class Screen:
    """What is answered at an address, to whoever has `role`; without one, to who is not signed in.

    A `page` of its own, a `part` that a page loads, a `file`, or what leads `elsewhere`.
    """

    address: str | Callable[[Newsroom], object]
    role: Role | None = "viewer"
    kind: Literal["page", "part", "file", "elsewhere"] = "page"
    views: tuple[str, ...] = ("",)  # queries of its ways to be seen

    def at(self, path: str, newsroom: Newsroom) -> str:
        """Return the address; a callable gives what stands in the place of the first braces, or a whole address."""
        if isinstance(self.address, str):
            return self.address
        value = self.address(newsroom)
        if isinstance(value, str) and value.startswith("/"):
            return value
        return f"{path.partition('{')[0]}{value}{path.partition('}')[2]}"


SCREENS: dict[str, Screen] = {
    "/": Screen("/"),
    "/ai": Screen("/ai"),
    "/ai/new": Screen("/ai/new", "editor"),
    "/ai/{profile_id}": Screen(lambda room: f"/ai/{room.profiles['city']}", views=("",)),
    "/ai/{profile_id}/posts": Screen(lambda room: f"/ai/{room.profiles['city']}/posts?q=трамвай", kind="part"),
    "/ai/{profile_id}/trials/{trial_id}": Screen(
        lambda room: f"/ai/{room.profiles['city']}/trials/{room.trials[0]}", kind="part"
    ),
    "/ai/{profile_id}/versions": Screen(lambda room: room.profiles["city"]),
    "/alerts": Screen("/alerts", views=("", "?status=resolved")),
    "/broadcasts": Screen("/broadcasts"),
    "/broadcasts/chats": Screen("/broadcasts/chats"),
    "/broadcasts/new": Screen("/broadcasts/new", "editor"),
    "/broadcasts/{broadcast_id}": Screen(lambda room: room.broadcasts[0]),
    "/calendar": Screen("/calendar", views=("", "?view=week", "?view=day", "?view=list")),
    "/calendar/new": Screen("/calendar/new", "editor"),
    "/calendar/posts/{scheduled_id}": Screen(lambda room: room.scheduled[0]),
    "/calendar/when": Screen("/calendar/when?day=2026-03-29&time=02:30", kind="part"),
    "/chats": Screen("/chats", kind="elsewhere"),
    "/dead": Screen("/dead"),
    "/dead/{number}": Screen(lambda room: room.letters[0]),
    "/images": Screen("/images"),
    "/images/{digest}": Screen(lambda room: room.images[1]),
    "/images/{digest}/content": Screen(lambda room: room.images[1], kind="file"),
    "/images/{digest}/small": Screen(lambda room: room.images[1], kind="file"),
    "/inbox": Screen("/inbox"),
    "/inbox/media/{digest}": Screen(lambda room: room.images[0], kind="file"),
    "/inbox/news": Screen("/inbox/news", kind="part"),
    "/inbox/{post_id}": Screen(lambda room: room.posts["awaiting"][2]),
    "/inbox/{post_id}/row": Screen(lambda room: room.posts["awaiting"][0], kind="part"),
    "/jobs": Screen("/jobs"),
    "/jobs/{consumer}/{event_id:path}": Screen(lambda room: f"/jobs/{room.jobs[0]}"),
    "/logs": Screen("/logs", views=("", "?search=1&level=warning")),
    "/logs/download": Screen("/logs/download", kind="file"),
    "/logs/tail": Screen("/logs/tail?after=0", kind="part"),
    "/operations": Screen("/operations"),
    "/operations/new": Screen("/operations/new?kind=dead_letters.replay&all=1", "editor"),
    "/operations/{operation_id}": Screen(lambda room: room.operations[1]),
    "/posts": Screen("/posts", views=("", "?state=published&q=трамвай")),
    "/posts/states": Screen("/posts/states", kind="part"),
    "/posts/{post_id}": Screen(lambda room: room.posts["published"][0], views=("", "?every=1&changes=0")),
    "/posts/{post_id}/raw": Screen(lambda room: f"/posts/{room.posts['published'][0]}/raw"),
    "/queues": Screen("/queues"),
    "/queues/{queue}": Screen("/queues/rewrite_queue"),
    "/rules": Screen("/rules"),
    "/rules/new": Screen("/rules/new", "editor"),
    "/rules/{rule_id}": Screen(lambda room: room.rules["Доброе утро"]),
    "/rules/{rule_id}/edit": Screen(lambda room: room.rules["Доброе утро"], "editor"),
    "/set-up": Screen("/set-up", None, "elsewhere"),
    "/set-up/connections": Screen("/set-up/connections", None, "elsewhere"),
    "/settings": Screen("/settings"),
    "/settings/audit": Screen("/settings/audit", "admin", views=("", "?actor=user:pavel")),
    "/settings/budgets": Screen("/settings/budgets"),
    "/settings/budgets/new": Screen("/settings/budgets/new", "admin"),
    "/settings/budgets/{budget_id}": Screen(lambda room: room.budgets[0], "admin"),
    "/settings/new-user": Screen("/settings/new-user", "admin"),
    "/settings/notifications": Screen("/settings/notifications", "admin"),
    "/settings/system": Screen("/settings/system", "admin"),
    "/settings/tokens": Screen("/settings/tokens", "admin"),
    "/settings/users": Screen("/settings/users", "admin"),
    "/settings/users/{login}": Screen("/settings/users/anna", "admin"),
    "/settings/webhooks/{webhook_id}": Screen(lambda room: room.webhooks[0], "admin"),
    "/sign-in": Screen("/sign-in", None),
    "/sources": Screen("/sources"),
    "/sources/add": Screen("/sources/add", "editor"),
    "/sources/checks/{check_id}": Screen(lambda room: room.checks[0]),
    "/sources/destinations": Screen("/sources/destinations"),
    "/sources/routes": Screen("/sources/routes"),
    "/sources/routes/new": Screen("/sources/routes/new", "editor"),
    "/sources/routes/{route_id}": Screen(lambda room: room.routes["city"]),
    "/sources/{source_id}": Screen(lambda room: room.sources["sales"]),
}
STREAMS = {"/live"}  # these never end


@cache
def routes() -> set[str]:
    """Return the paths of all routes that are read."""
    found: list[Any] = [route for router in screens() for route in router.routes]
    return {route.path for route in found if isinstance(route, APIRoute) and "GET" in route.methods}


def listed(*kinds: str) -> dict[str, Screen]:
    """Return what the panel has now of the screens of some kinds; all without any."""
    return {
        path: screen for path, screen in SCREENS.items() if path in routes() and (not kinds or screen.kind in kinds)
    }


def pages(newsroom: Newsroom) -> list[tuple[str, Role | None]]:
    """Return the addresses of all pages, in order, and who may see them."""
    return [
        (f"{screen.at(path, newsroom)}{view}", screen.role)
        for path, screen in listed("page").items()
        for view in screen.views
    ]
