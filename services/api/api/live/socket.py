"""The same events over a WebSocket: a JSON frame for each."""

import asyncio
from contextlib import aclosing
from uuid import uuid4

from pydantic import ValidationError
from starlette.exceptions import WebSocketException
from starlette.websockets import WebSocket, WebSocketDisconnect

from api.http.calls import System
from api.http.problems import Problem, problem_of
from api.live.hub import Hub
from api.live.listener import Listener
from api.live.wanted import Wanted

NOT_UNDERSTOOD, REFUSED = 1007, 1008  # https://www.rfc-editor.org/rfc/rfc6455#section-7.4.1
REASON_BYTES = 120  # a close frame holds 123


async def converse(socket: WebSocket, system: System, listener: Listener) -> None:
    """Accept a client and tell it events until it goes, or is dropped. A frame of the client's begins anew."""
    await socket.accept()
    hub = system.hub
    hearing = asyncio.create_task(_hear(socket, system, listener))
    try:
        while True:
            telling = asyncio.create_task(_tell(socket, hub, listener))
            await asyncio.wait({telling, hearing}, return_when=asyncio.FIRST_COMPLETED)
            if not hearing.done():
                break
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)
            listener.restart(hearing.result())
            hearing = asyncio.create_task(_hear(socket, system, listener))
        await telling
        if listener.ending:
            await socket.close(listener.ending.code, _fitting(listener.ending.reason))
    except WebSocketDisconnect:
        pass
    except WebSocketException as refusal:
        await socket.close(refusal.code, _fitting(refusal.reason))
    finally:
        hearing.cancel()
        telling.cancel()
        await asyncio.gather(hearing, telling, return_exceptions=True)
        hub.leave(listener)


async def deny(socket: WebSocket, error: Exception) -> None:
    """Refuse to open a connection, with a problem."""
    problem = problem_of(error)
    await socket.send_denial_response(problem.response(socket.scope["path"], uuid4().hex))


async def _tell(socket: WebSocket, hub: Hub, listener: Listener) -> None:
    async with aclosing(hub.follow(listener)) as pages:
        async for page in pages:
            for event in page:
                await socket.send_text(event.text)


async def _hear(socket: WebSocket, system: System, listener: Listener) -> Wanted:
    """Return what the client asks for next. Raises WebSocketDisconnect; WebSocketException where it makes no sense."""
    message = await socket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message["code"])
    try:
        system.rate.take(listener.caller.id)
        return Wanted.model_validate_json(message.get("text") or b"")
    except Problem as problem:
        raise WebSocketException(REFUSED, str(problem)) from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise WebSocketException(NOT_UNDERSTOOD, f"{where}: {first['msg']}".removeprefix(": ")) from None


def _fitting(reason: str) -> str:
    return reason.encode()[:REASON_BYTES].decode(errors="ignore")
