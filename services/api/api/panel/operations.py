"""The API's operations, as the panel calls them: the same functions, without the way over HTTP."""

import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, get_type_hints
from urllib.parse import quote

from fastapi import APIRouter

from api.http.calls import Call
from api.http.paging import Paging
from api.http.routes import CallRoute
from api.http.writing import Operation
from common.tokens import Scope

PREFIX = "/api/v1"
Endpoint: TypeAlias = Callable[..., Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of an endpoint."""

    route: CallRoute
    call: str | None  # the names of the parameters that are supplied
    page: str | None

    @property
    def scope(self) -> Scope:
        """The scope that it needs."""
        return self.route.scope_of(next(iter(self.route.methods or {"GET"})))

    @property
    def operation(self) -> Operation:
        """Its name, and who hears of it."""
        return Operation(self.route.name, self.route.scope_of("GET"), self.route.announced)

    def path(self, arguments: Mapping[str, Any]) -> str:
        """Return the path that these arguments have in the API, as its records name it."""
        given = {name: quote(str(value), safe="") for name, value in arguments.items()}
        return PREFIX + self.route.path_format.format(**given)


class Operations:
    """Finds what the routers know of an endpoint."""

    def __init__(self, routers: Iterable[APIRouter]) -> None:
        self._known: dict[Endpoint, Known] = {}
        for router in routers:
            for route in router.routes:
                if isinstance(route, CallRoute):
                    self._known[route.endpoint] = _known(route)

    def names(self) -> list[str]:
        """Return the names of what writes, as the audit log has them."""
        return sorted({known.route.name for known in self._known.values() if known.route.methods != {"GET"}})

    def __getitem__(self, endpoint: Endpoint) -> Known:
        """Return what is known of an endpoint. Raises KeyError where it is none of the API's."""
        return self._known[endpoint]


def _known(route: CallRoute) -> Known:
    hints = get_type_hints(route.endpoint)
    supplied = {
        kind: next((name for name in inspect.signature(route.endpoint).parameters if hints.get(name) is kind), None)
        for kind in (Call, Paging)
    }
    return Known(route, supplied[Call], supplied[Paging])
