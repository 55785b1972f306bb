"""The HTTP application of the panel, and what stands before it and the API."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from fastapi import APIRouter, FastAPI
from starlette.datastructures import MutableHeaders
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.middleware import AroundRequests
from api.http.problems import EXPECTED, problem_of
from api.panel.pages import static_version
from api.panel.routes import Panel, refused

STATIC = Path(__file__).parent / "static"
OF_THE_API = ("/api/", "/health/", "/media/")
FOREVER = "public, max-age=31536000, immutable"
HEADERS: Mapping[str, str] = {
    # Nothing but our own files; no script or style within a page, https://www.w3.org/TR/CSP3/
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


def make_panel(panel: Panel, screens: Iterable[APIRouter]) -> FastAPI:
    """Join the screens."""
    app = FastAPI(title="Postroom's panel", openapi_url=None, docs_url=None, redoc_url=None)
    app.state.panel = panel
    for router in screens:
        app.include_router(router)
    app.mount("/static/{version}", StaticFiles(directory=STATIC), name="static")

    async def answer(request: Request, error: Exception) -> Response:
        return refused(request, panel, await panel.identify(request), problem_of(error))

    for expected in EXPECTED:
        app.add_exception_handler(expected, answer)
    app.add_middleware(GZipMiddleware, minimum_size=1024)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(AroundRequests)
    return app


class SecurityHeaders:
    """ASGI middleware: what a browser may do with our pages."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Carry one request through."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                if scope["path"].startswith("/static/") and message["status"] == 200:
                    current = scope["path"].startswith(f"/static/{static_version()}/")
                    headers["Cache-Control"] = FOREVER if current else "no-cache"
            await send(message)

        await self._app(scope, receive, send_with_headers)


class Front:
    """ASGI application: the API where a path is its own, else the panel."""

    def __init__(self, api: ASGIApp, panel: ASGIApp) -> None:
        self._api = api
        self._panel = panel

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand one request on."""
        ours = scope["type"] == "http" and not f"{scope['path']}/".startswith(OF_THE_API)
        await (self._panel if ours else self._api)(scope, receive, send)
