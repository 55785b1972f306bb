"""What the tests of the sandbox share: its parts behind real HTTP on the loopback interface."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from starlette.routing import BaseRoute

from sandbox.announcement import bind
from sandbox.connections import HttpServer
from sandbox.telegram.handshake import make_rsa_key
from sandbox.web.application import make_application

Serve = Callable[[list[BaseRoute]], Awaitable[str]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Serve routes; returns their address, such as http://127.0.0.1:40123."""
    servers: list[HttpServer] = []

    async def start(routes: list[BaseRoute]) -> str:
        listener = bind("127.0.0.1", 0, 0)
        server = HttpServer(make_application([routes]))
        await server.start(listener)
        servers.append(server)
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield start
    for server in servers:
        await server.stop()


@pytest.fixture(scope="session")
def rsa_key_pem() -> str:
    """A private key for Telegram, made once for all tests."""
    return make_rsa_key()


@pytest.fixture(scope="session")
def specs() -> Path:
    """The directory of machine-readable specifications of the real services."""
    beside = Path(__file__).parents[2].parent / "shared" / "specs"
    return Path(os.environ.get("POSTROOM_SPECS", beside))


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The directory of third-party data."""
    beside = Path(__file__).parents[2].parent / "shared" / "data"
    return Path(os.environ.get("POSTROOM_CORPUS", beside))
