"""The way of every request: token, scope, rate, body; then its endpoint; and, where it writes, its one commit.

No endpoint can forget any of it: `resource` is how routers are made.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter
from fastapi.routing import APIRoute
from opentelemetry import propagate
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import Response

from api.http import etags
from api.http.authentication import authenticate
from api.http.callers import Caller
from api.http.calls import Call, System
from api.http.idempotency import Repeatable
from api.http.problems import Problem
from api.http.writing import Operation, writing
from common.tokens import Scope

Handle = Callable[[Request], Coroutine[Any, Any, Response]]

SAFE = ("GET", "HEAD")
LARGEST_BODY_BYTES = 2**20
LARGEST_DRAINED_BYTES = 2**25  # of a body that is too large: a caller that still sends would not read the answer
ANSWER_SECONDS = 30.0


def resource(
    noun: str, *, read: Scope = "read", write: Scope = "write", route: "type[CallRoute] | None" = None
) -> APIRouter:
    """Return the router of a resource, with the scopes that reading and writing need."""
    kind: type[CallRoute] = route or CallRoute

    class Route(kind):  # type: ignore[misc,valid-type] # the kind is a parameter
        scopes = (read, write)

    return APIRouter(prefix=f"/{noun}", tags=[noun], route_class=Route)


class CallRoute(APIRoute):
    """A route of the API."""

    scopes: tuple[Scope, Scope] = ("admin", "admin")
    announced: bool = True  # whether what is written is a live event

    async def identify(self, request: HTTPConnection, system: System, scope: Scope) -> Caller:
        """Return the caller. Raises a problem."""
        return await authenticate(request, system.tokens, scope)

    def scope_of(self, method: str) -> Scope:
        """Return the scope that a method needs here."""
        return self.scopes[method not in SAFE]

    def get_route_handler(self) -> Handle:
        """Wrap the endpoint."""
        handle = super().get_route_handler()
        parameters = {parameter.alias for parameter in self.dependant.query_params}
        parameters |= {each.alias for part in self.dependant.dependencies for each in part.query_params}

        async def answer(request: Request) -> Response:
            system: System = request.app.state.system
            async with asyncio.timeout(ANSWER_SECONDS):
                caller = await self.identify(request, system, self.scope_of(request.method))
                request.state.actor = caller.actor
                system.rate.take(caller.id)
                _check_parameters(request, parameters)
                body = await _body(request)
                if request.method in SAFE:
                    return await _read(system, request, caller, handle)
                return await self._write(system, request, caller, handle, body)

        return answer

    async def _write(self, system: System, request: Request, caller: Caller, handle: Handle, body: bytes) -> Response:
        """Run the endpoint in one transaction with its record, its answer and its events."""
        repeatable = Repeatable.of(request, caller.id, body)
        operation = Operation(self.name, self.scope_of("GET"), self.announced)
        trace = propagate.extract(request.headers)
        if_match = request.headers.get("if-match")
        with system.tracer.start_as_current_span(f"{request.method} {self.path}", context=trace):
            async with writing(system, request, caller, operation, if_match=if_match) as write:
                if repeatable and (replayed := await repeatable.begin(write.connection)):
                    return replayed
                request.state.call = write.call
                response = await handle(request)
                response.headers.update(write.call.headers)
                await write.record(bytes(response.body))
                if repeatable:
                    await repeatable.keep(write.connection, response)
            if later := await write.follow(request.path_params):
                later.headers.update(write.call.headers)
                if repeatable:
                    async with system.database.transaction() as connection:
                        await repeatable.keep(connection, later)
                return later
        return response


async def _read(system: System, request: Request, caller: Caller, handle: Handle) -> Response:
    call = Call(system, request, caller, system.database, system.rails)
    request.state.call = call
    response = await handle(request)
    response.headers.update(call.headers)
    etag = response.headers.get("etag")
    if etag and etags.unchanged(request.headers.get("if-none-match"), etag):
        return Response(status_code=304, headers={"ETag": etag})
    return response


async def _body(request: Request) -> bytes:
    """Read the body, within its limit, for the endpoint to find it there."""
    chunks, size = [], 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size <= LARGEST_BODY_BYTES:
                chunks.append(chunk)
            elif size > LARGEST_DRAINED_BYTES:
                break
    except ClientDisconnect:
        raise Problem("malformed", "the body ended before its end") from None
    if size > LARGEST_BODY_BYTES:
        detail = f"a body may have {LARGEST_BODY_BYTES} bytes"
        raise Problem("too-large", detail, headers={"Connection": "close"})
    request._body = b"".join(chunks)  # where Starlette itself keeps it
    return request._body


def _check_parameters(request: Request, known: set[str]) -> None:
    errors = [
        {"in": "query", "parameter": name, "detail": "there is no such parameter"}
        for name in request.query_params
        if name not in known
    ]
    errors += [
        {"in": "query", "parameter": name, "detail": "it holds NUL, which can't be stored"}
        for name, value in request.query_params.multi_items()
        if "\x00" in value and name in known
    ]
    if errors:
        raise Problem("invalid", "a parameter is not valid", errors=errors)
    if "\x00" in request.url.path or "%00" in request.url.path:
        raise Problem("not-found", "there is no such path")
