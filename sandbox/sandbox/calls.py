"""The calls that platforms get over HTTP: what befalls them on demand, and a journal of them."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from time import perf_counter
from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response

from sandbox.connections import cut, gone
from sandbox.faults import Fault, Faults

Handler = Callable[[Request], Awaitable[Response]]

REFUSED = ("rate_limit", "server_error", "expired_token")
KINDS = (*REFUSED, "delay", "hang", "drop", "drop_after", "error_after")


class Refusal(Exception):
    """A call that a platform answers with an error, in its own words."""

    def response(self) -> Response:
        """Return the HTTP answer that carries this error."""
        raise NotImplementedError


class Platform(Protocol):
    """What plays a platform: who calls (None: nobody it knows), and how it words a fault of `REFUSED`."""

    part: str

    async def caller(self, request: Request) -> int | None: ...

    def refusal(self, fault: Fault) -> Refusal: ...


@dataclass(frozen=True, slots=True)
class ServedCall:
    """One call. `status` is None where no answer reached the client; `seconds` is the time taken."""

    at: str
    where: str
    method: str
    path: str
    account: int | None
    status: int | None
    fault: str | None
    seconds: float


class Calls:
    """Wraps the handlers of a platform.

    Faults at `<part>` befall any of its calls, at `<part>:<operation>` those of one operation; `account` narrows them.
    Kinds, of every platform: `rate_limit` (refused; where `seconds` is given, with when to come back), `server_error`
    (500, or 503 where `seconds` is given), `expired_token`, `delay` (answers after `seconds`), `hang` (never answers),
    `drop` (the connection is cut, nothing is carried out), `drop_after` (carried out, and cut before the answer) and
    `error_after` (carried out, and answered as by `server_error`). A handler finds any other kind in `fault_of`.
    """

    def __init__(self, platform: Platform, faults: Faults, capacity: int = 500) -> None:
        self._platform = platform
        self._faults = faults
        self._newest: deque[ServedCall] = deque(maxlen=capacity)
        self.total = 0

    def newest(self, limit: int) -> list[ServedCall]:
        """Return the last calls, the newest first."""
        return list(islice(reversed(self._newest), limit))

    def served(self, operation: str, handler: Handler, kinds: tuple[str, ...] = ()) -> Handler:
        """Return the endpoint of an operation; `kinds` are those faults that its handler knows itself."""

        async def endpoint(request: Request) -> Response:
            started = perf_counter()
            account = await self._platform.caller(request)
            fault = self._befalling(operation, account, (*KINDS, *kinds))
            request.state.fault = fault
            response, answered = await self._carry_out(request, handler, fault)
            self.total += 1
            self._newest.append(
                ServedCall(
                    at=datetime.now(UTC).isoformat(timespec="milliseconds"),
                    where=f"{self._platform.part}:{operation}",
                    method=request.method,
                    path=request.url.path,
                    account=account,
                    status=response.status_code if answered else None,
                    fault=fault.kind if fault else None,
                    seconds=round(perf_counter() - started, 6),
                )
            )
            return response

        return endpoint

    def _befalling(self, operation: str, account: int | None, kinds: tuple[str, ...]) -> Fault | None:
        part = self._platform.part
        exactly = self._faults.take(f"{part}:{operation}", account=account, kinds=kinds)
        return exactly or self._faults.take(part, account=account, kinds=kinds)

    async def _carry_out(self, request: Request, handler: Handler, fault: Fault | None) -> tuple[Response, bool]:
        """Return the answer, and whether it reaches the client."""
        match fault and fault.kind:
            case "rate_limit" | "server_error" | "expired_token" if fault:
                return self._platform.refusal(fault).response(), True
            case "delay" if fault:
                await asyncio.sleep(fault.seconds)
            case "hang":
                await gone(request)
                return Response(status_code=500), False
            case "drop":
                await cut(request)
                return Response(status_code=500), False
        try:
            response = await handler(request)
        except Refusal as refused:
            response = refused.response()
        if fault and fault.kind == "error_after":
            return self._platform.refusal(fault).response(), True
        if fault and fault.kind == "drop_after":
            await cut(request)
            return response, False
        return response, True


def fault_of(request: Request) -> Fault | None:
    """Return the fault that befalls this call, for the handlers that know kinds of their own."""
    fault: Fault | None = request.state.fault
    return fault
