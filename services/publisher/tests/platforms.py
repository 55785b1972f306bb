"""Instagram and X beside the publisher: the sandbox's, over HTTP, and where Instagram fetches pictures."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from common.media.links import LinkRefused, MediaLinks
from common.media.pictures import INSTAGRAM, fitted
from common.media.store import ImageMissing
from sandbox.announcement import bind
from sandbox.connections import HttpServer
from sandbox.faults import Fault
from sandbox.platforms import Platforms as Parts
from sandbox.platforms import open_platforms
from sandbox.settings import SandboxSettings
from sandbox.web.application import make_application

if TYPE_CHECKING:
    from .conftest import Stage

SECRET = "a secret of the tests"


@dataclass
class Platforms:
    """Instagram and X with an account `demo` each, before which the publisher's settings lead."""

    stage: "Stage"
    parts: Parts
    url: str

    def fault(self, where: str, kind: str, **given: Any) -> None:
        """Order a fault: `x:/2/tweets`, `instagram:media_publish`."""
        self.stage.faults.add(Fault(where=where, kind=kind, **given))

    def x_texts(self) -> list[str]:
        """Return the texts on X, the oldest first."""
        archive = self.parts.x.archive
        account = archive.named("demo")
        assert account
        return [post.text for post in archive.posts(account, 1000)][::-1]

    def x_posts(self) -> list[Any]:
        """Return the posts on X, the oldest first."""
        archive = self.parts.x.archive
        account = archive.named("demo")
        assert account
        return archive.posts(account, 1000)[::-1]

    def captions(self) -> list[str]:
        """Return the captions on Instagram, the oldest first."""
        return [post.caption for post in self.photos()]

    def photos(self) -> list[Any]:
        """Return the posts on Instagram, the oldest first."""
        gallery = self.parts.instagram.studio.gallery
        account = gallery.named("demo")
        assert account
        return gallery.posts(account, 1000)[::-1]

    def calls(self, where: str) -> list[Any]:
        """Return the calls of one operation, the oldest first."""
        part = self.parts.x if where.startswith("x:") else self.parts.instagram
        return [call for call in part.calls.newest(500) if call.where == where][::-1]


@asynccontextmanager
async def playing(stage: "Stage", monkeypatch: pytest.MonkeyPatch, **settings: Any) -> AsyncIterator[Platforms]:
    """Play both platforms; `settings` are the sandbox's."""
    given = {
        "instagram_accounts": ("demo",),
        "x_accounts": ("demo",),
        "instagram_processing_seconds": 0.3,
        "x_processing_seconds": 0.3,
    }
    platforms = open_platforms(SandboxSettings(**(given | settings)), stage.faults)
    links = MediaLinks(SECRET, "")

    async def picture(request: Request) -> Response:
        """Answer as the api does."""
        query = request.query_params
        try:
            links.check(request.path_params["hash"], query.get("expires", ""), query.get("signature", ""))
            async with stage.images.open(request.path_params["hash"]) as content:
                return Response(fitted(BytesIO(content.read()), INSTAGRAM).read(), media_type="image/jpeg")
        except (LinkRefused, ImageMissing):
            return Response(status_code=404)

    listener = bind("127.0.0.1", 0, 0)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    routes = [[Route("/media/{hash}.jpg", picture)], platforms.x.routes(), platforms.instagram.routes()]
    server = HttpServer(make_application(routes))
    await server.start(listener)
    for name, value in surroundings(platforms.announcement(url), url).items():
        monkeypatch.setenv(name, value)
    yield Platforms(stage, platforms, url)
    await server.stop()
    platforms.close()


def surroundings(announced: dict[str, Any], url: str) -> dict[str, str]:
    """Return the publisher's settings for what was announced."""
    (instagram,), (x,) = announced["instagram"]["accounts"], announced["x"]["accounts"]
    return {
        "API_BASE_URL": url,
        "MEDIA_URL_SECRET": SECRET,
        "INSTAGRAM_BASE_URL": f"{announced['instagram']['base_url']}/{announced['instagram']['version']}",
        "INSTAGRAM_ACCOUNTS": json.dumps(
            {"demo": {"user_id": instagram["id"], "access_token": instagram["access_token"]}}
        ),
        "X_BASE_URL": announced["x"]["base_url"],
        "X_ACCOUNTS": json.dumps({"demo": {"user_id": x["id"], "access_token": x["access_token"]}}),
    }
