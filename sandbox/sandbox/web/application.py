"""The sandbox's one HTTP application."""

import logging
from collections.abc import Iterable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from sandbox.problems import Problem, answer_problem


def make_application(parts: Iterable[list[BaseRoute]]) -> Starlette:
    """Join the routes of all parts; what goes wrong in them is answered as a problem document."""
    return Starlette(
        routes=[route for part in parts for route in part],
        exception_handlers={Problem: answer_problem, HTTPException: answer_problem, Exception: _answer_defect},
    )


async def _answer_defect(request: Request, error: Exception) -> Response:
    logging.getLogger(__name__).error("%s %s failed", request.method, request.url.path, exc_info=error)
    return Problem(500, f"The sandbox itself failed: {type(error).__name__}").response(request.url.path)
