"""Around every request: its id, the headers that every answer has, a log line, and an answer even to our own errors."""

import logging
import re
import time
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from api.http.problems import Problem

log = logging.getLogger(__name__)

REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")


class AroundRequests:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Carry one request through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if REQUEST_ID.fullmatch(given) else uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id
        status, began = 0, time.perf_counter()

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = request_id
                headers["X-Content-Type-Options"] = "nosniff"
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        # A HEAD is answered as a GET; the server leaves the body out, https://www.rfc-editor.org/rfc/rfc9110#section-9.3.2
        scope["state"]["head"] = scope["method"] == "HEAD"
        asked = {**scope, "method": "GET"} if scope["state"]["head"] else scope
        with bound_contextvars(request_id=request_id):
            try:
                await self._app(asked, receive, send_with_headers)
            except Exception:
                log.exception("%s %s failed", scope["method"], scope["path"])
                if status:  # the answer has begun: all that is left is to break it off
                    raise
                problem = Problem("internal", "it is logged under this request_id")
                await problem.response(scope["path"], request_id)(scope, receive, send_with_headers)
            finally:
                actor = scope["state"].get("actor")
                log.info(
                    "%s %s %d",
                    scope["method"],
                    scope["path"],
                    status,
                    extra={"milliseconds": round((time.perf_counter() - began) * 1000, 1), "actor": actor},
                )
