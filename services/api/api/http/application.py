"""The HTTP application."""

from collections.abc import Iterable
from importlib.metadata import version

from fastapi import APIRouter, FastAPI
from fastapi.responses import JSONResponse
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from api.http import problems
from api.http.calls import System
from api.http.middleware import AroundRequests
from api.http.schema import described

PREFIX = "/api/v1"


def make_application(routers: Iterable[APIRouter], system: System | None = None) -> FastAPI:
    """Join the routers. Without a `system` it can only describe itself."""
    app = FastAPI(
        title="Postroom",
        version=version("postroom-api"),
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.system = system
    for router in routers:
        app.include_router(router, prefix=PREFIX)
    app.state.document = described(app)

    async def serve_document(_request: Request) -> Response:
        return JSONResponse(app.state.document)

    app.add_route(f"{PREFIX}/openapi.json", serve_document, include_in_schema=False)
    for expected in problems.EXPECTED:
        app.add_exception_handler(expected, problems.answer)
    app.add_exception_handler(405, _answer_wrong_method)
    app.add_middleware(AroundRequests)
    return app


async def _answer_wrong_method(request: Request, error: Exception) -> Response:
    """Answer with all methods of the path: the framework knows only those of its first route."""
    allowed: set[str] = set()
    for context in iter_route_contexts(request.app.routes):
        pattern = getattr(context, "path_regex", None)
        if pattern and pattern.match(request.url.path):
            allowed |= context.methods or set()
    if "GET" in allowed:
        allowed.add("HEAD")
    detail = f"{request.method} can't be done here"
    problem = problems.Problem("method-not-allowed", detail, headers={"Allow": ", ".join(sorted(allowed))})
    assert isinstance(error, HTTPException)
    return problem.response(request.scope["path"], request.state.request_id)
