"""The way of every request: token, scope, rate, body; then its endpoint; and, where it writes, its one commit.

No endpoint can forget any of it: `resource` is how routers are made.
"""

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter
from fastapi.routing import APIRoute
from opentelemetry import propagate
from pydantic import BaseModel
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import Response

from api.http import etags
from api.http.authentication import authenticate
from api.http.calls import Call, System
from api.http.idempotency import Repeatable
from api.http.problems import Problem
from api.statements import statement
from common.messaging.within import EmittedWithin
from common.postgres import Connection, Within
from common.tokens import Scope, Token

Handle = Callable[[Request], Coroutine[Any, Any, Response]]

SAFE = ("GET", "HEAD")
LARGEST_BODY_BYTES = 2**20
LARGEST_DRAINED_BYTES = 2**25  # of a body that is too large: a caller that still sends would not read the answer
ANSWER_SECONDS = 30.0
SECRETS = ("secret", "ticket")  # fields that the audit log leaves out


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

    async def identify(self, request: HTTPConnection, system: System, scope: Scope) -> Token:
        """Return the caller's token. Raises a problem."""
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
                token = await self.identify(request, system, self.scope_of(request.method))
                request.state.token = token.name
                system.rate.take(token.id)
                _check_parameters(request, parameters)
                body = await _body(request)
                if request.method in SAFE:
                    return await _read(system, request, token, handle)
                return await self._write(system, request, token, handle, body)

        return answer

    async def _write(self, system: System, request: Request, token: Token, handle: Handle, body: bytes) -> Response:
        """Run the endpoint in one transaction with its record, its answer and its events."""
        repeatable = Repeatable.of(request, token.id, body)
        trace = propagate.extract(request.headers)
        with system.tracer.start_as_current_span(f"{request.method} {self.path}", context=trace):
            async with system.database.transaction() as connection:
                if repeatable and (replayed := await repeatable.begin(connection)):
                    return replayed
                rails = EmittedWithin(system.rails, connection)
                call = Call(system, request, token, Within(connection), rails)
                request.state.call = call
                response = await handle(request)
                response.headers.update(call.headers)
                if call.recorded:
                    await self._record(connection, call, response)
                if repeatable:
                    await repeatable.keep(connection, response)
            await rails.publish_all()
            if self.announced and call.recorded:
                await self._announce(system, call, response)
            if call.afterwards and (later := await call.afterwards()):
                later.headers.update(call.headers)
                if repeatable:
                    async with system.database.transaction() as connection:
                        await repeatable.keep(connection, later)
                return later
        return response

    async def _announce(self, system: System, call: Call, response: Response) -> None:
        """Tell those who watch what was done; they read for themselves what is different now."""
        post_id = call.request.path_params.get("post_id")
        if post_id is None and response.body:
            answered = json.loads(bytes(response.body))
            post_id = answered.get("post_id") if isinstance(answered, dict) else None
        await system.live.tell(
            f"change.{self.name}", post_id=post_id, scope=self.scope_of("GET"), path=call.path, by=call.actor
        )

    async def _record(self, connection: Connection, call: Call, response: Response) -> None:
        await connection.execute(
            statement("http", "record"),
            call.actor,
            self.name,
            call.path,
            _recorded(call.before.model_dump(mode="json")) if isinstance(call.before, BaseModel) else None,
            _recorded(json.loads(bytes(response.body))) if response.body else None,
            call.request.state.request_id,
        )


async def _read(system: System, request: Request, token: Token, handle: Handle) -> Response:
    call = Call(system, request, token, system.database, system.rails)
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


def _recorded(value: Any) -> Any:
    """Return what the audit log keeps of an object: not its secrets."""
    return {key: each for key, each in value.items() if key not in SECRETS} if isinstance(value, dict) else value
