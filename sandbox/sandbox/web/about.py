"""What services and supervisors ask: where Telegram is and who is in it, what the model was asked, and health."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.model.journal import Journal
from sandbox.problems import Problem, whole_number
from sandbox.telegram.world import World


@dataclass(frozen=True)
class AboutApi:
    """`telegram` describes the server as it runs, and `is_ready` says whether everything listens."""

    world: World
    journal: Journal
    telegram: Callable[[], dict[str, Any]]
    is_ready: Callable[[], bool]

    def routes(self) -> list[BaseRoute]:
        """Return the routes."""
        return [
            Route("/api/telegram", self._telegram),
            Route("/api/telegram/accounts/{id}/revoke", self._revoke, methods=["POST"]),
            Route("/api/model/requests", self._requests),
            Route("/health/live", self._live),
            Route("/health/ready", self._ready),
        ]

    async def _telegram(self, _: Request) -> Response:
        return JSONResponse(self.telegram())

    async def _revoke(self, request: Request) -> Response:
        given: str = request.path_params["id"]
        user = self.world.find_user(int(given) if given.isdecimal() else given)
        if user is None:
            raise Problem(404, f"There is no account '{given}'.")
        return JSONResponse({"revoked_sessions": self.world.revoke_sessions(user)})

    async def _requests(self, request: Request) -> Response:
        limit = whole_number(request, "limit", 50, 1, 1000)
        newest = [asdict(served) for served in islice(self.journal, limit)]
        return JSONResponse({"total": self.journal.total, "requests": newest})

    async def _live(self, _: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def _ready(self, _: Request) -> Response:
        ready = self.is_ready()
        return JSONResponse({"status": "ok" if ready else "starting"}, 200 if ready else 503)
