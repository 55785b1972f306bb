"""Instagram behind real HTTP, and a server of pictures beside it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sandbox.faults import Fault, Faults
from sandbox.platforms import Platforms, open_platforms
from sandbox.settings import SandboxSettings
from sandbox.web.faults import FaultsApi

PROCESSING_SECONDS = 5


@dataclass
class Instagram:
    """An account; `http` bears its token, and `url` is where pictures are. Parameters of calls are Instagram's."""

    platforms: Platforms
    faults: Faults
    clock: Any
    url: str
    id: str
    token: str
    http: httpx.AsyncClient
    pictures: dict[str, bytes] = field(default_factory=dict)

    def fault(self, kind: str, where: str = "media_publish", **given: Any) -> None:
        """Order a fault for the next call of an operation."""
        self.faults.add(Fault(where=f"instagram:{where}" if where else "instagram", kind=kind, **given))

    def address(self, name: str) -> str:
        """Return the address of a picture."""
        return f"{self.url}/pictures/{name}"

    async def create(self, **given: Any) -> httpx.Response:
        """Make a container, of the picture `a.jpg` unless another is given."""
        if "media_type" not in given:
            given.setdefault("image_url", self.address("a.jpg"))
        return await self.http.post(f"{self.id}/media", data=given)

    async def created(self, **given: Any) -> str:
        """Make a container that gets ready, and return its id."""
        answer = await self.create(**given)
        assert answer.status_code == 200, answer.text
        self.clock.ahead(PROCESSING_SECONDS)
        return str(answer.json()["id"])

    async def publish(self, container: str) -> httpx.Response:
        """Publish a container."""
        return await self.http.post(f"{self.id}/media_publish", data={"creation_id": container})

    async def published(self, caption: str) -> str:
        """Publish a picture and return the post's id."""
        answer = await self.publish(await self.created(caption=caption))
        assert answer.status_code == 200, answer.text
        return str(answer.json()["id"])

    async def get(self, path: str, **given: Any) -> Any:
        """Return what a path answers."""
        return (await self.http.get(path, params=given)).json()

    async def captions(self) -> list[str]:
        """Return the captions of all posts, the newest first."""
        return [post["caption"] for post in (await self.get(f"{self.id}/media", fields="caption"))["data"]]


@pytest.fixture
async def instagram(serve: Any, clock: Any, draw: Any) -> AsyncIterator[Instagram]:
    """An account `demo` with a quota of three posts, whose containers take five seconds; `other` is there too."""
    settings = SandboxSettings(
        instagram_accounts=("demo", "other"), instagram_quota=3, instagram_processing_seconds=PROCESSING_SECONDS
    )
    faults = Faults()
    platforms = open_platforms(settings, faults, clock)
    pictures = {"a.jpg": draw()}

    async def picture(request: Request) -> Response:
        name = request.path_params["name"]
        if name == "slow.jpg":
            await asyncio.sleep(60)
        if name == "elsewhere.jpg":
            return RedirectResponse("/pictures/a.jpg")
        return Response(pictures[name]) if name in pictures else Response("none", 404)

    url = await serve([Route("/pictures/{name}", picture), *platforms.instagram.routes(), *FaultsApi(faults).routes()])
    account = platforms.announcement(url)["instagram"]["accounts"][0]
    token = account["access_token"]
    base, headers = f"{url}/instagram/v23.0/", {"authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=base, headers=headers) as http:
        yield Instagram(platforms, faults, clock, url, account["id"], token, http, pictures)
    platforms.close()
