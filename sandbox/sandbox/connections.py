"""Serving HTTP on a socket of our own, with connections that a fault can cut."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from socket import socket
from typing import Any

import uvicorn
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol


class CuttableConnection(H11Protocol):
    """An HTTP connection that puts its own transport into the scope, as `extensions["sandbox.transport"]`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        inner: ASGIApp = self.app

        async def with_transport(scope: Scope, receive: Receive, send: Send) -> None:
            scope.setdefault("extensions", {})["sandbox.transport"] = self.transport
            await inner(scope, receive, send)

        self.app = with_transport


async def cut(request: Request) -> None:
    """Close the connection of this request without an answer, and return when it is closed."""
    request.scope["extensions"]["sandbox.transport"].close()
    await gone(request)


async def gone(request: Request) -> None:
    """Return when the client has left."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


class HttpServer(uvicorn.Server):
    """A uvicorn server inside a larger program: it leaves signals alone and tells when it listens."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=CuttableConnection,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_keep_alive=75,
                # Requests that a fault left hanging end with the server, not some minutes later.
                timeout_graceful_shutdown=1,
            )
        )
        self._listening = asyncio.Event()
        self._serving: asyncio.Task[None] | None = None

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the program that this server is a part of."""
        yield

    async def startup(self, sockets: list[socket] | None = None) -> None:
        """Start to accept, and say so."""
        await super().startup(sockets)
        self._listening.set()

    async def start(self, listener: socket) -> None:
        """Serve on a bound socket; return when connections are accepted."""
        self._serving = asyncio.create_task(self.serve([listener]))
        listening = asyncio.create_task(self._listening.wait())
        await asyncio.wait((self._serving, listening), return_when=asyncio.FIRST_COMPLETED)
        if not self._listening.is_set():
            listening.cancel()
            await self._serving

    async def stop(self) -> None:
        """Finish the requests at hand, and stop."""
        self.should_exit = True
        if self._serving is not None:
            await self._serving
