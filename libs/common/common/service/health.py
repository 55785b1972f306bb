"""The health endpoint of a service: is it alive, can it work, what are its metrics."""

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from types import FrameType

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

Check = Callable[[], Awaitable[str | None]]  # returns what is wrong, or None
Sample = Callable[[], Awaitable[None]]  # sets gauges before they are read; never raises
CHECK_SECONDS = 2.0


class NotSetUp(str):
    """What a check returns of a part that is left out by choice: which setting it would need."""

    __slots__ = ()


class Health:
    """The checks of a service. Each says in a few words what is wrong, or None."""

    def __init__(self, checks: Mapping[str, Check]) -> None:
        self._checks = dict(checks)
        self._told: dict[str, Check] = {}

    def add(self, name: str, check: Check) -> None:
        """Add a check that a service brings."""
        self._checks[name] = check

    def tell(self, name: str, check: Check) -> None:
        """Add a check of something without which the service can work: it is told, and makes nothing not ready."""
        self._told[name] = check

    async def problems(self) -> dict[str, str]:
        """Run all checks at once, each within two seconds, and return what is wrong by name."""
        return {name: answer for name, answer in (await self._answers(self._checks)).items() if answer}

    async def report(self) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
        """Return what is wrong, and of each check its state (ready, wrong, unset) with what it said."""
        problems, told = await asyncio.gather(self._answers(self._checks), self._answers(self._told))
        checks = {name: {"state": _state(answer), "said": answer or ""} for name, answer in (problems | told).items()}
        return {name: answer for name, answer in problems.items() if answer}, checks

    async def _answers(self, checks: Mapping[str, Check]) -> dict[str, str | None]:

        async def run(check: Check) -> str | None:
            try:
                async with asyncio.timeout(CHECK_SECONDS):
                    return await check()
            except TimeoutError:
                return f"no answer within {CHECK_SECONDS:g} s"
            except Exception as error:
                return f"{type(error).__name__}: {error}"

        answers = await asyncio.gather(*(run(check) for check in checks.values()))
        return dict(zip(checks, answers, strict=True))


def _state(answer: str | None) -> str:
    return "unset" if isinstance(answer, NotSetUp) else "wrong" if answer else "ready"


class HealthServer:
    """Serves `/health/live`, `/health/ready` and `/metrics`."""

    def __init__(
        self,
        service: str,
        health: Health,
        registry: CollectorRegistry,
        host: str,
        port: int,
        samples: Sequence[Sample] = (),
    ) -> None:
        self._service = service
        self._health = health
        self._registry = registry
        self._samples = samples
        routes = [
            Route("/health/live", self._live),
            Route("/health/ready", self._ready),
            Route("/metrics", self._metrics),
        ]
        self._socket = socket.create_server((host, port))
        self._server = EmbeddedServer(
            uvicorn.Config(Starlette(routes=routes), log_config=None, access_log=False, lifespan="off")
        )

    @property
    def address(self) -> str:
        """Where it listens, `host:port`."""
        host, port = self._socket.getsockname()[:2]
        return f"{host}:{port}"

    async def serve(self) -> None:
        """Serve until `stop`."""
        try:
            await self._server.serve(sockets=[self._socket])
        finally:
            self._socket.close()

    def stop(self) -> None:
        """Let `serve` return."""
        self._server.should_exit = True

    async def _live(self, _request: Request) -> Response:
        return JSONResponse({"service": self._service, "status": "live"})

    async def _ready(self, _request: Request) -> Response:
        problems = await self._health.problems()
        status = "not ready" if problems else "ready"
        return JSONResponse(
            {"service": self._service, "status": status, "problems": problems}, status_code=503 if problems else 200
        )

    async def _metrics(self, _request: Request) -> Response:
        await asyncio.gather(*(sample() for sample in self._samples))
        return Response(generate_latest(self._registry), media_type=CONTENT_TYPE_LATEST)


class EmbeddedServer(uvicorn.Server):
    """Uvicorn without its signal handlers: the service has its own."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals alone."""
        yield

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Never called, as no signal is captured."""
