"""`/api/faults`: trouble on demand."""

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox import calls
from sandbox.faults import Fault, Faults
from sandbox.instagram import routes as instagram
from sandbox.model.images import KINDS as IMAGE_KINDS
from sandbox.model.routes import KINDS as TEXT_KINDS
from sandbox.problems import Problem, read_body
from sandbox.telegram.troubles import Troubles
from sandbox.x import routes as x


@dataclass(frozen=True)
class FaultsApi:
    """The faults that are still to happen; the body of a new one is `sandbox.faults.Fault`."""

    faults: Faults

    def routes(self) -> list[BaseRoute]:
        """Return the routes below `/api/faults`."""
        return [
            Route("/api/faults", self._list),
            Route("/api/faults", self._add, methods=["POST"]),
            Route("/api/faults", self._clear, methods=["DELETE"]),
            Route("/api/faults/{number:int}", self._clear, methods=["DELETE"]),
        ]

    async def _list(self, _: Request) -> Response:
        return JSONResponse([_described(number, fault) for number, fault in self.faults])

    async def _add(self, request: Request) -> Response:
        fault = await read_body(request, Fault)
        part, _, _ = fault.where.partition(":")
        known = known_kinds()
        if part not in known:
            places = "'model', 'images', 'feed:<name>', 'telegram:<method>', 'instagram[:<operation>]' or 'x[:<path>]'"
            raise _unknown("where", f"must be {places}, not '{fault.where}'")
        if fault.kind not in known[part]:
            raise _unknown("kind", f"'{part}' knows {', '.join(known[part])}, not '{fault.kind}'")
        return JSONResponse(_described(self.faults.add(fault), fault), 201)

    async def _clear(self, request: Request) -> Response:
        self.faults.clear(request.path_params.get("number"))
        return Response(status_code=204)


def known_kinds() -> dict[str, tuple[str, ...]]:
    """Return the kinds of fault that each part of the sandbox knows."""
    return {
        "model": (*TEXT_KINDS, *(kind for kind in IMAGE_KINDS if kind not in TEXT_KINDS)),
        "images": IMAGE_KINDS,
        "feed": ("server_error", "delay", "broken", "drop"),
        "instagram": (*calls.KINDS, *instagram.KINDS),
        "x": (*calls.KINDS, *x.KINDS),
        "telegram": ("rpc_error", "flood_wait", "slow_mode", *Troubles.LATER_KINDS),
    }


def _unknown(field: str, detail: str) -> Problem:
    return Problem(422, f"{field}: {detail}", [{"pointer": f"#/{field}", "field": field, "detail": detail}])


def _described(number: int, fault: Fault) -> dict[str, Any]:
    return {"id": number, **fault.model_dump()}
