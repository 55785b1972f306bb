"""Tokens: access, and how a new one is had."""

from typing import Any

import httpx


async def status(x: Any, **headers: str) -> httpx.Response:
    async with httpx.AsyncClient(base_url=x.http.base_url, headers=headers) as http:
        return await http.get("/2/users/me")


async def refresh(x: Any, token: str, client: str = "sandbox-client") -> httpx.Response:
    form = {"grant_type": "refresh_token", "refresh_token": token, "client_id": client}
    async with httpx.AsyncClient(base_url=x.http.base_url) as http:
        return await http.post("/2/oauth2/token", data=form)


async def test_a_token_of_a_user_is_needed(x: Any) -> None:
    for headers in ({}, {"authorization": "Bearer nonsense"}, {"authorization": f"Bearer {x.refresh_token}"}):
        answer = await status(x, **headers)
        assert answer.status_code == 401
        assert answer.json() == {
            "title": "Unauthorized",
            "detail": "Unauthorized",
            "type": "about:blank",
            "status": 401,
        }
    async with httpx.AsyncClient(base_url=x.http.base_url) as http:
        assert (await http.post("/2/tweets", json={"text": "x"})).status_code == 401
    assert await x.texts() == []


async def test_a_token_is_refreshed(x: Any) -> None:
    x.platforms.x.tokens.expire(x.platforms.x.archive.named("demo"))
    assert (await x.http.get("/2/users/me")).status_code == 401
    fresh = (await refresh(x, x.refresh_token)).json()
    assert (fresh["token_type"], fresh["expires_in"]) == ("bearer", 7200)
    assert {"tweet.write", "media.write", "offline.access"} <= set(fresh["scope"].split())
    bearer = {"authorization": f"Bearer {fresh['access_token']}"}
    assert (await status(x, **bearer)).json()["data"]["id"] == x.id
    x.clock.ahead(7200)
    assert (await status(x, **bearer)).status_code == 401
    assert (await refresh(x, fresh["refresh_token"])).status_code == 200


async def test_a_refresh_token_is_good_once(x: Any) -> None:
    assert (await refresh(x, x.refresh_token)).status_code == 200
    answer = await refresh(x, x.refresh_token)
    assert answer.status_code == 400
    assert answer.json() == {
        "error": "invalid_request",
        "error_description": "Value passed for the token was invalid.",
    }


async def test_only_the_client_refreshes(x: Any) -> None:
    assert (await refresh(x, x.refresh_token, "another")).status_code == 401
    form = {"grant_type": "refresh_token", "refresh_token": x.refresh_token}
    async with httpx.AsyncClient(base_url=x.http.base_url) as http:
        answer = await http.post("/2/oauth2/token", data=form, auth=("sandbox-client", "secret"))
        assert answer.status_code == 200
        assert (await http.post("/2/oauth2/token", data={"grant_type": "password"})).status_code == 400
