"""Photos by their URL: bounded, and never from where only machines inside can read."""

from collections.abc import AsyncIterator

import pytest
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from common.addresses import PinnedTransport
from publisher.adapters.pictures import Pictures
from publisher.adapters.telegram_photos import PHOTO_BYTES, PhotoUnavailable
from sandbox.announcement import bind
from sandbox.connections import HttpServer
from sandbox.web.application import make_application


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """The port of a server inside."""

    async def photo(_request: Request) -> Response:
        return Response(b"photo", media_type="image/png")

    async def large(_request: Request) -> Response:
        return Response(bytes(PHOTO_BYTES + 1), media_type="image/png")

    async def packed(_request: Request) -> Response:
        return Response(b"photo", headers={"Content-Encoding": "gzip"})

    async def moved(_request: Request) -> Response:
        return RedirectResponse("http://inside.test/photo")

    routes = [Route("/photo", photo), Route("/large", large), Route("/packed", packed), Route("/moved", moved)]
    listener = bind("127.0.0.1", 0, 0)
    server = HttpServer(make_application([routes]))
    await server.start(listener)
    yield listener.getsockname()[1]
    await server.stop()


async def test_a_name_that_changes_its_address_gains_nothing(port: int) -> None:
    answers = iter([["127.0.0.1"], ["10.0.0.1"]])

    async def resolver(_host: str, _port: int) -> list[str]:
        return next(answers)

    transport = PinnedTransport(allowed=lambda address: address == "127.0.0.1", resolver=resolver)
    async with Pictures.open(transport=transport) as pictures:
        assert await pictures.fetch(f"http://photos.test:{port}/photo") == b"photo"  # looked up once, for both
        with pytest.raises(PhotoUnavailable, match=r"photos\.test is 10\.0\.0\.1, which is not a public address"):
            await pictures.fetch(f"http://photos.test:{port}/photo")


async def test_a_redirect_to_the_inside_is_refused(port: int) -> None:
    answers = {"photos.test": ["127.0.0.1"], "inside.test": ["192.168.0.1"]}

    async def resolver(host: str, _port: int) -> list[str]:
        return answers[host]

    transport = PinnedTransport(allowed=lambda address: address == "127.0.0.1", resolver=resolver)
    async with Pictures.open(transport=transport) as pictures:
        with pytest.raises(PhotoUnavailable, match=r"inside\.test is 192\.168\.0\.1"):
            await pictures.fetch(f"http://photos.test:{port}/moved")


@pytest.mark.parametrize(
    ("path", "reason"),
    [("large", "larger than"), ("packed", "comes as gzip"), ("nothing", "can't be fetched: .*404")],
)
async def test_what_is_no_photo_is_said(port: int, path: str, reason: str) -> None:
    async with Pictures.open(allow_private=True) as pictures:
        with pytest.raises(PhotoUnavailable, match=reason):
            await pictures.fetch(f"http://127.0.0.1:{port}/{path}")


async def test_private_addresses_are_refused_unless_allowed(port: int) -> None:
    async with Pictures.open() as pictures:
        with pytest.raises(PhotoUnavailable, match=r"localhost is .*, which is not a public address"):
            await pictures.fetch(f"http://localhost:{port}/photo")
    async with Pictures.open(allow_private=True) as pictures:
        assert await pictures.fetch(f"http://localhost:{port}/photo") == b"photo"
