"""Live events: what happens, while it happens. The same path is a WebSocket."""

from typing import Annotated
from uuid import UUID

from fastapi import Header, Query
from pydantic import ValidationError
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.websockets import WebSocket

from api.http.authentication import REALM, authenticate
from api.http.callers import Caller
from api.http.calls import Calling, System
from api.http.problems import EXPECTED, Problem
from api.http.routes import CallRoute, resource
from api.http.values import INT8, Answer, Utc
from api.live.socket import converse, deny
from api.live.sse import EventStream
from api.live.tickets import Tickets
from api.live.wanted import Wanted
from common.tokens import Scope, TokenRefused

PARAMETERS = {"types", "post_id", "after", "ticket"}


class EventsRoute(CallRoute):
    """A route that also takes a ticket in place of a token, and whose writes are no event themselves."""

    announced = False

    async def identify(self, connection: HTTPConnection, system: System, scope: Scope) -> Caller:
        """Return the caller. Raises a problem."""
        return await _identify(connection, system, scope)


router = resource("events", write="read", route=EventsRoute)


class Ticket(Answer):
    """What opens one connection for events, in place of a token."""

    ticket: str
    expires_at: Utc


@router.get(
    "",
    status_code=200,
    response_class=EventStream,
    responses={200: {"description": "Server-sent events, without an end", "content": {EventStream.media_type: {}}}},
)
async def follow_events(
    call: Calling,
    types: Annotated[str | None, Query(max_length=2000, description="prefixes, such as post.,publish.result")] = None,
    post_id: UUID | None = None,
    after: Annotated[int | None, Query(ge=0, le=INT8, description="an id: what came after it is told first")] = None,
    last_event_id: Annotated[str | None, Header(alias="Last-Event-ID", description="counts more than after")] = None,
    ticket: Annotated[str | None, Query(max_length=100, description="in place of a token")] = None,  # noqa: ARG001
) -> Response:
    """Tell what happens, as server-sent events, or over a WebSocket where the connection is upgraded to one."""
    wanted = _wanted({"types": types, "post_id": post_id, "after": last_event_id or after})
    return EventStream(call.system.hub, call.system.hub.join(call.caller, wanted))


@router.post("/tickets", status_code=201)
async def create_ticket(call: Calling) -> Ticket:
    """Make a ticket, good once and for 30 seconds: a browser can't send a token with these connections."""
    ticket, expires_at = await Tickets(call.database).issue(call.caller.id)
    return Ticket(ticket=ticket, expires_at=expires_at)


@router.websocket("")
async def converse_about_events(socket: WebSocket) -> None:
    """Tell what happens, over a WebSocket."""
    system: System = socket.app.state.system
    try:
        caller = await _identify(socket, system, "read")
        system.rate.take(caller.id)
        if unknown := set(socket.query_params) - PARAMETERS:
            raise Problem("invalid", f"there is no parameter {unknown.pop()}")
        listener = system.hub.join(caller, _wanted(dict(socket.query_params)))
    except EXPECTED as error:
        await deny(socket, error)
    else:
        await converse(socket, system, listener)


async def _identify(connection: HTTPConnection, system: System, scope: Scope) -> Caller:
    ticket = connection.query_params.get("ticket")
    if ticket is None or connection.scope.get("method") == "POST":
        return await authenticate(connection, system.tokens, scope)
    try:
        return Caller.of_token(await Tickets(system.database).redeem(ticket))
    except TokenRefused as error:
        raise Problem("unauthorized", str(error), headers={"WWW-Authenticate": REALM}) from None


def _wanted(given: dict[str, object]) -> Wanted:
    """Return what the parameters ask for. Raises a problem where they make no sense."""
    types = [kind for kind in str(given.get("types") or "").split(",") if kind]
    fields = {name: given[name] for name in ("after", "post_id") if given.get(name) is not None}
    try:
        return Wanted.model_validate({"types": types, **fields})
    except ValidationError as error:
        first = error.errors()[0]
        detail = f"{first['loc'][0]}: {first['msg']}"
        raise Problem(
            "invalid", detail, errors=[{"in": "query", "parameter": str(first["loc"][0]), "detail": first["msg"]}]
        ) from None
