"""The HTTP server, inside the service's own event loop."""

import asyncio
import socket

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from common.service.health import EmbeddedServer

STOP_SECONDS = 5  # for requests that are under way
STUCK_SECONDS = 20.0  # a client that takes nothing for so long, although there is something for it, is cut off
LARGEST_FRAME_BYTES = 2**16  # of what a WebSocket's client says


class AddressTaken(OSError):
    """Somebody else listens where the API is to listen."""


class Cutting(asyncio.Protocol):
    """Cuts a connection whose client takes nothing any more. Else it stays, and whoever writes to it waits for ever."""

    transport: asyncio.Transport
    _look: asyncio.TimerHandle | None = None

    def pause_writing(self) -> None:
        """More is to be written than the client takes."""
        super().pause_writing()
        self._later(self.transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        """The client has taken most of it."""
        self._forget()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """There is nobody to be cut off."""
        self._forget()
        super().connection_lost(exc)

    def _later(self, left: int) -> None:
        self._look = asyncio.get_running_loop().call_later(STUCK_SECONDS, self._cut_if_stuck, left)

    def _cut_if_stuck(self, left: int) -> None:
        if (now := self.transport.get_write_buffer_size()) < left:
            self._later(now)
        else:
            self.transport.abort()

    def _forget(self) -> None:
        if self._look:
            self._look.cancel()


class HttpProtocol(Cutting, H11Protocol):
    """A connection that speaks HTTP."""


class WebSocketProtocol(Cutting, WebSocketsSansIOProtocol):
    """A connection that was upgraded to a WebSocket."""


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
            http=HttpProtocol,
            ws=WebSocketProtocol,
            ws_max_size=LARGEST_FRAME_BYTES,
            ws_per_message_deflate=False,  # what is said is short, and a compressor for each client is not
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
