"""The full hop watched by nobody, and watched: traces exported, metrics counted and read, its logs shipped."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from opentelemetry import trace

from benchmarks.hop_variants import Start, full_hop
from common.contracts import Durable
from common.service import Service, ServiceSettings
from common.telemetry.tracing import create_tracing


class Unwatched(Exception):
    """What watches the hop got nothing of it: what was measured is not what it should be."""


class Uncounted:
    """Metrics of a service that has none."""

    def of(self, _durable: Durable) -> "Uncounted":
        """Return those of a durable."""
        return self

    @contextmanager
    def running(self) -> Iterator[None]:
        """Count nothing."""
        yield

    def ended(self, *_how: Any) -> None:
        """Count nothing."""


@asynccontextmanager
async def unwatched_hop(settings: ServiceSettings, *, slow: bool) -> AsyncIterator[Start]:
    """The hop with neither spans, metrics nor job records."""

    def blind(service: Service) -> None:
        service._metrics = Uncounted()  # type: ignore[assignment]  # there is no setting for it: nobody should
        _ship_nothing(service)

    async with full_hop(settings, slow=slow, tracer=trace.NoOpTracer(), prepare=blind) as start:
        yield start


@asynccontextmanager
async def traced_hop(settings: ServiceSettings, *, slow: bool) -> AsyncIterator[Start]:
    """The hop with traces and metrics, and without job records."""
    async with (
        _watched(settings) as (tracer, watched),
        full_hop(watched, slow=slow, tracer=tracer, prepare=_ship_nothing) as start,
    ):
        yield start


@asynccontextmanager
async def watched_hop(settings: ServiceSettings, *, slow: bool) -> AsyncIterator[Start]:
    """The hop with traces, metrics and job records: as production runs it."""
    async with _watched(settings) as (tracer, watched), full_hop(watched, slow=slow, tracer=tracer) as start:
        yield start


@asynccontextmanager
async def _watched(settings: ServiceSettings) -> AsyncIterator[tuple[trace.Tracer, ServiceSettings]]:
    port = _free_port()
    watcher = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.watcher", f"http://127.0.0.1:{port}/metrics",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert watcher.stdout
    takes_at = int(await watcher.stdout.readline())
    tracing = create_tracing("bench", f"http://127.0.0.1:{takes_at}")
    try:
        yield tracing.tracer, settings.model_copy(update={"health_port": port})
    finally:
        await asyncio.to_thread(tracing.shutdown)
        said, _ = await watcher.communicate(b"")  # with an input, be it empty, it closes
    spans, readings = map(int, said.split())
    if not spans or not readings:
        raise Unwatched(f"{spans} spans were exported, and metrics were read {readings} times")
    print(f"{spans} spans were exported", file=sys.stderr)


def _ship_nothing(service: Service) -> None:
    service.shipping.job_ended = lambda job: None  # type: ignore[method-assign]


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port
