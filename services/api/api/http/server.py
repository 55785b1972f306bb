"""The HTTP server, inside the service's own event loop."""

import asyncio
import socket

import uvicorn
from starlette.types import ASGIApp

from common.service.health import EmbeddedServer

STOP_SECONDS = 5  # for requests that are under way


class AddressTaken(OSError):
    """Somebody else listens where the API is to listen."""


class ApiServer:
    """Listens from the start, so that a wrong address is noticed before anything runs. Raises AddressTaken."""

    def __init__(self, app: ASGIApp, host: str, port: int) -> None:
        try:
            listening = socket.create_server((host, port), backlog=512)
        except OSError as error:
            raise AddressTaken(f"API_PORT: {host}:{port} can't be listened on: {error.strerror}") from None
        # asyncio sends at once (TCP_NODELAY) only where a socket says that it is TCP, as `create_server` does not.
        # Else each answer on a connection that is kept waits 40 ms for the acknowledgement of its headers.
        family, kind = listening.family, listening.type
        self._socket = socket.socket(family, kind, socket.IPPROTO_TCP, fileno=listening.detach())
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            timeout_graceful_shutdown=STOP_SECONDS,
        )
        self._server = EmbeddedServer(config)

    @property
    def url(self) -> str:
        """Where it listens."""
        host, port = self._socket.getsockname()[:2]
        return f"http://{host}:{port}"

    async def serve(self) -> None:
        """Serve until cancelled, then let the requests under way finish."""
        serving = asyncio.create_task(self._server.serve(sockets=[self._socket]))
        try:
            await asyncio.shield(serving)
        except asyncio.CancelledError:
            self._server.should_exit = True
            await serving
            raise
        finally:
            self._socket.close()
