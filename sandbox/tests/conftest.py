"""What the tests of the sandbox share: its parts behind real HTTP on the loopback interface."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from starlette.routing import BaseRoute

from sandbox.announcement import bind
from sandbox.connections import HttpServer
from sandbox.telegram.handshake import make_rsa_key
from sandbox.web.application import make_application

Serve = Callable[[list[BaseRoute]], Awaitable[str]]
Draw = Callable[..., bytes]


class Clock:
    """A clock that stands still until it is put forward; Unix seconds."""

    def __init__(self) -> None:
        self.now = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now

    def ahead(self, seconds: float) -> None:
        """Put it forward."""
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    """A clock of the test's own."""
    return Clock()


@pytest.fixture(scope="session")
def draw() -> Draw:
    """Draws a picture of a width and a height, as a JPEG or in another format of Pillow's."""

    def drawn(width: int = 800, height: int = 800, kind: str = "JPEG", frames: int = 1) -> bytes:
        content = BytesIO()
        pictures = [Image.new("RGB", (width, height), (30 * number, 90, 120)) for number in range(frames)]
        more = {"save_all": True, "append_images": pictures[1:]} if frames > 1 else {}
        pictures[0].save(content, kind, **more)
        return content.getvalue()

    return drawn


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
