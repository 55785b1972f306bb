"""The way of every request of the panel: same origin, who it is, then its screen. No screen can forget any of it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from api.http.calls import System
from api.http.problems import EXPECTED, Problem, problem_of
from api.panel.desk import Desk
from api.panel.live import Live
from api.panel.operations import Operations
from api.panel.pages import Pages, Toast, here, url
from api.panel.viewer import Viewer
from api.panel.words import translations

log = logging.getLogger(__name__)

SAFE = ("GET", "HEAD")
ANSWER_SECONDS = 30.0
SIGN_IN = "/sign-in"
Handle = Callable[[Request], Coroutine[Any, Any, Response]]


@dataclass(frozen=True, slots=True)
class Panel:
    """What the panel works with; `identify` says who sends a request, which is somebody without a session at worst."""

    system: System
    operations: Operations
    pages: Pages
    live: Live
    identify: Callable[[Request], Awaitable[Viewer]]


def screen(*, signed_in: bool = True) -> APIRouter:
    """Return the router of a screen. Without `signed_in` everybody may come, such as to sign in."""
    return APIRouter(route_class=ScreenRoute if signed_in else OpenRoute, include_in_schema=False)


class ScreenRoute(APIRoute):
    """A route of the panel."""

    signed_in = True

    def get_route_handler(self) -> Handle:
        """Wrap the screen."""
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            panel: Panel = request.app.state.panel
            viewer = Viewer()
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    check_origin(request)
                    viewer = await panel.identify(request)
                    if self.signed_in and viewer.session is None:
                        return _to_sign_in(request, panel, viewer)
                    if viewer.session and "hx-request" not in request.headers:
                        panel.live.expect()
                    request.state.actor = f"user:{viewer.login}" if viewer.login else None
                    request.state.desk = Desk(request, viewer, panel.system, panel.operations, panel.pages)
                    return await handle(request)
            except EXPECTED as error:
                return refused(request, panel, viewer, problem_of(error))
            except Exception:
                log.exception("%s %s failed", request.method, request.url.path)
                return refused(request, panel, viewer, Problem("internal", "it is logged"))

        return answer


class OpenRoute(ScreenRoute):
    """A route that needs nobody to be signed in."""

    signed_in = False


def check_origin(request: Request) -> None:
    """Raise a problem where another site's page sends what writes.

    All current browsers say where a request is from, https://www.w3.org/TR/fetch-metadata/; one that does not must at
    least send the Origin that it does with every POST. Who sends neither is no browser, and has no use for a cookie.
    """
    if request.method in SAFE:
        return
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    same = site == "same-origin" if site else bool(origin) and urlsplit(origin).netloc == request.headers.get("host")
    if not same:
        raise Problem("forbidden", "the request is from another site")


def refused(request: Request, panel: Panel, viewer: Viewer, problem: Problem) -> Response:
    """Answer what went wrong: a page, or for htmx something said in passing that leaves everything where it is."""
    if "hx-request" in request.headers:
        words = translations(viewer.language)
        told = panel.pages.said(viewer, Toast(words.gettext(problem.title), words.gettext(str(problem)), bad=True))
        return Response(told, problem.status, {"HX-Reswap": "none"}, "text/html")
    page = panel.pages.answer(request, viewer, "problem.html", None, problem.status, problem=problem)
    page.headers.update(problem.headers)
    return page


def _to_sign_in(request: Request, panel: Panel, viewer: Viewer) -> Response:
    """Send somebody to the sign-in. What was typed into an open page stays there: it is told in passing."""
    if request.method in SAFE and "hx-request" not in request.headers:
        return Response(status_code=303, headers={"Location": url(SIGN_IN, next=here(request))})
    ended = Problem("unauthorized", "sign in again in another tab; nothing here is lost")
    return refused(request, panel, viewer, ended)
