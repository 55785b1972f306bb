"""X behind real HTTP."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from sandbox.faults import Fault, Faults
from sandbox.platforms import Platforms, open_platforms
from sandbox.settings import SandboxSettings


@dataclass
class X:
    """An account; `http` bears its access token."""

    platforms: Platforms
    faults: Faults
    clock: Any
    url: str
    id: str
    token: str
    refresh_token: str
    http: httpx.AsyncClient

    def fault(self, kind: str, where: str = "/2/tweets", **given: Any) -> None:
        """Order a fault for the next call of an operation."""
        self.faults.add(Fault(where=f"x:{where}" if where else "x", kind=kind, **given))

    async def post(self, text: str = "", **given: Any) -> httpx.Response:
        """Create a post."""
        return await self.http.post("/2/tweets", json={"text": text, **given})

    async def posted(self, text: str = "", **given: Any) -> str:
        """Create a post and return its id."""
        answer = await self.post(text, **given)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["data"]["id"])

    async def upload(self, content: bytes, category: str = "tweet_image") -> httpx.Response:
        """Upload a file in one call."""
        files, data = {"media": ("file", content)}, {"media_category": category}
        return await self.http.post("/2/media/upload", files=files, data=data)

    async def uploaded(self, content: bytes, category: str = "tweet_image") -> str:
        """Upload a file in one call and return its id."""
        answer = await self.upload(content, category)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["data"]["id"])

    async def timeline(self, **given: Any) -> Any:
        """Return the account's posts as X lists them."""
        return (await self.http.get(f"/2/users/{self.id}/tweets", params=given)).json()

    async def texts(self) -> list[str]:
        """Return the texts of all posts, the newest first."""
        return [post["text"] for post in (await self.timeline(max_results=100)).get("data", [])]


@pytest.fixture
async def x(serve: Any, clock: Any) -> AsyncIterator[X]:
    """An account `demo` that may post 210 times in three hours; moving pictures take a second. `other` is there too."""
    settings = SandboxSettings(x_accounts=("demo", "other"), x_posts=210, x_processing_seconds=1)
    faults = Faults()
    platforms = open_platforms(settings, faults, clock)
    url = await serve(platforms.x.routes())
    account = platforms.announcement(url)["x"]["accounts"][0]
    headers = {"authorization": f"Bearer {account['access_token']}"}
    async with httpx.AsyncClient(base_url=f"{url}/x", headers=headers) as http:
        yield X(platforms, faults, clock, url, account["id"], account["access_token"], account["refresh_token"], http)
    platforms.close()
