"""Server-sent events, https://html.spec.whatwg.org/multipage/server-sent-events.html"""

import asyncio
from contextlib import aclosing

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.live.hub import Hub
from api.live.listener import Listener

RETRY_MILLISECONDS = 3000  # until a browser connects again


class EventStream(Response):
    """An answer without end. The server waits with each part until the client has taken most of those before it."""

    media_type = "text/event-stream"

    def __init__(self, hub: Hub, listener: Listener) -> None:
        super().__init__(headers={"X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._hub = hub
        self._listener = listener

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Tell events until the client goes, or is dropped."""
        writing: asyncio.Task[None] | None = None
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            writing = asyncio.create_task(self._write(send, only_headers=scope["state"].get("head", False)))
            watching = asyncio.create_task(_until_gone(receive))
            await asyncio.wait({writing, watching}, return_when=asyncio.FIRST_COMPLETED)
            watching.cancel()
            if writing.done():
                writing.result()
        finally:
            if writing:
                writing.cancel()
            self._hub.leave(self._listener)

    async def _write(self, send: Send, *, only_headers: bool) -> None:
        if not only_headers:
            await _send(send, f"retry: {RETRY_MILLISECONDS}\n\n".encode())
            async with aclosing(self._hub.follow(self._listener)) as pages:
                async for page in pages:
                    await _send(send, b"".join(event.sse() for event in page))
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _send(send: Send, body: bytes) -> None:
    if body:
        await send({"type": "http.response.body", "body": body, "more_body": True})


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
