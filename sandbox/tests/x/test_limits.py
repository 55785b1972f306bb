"""The windows in which calls are counted."""

from typing import Any

import httpx

from sandbox.faults import Faults
from sandbox.platforms import open_platforms
from sandbox.settings import SandboxSettings

QUARTER, THREE_HOURS = 15 * 60, 3 * 60 * 60


def told(answer: httpx.Response) -> tuple[int, int, int]:
    """Return limit, remaining and reset."""
    names = ("limit", "remaining", "reset")
    limit, remaining, reset = (int(answer.headers[f"x-rate-limit-{name}"]) for name in names)
    return limit, remaining, reset


async def test_windows_of_a_quarter_and_of_three_hours(x: Any) -> None:
    started = int(x.clock.now)
    assert told(await x.post("Post 0")) == (200, 199, started + QUARTER)
    for number in range(1, 200):
        assert (await x.post(f"Post {number}")).status_code == 201
    refused = await x.post("One too many")
    assert refused.status_code == 429
    assert refused.json() == {
        "title": "Too Many Requests",
        "detail": "Too Many Requests",
        "type": "about:blank",
        "status": 429,
    }
    assert told(refused) == (200, 0, started + QUARTER)
    assert "retry-after" not in refused.headers
    x.clock.ahead(QUARTER)
    assert told(await x.post("Post 200")) == (210, 9, started + THREE_HOURS)
    for number in range(201, 210):
        assert (await x.post(f"Post {number}")).status_code == 201
    assert told(await x.post("One too many")) == (210, 0, started + THREE_HOURS)
    assert (await x.http.get("/2/users/me")).status_code == 200
    x.clock.ahead(THREE_HOURS - QUARTER)
    assert told(await x.post("Post 210")) == (200, 199, int(x.clock.now) + QUARTER)


async def test_refused_calls_are_told_of_their_window(x: Any) -> None:
    await x.post("The same")
    answer = await x.post("The same")
    assert answer.status_code == 403
    assert told(answer)[1] == 198


async def test_limits_can_be_off(serve: Any, clock: Any) -> None:
    settings = SandboxSettings(limits="off", x_accounts=("demo",), x_posts=1, instagram_quota=1)
    platforms = open_platforms(settings, Faults(), clock)
    url = await serve(platforms.x.routes())
    token = platforms.announcement(url)["x"]["accounts"][0]["access_token"]
    async with httpx.AsyncClient(base_url=f"{url}/x", headers={"authorization": f"Bearer {token}"}) as http:
        for number in range(210):
            answer = await http.post("/2/tweets", json={"text": f"Post {number}"})
            assert answer.status_code == 201
            assert "x-rate-limit-limit" not in answer.headers
    assert platforms.instagram.studio.quota is None
    platforms.close()
