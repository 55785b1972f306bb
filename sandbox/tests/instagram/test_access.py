"""Tokens: whose they are, and until when."""

from typing import Any

import httpx


async def error(instagram: Any, **headers: str) -> tuple[int, int | None]:
    async with httpx.AsyncClient(base_url=instagram.http.base_url, headers=headers) as http:
        answer = await http.get(f"{instagram.id}/media")
    assert answer.status_code == 400
    return answer.json()["error"]["code"], answer.json()["error"].get("error_subcode")


async def test_a_token_is_needed_and_must_be_known(instagram: Any) -> None:
    assert await error(instagram) == (104, None)
    assert await error(instagram, authorization="Bearer nonsense") == (190, None)


async def test_a_token_may_be_a_parameter(instagram: Any) -> None:
    async with httpx.AsyncClient(base_url=instagram.http.base_url) as http:
        asked = await http.get("me", params={"access_token": instagram.token, "fields": "username"})
        assert asked.json()["username"] == "demo"
        given = {"access_token": instagram.token, "image_url": instagram.address("a.jpg")}
        assert (await http.post(f"{instagram.id}/media", data=given)).status_code == 200


async def test_nobody_sees_or_changes_what_is_anothers(instagram: Any) -> None:
    container = await instagram.created()
    post = await instagram.published("mine")
    gallery = instagram.platforms.instagram.studio.gallery
    token = gallery.newest_token(gallery.named("other"))
    assert await error(instagram, authorization=f"Bearer {token}") == (100, 33)
    async with httpx.AsyncClient(
        base_url=instagram.http.base_url, headers={"authorization": f"Bearer {token}"}
    ) as http:
        for node in (container, post):
            assert (await http.get(node)).json()["error"]["error_subcode"] == 33
        answer = await http.post("me/media_publish", data={"creation_id": container})
        assert answer.json()["error"]["code"] == 24


async def test_a_token_is_refreshed_while_it_is_in_force(instagram: Any) -> None:
    gallery = instagram.platforms.instagram.studio.gallery
    refresh = {"grant_type": "ig_refresh_token", "access_token": instagram.token}
    url = f"{instagram.url}/instagram/refresh_access_token"
    async with httpx.AsyncClient() as http:
        fresh = (await http.get(url, params=refresh)).json()
        assert fresh["expires_in"] == 60 * 24 * 60 * 60
        gallery.expire_tokens(gallery.named("demo"))
        answer = await http.get(url, params=refresh)
        assert (answer.json()["error"]["code"], answer.json()["error"]["error_subcode"]) == (190, 463)
    instagram.http.headers["authorization"] = f"Bearer {gallery.issue_token(gallery.named('demo'))}"
    assert (await instagram.get("me"))["id"] == instagram.id
    instagram.clock.ahead(60 * 24 * 60 * 60)
    assert (await instagram.get("me"))["error"]["code"] == 190
