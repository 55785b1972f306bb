"""The pages of accounts on Instagram and X, and what programs read of them."""

import re
from typing import Any

import httpx
from markupsafe import escape

from sandbox.app import Sandbox


async def test_the_announcement_is_all_that_a_publisher_needs(sandbox: Sandbox, draw: Any) -> None:
    announced = sandbox.announcement()
    x, instagram = announced["x"], announced["instagram"]
    account = x["accounts"][0]
    async with httpx.AsyncClient(headers={"authorization": f"Bearer {account['access_token']}"}) as http:
        files, category = {"media": ("a.jpg", draw())}, {"media_category": "tweet_image"}
        media = (await http.post(f"{x['base_url']}/2/media/upload", files=files, data=category)).json()["data"]["id"]
        body = {"text": "<script>alert(1)</script>", "media": {"media_ids": [media]}}
        post = (await http.post(f"{x['base_url']}/2/tweets", json=body)).json()["data"]["id"]
        page = await http.get(account["page"])
        assert str(escape(body["text"])) in page.text
        assert "<script>alert" not in page.text
        (picture,) = re.findall(r'<img src="([^"]+)"', page.text)
        shown = await http.get(f"{sandbox.url}{picture}")
        assert (shown.content, shown.headers["content-type"]) == (draw(), "image/jpeg")
        where = await http.get(f"{x['web_url']}/{account['username']}/status/{post}")
        assert where.headers["location"] == f"/accounts/x/{account['username']}#m{post}"
        assert f'id="m{post}"' in page.text
        front = await http.get(sandbox.url)
        assert f'href="/accounts/x/{account["username"]}"' in front.text

        own = instagram["accounts"][0]
        base = f"{instagram['base_url']}/{instagram['version']}/{own['id']}"
        given = {"image_url": f"{sandbox.url}{picture}", "caption": "A & B", "access_token": own["access_token"]}
        container = (await http.post(f"{base}/media", data=given, headers={"authorization": ""})).json()["id"]
        gallery = sandbox.platforms.instagram.studio.gallery
        gallery.clock = lambda: 4_000_000_000.0
        kept = gallery.container(int(container))
        assert kept is not None
        assert kept.status(kept.ready_at) == "FINISHED"
        gallery.publish(kept)
        page = await http.get(own["page"])
        assert "A &amp; B" in page.text
        assert page.headers["content-security-policy"].startswith("default-src 'none'")
        (picture,) = re.findall(r'<img src="([^"]+)"', page.text)
        assert (await http.get(f"{sandbox.url}{picture}")).content == draw()


async def test_posts_are_read_page_by_page_and_as_json(sandbox: Sandbox, http: httpx.AsyncClient) -> None:
    archive = sandbox.platforms.x.archive
    account = archive.named("postroom_demo")
    assert account is not None
    posts = [archive.add_post(account, f"Post {number}", None, ()) for number in range(52)]
    first = await http.get("/accounts/x/postroom_demo")
    assert first.text.count("<article") == 50
    older = re.search(r'href="(\?before=\d+)"', first.text)
    assert older is not None
    second = await http.get(f"/accounts/x/postroom_demo{older[1]}")
    assert re.findall(r"Post \d+", second.text) == ["Post 1", "Post 0"]
    listed = (await http.get("/api/x/postroom_demo/posts", params={"limit": 2})).json()
    assert [(post["id"], post["text"]) for post in listed] == [(str(post.id), post.text) for post in posts[:-3:-1]]
    assert (await http.get("/accounts/instagram/postroom_demo")).text.count("No posts yet") == 1


async def test_tokens_are_ended_and_issued_for_tests(sandbox: Sandbox, http: httpx.AsyncClient) -> None:
    account = sandbox.announcement()["instagram"]["accounts"][0]
    me, token = "/instagram/v23.0/me", {"access_token": account["access_token"]}
    assert (await http.get(me, params=token)).status_code == 200
    assert (await http.delete("/api/instagram/postroom_demo/tokens")).status_code == 204
    assert (await http.get(me, params=token)).json()["error"]["error_subcode"] == 463
    fresh = (await http.post("/api/instagram/postroom_demo/tokens")).json()
    assert (await http.get(me, params=fresh)).status_code == 200
    assert sandbox.announcement()["instagram"]["accounts"][0]["access_token"] == fresh["access_token"]

    bearer = {"authorization": f"Bearer {sandbox.announcement()['x']['accounts'][0]['access_token']}"}
    assert (await http.delete("/api/x/postroom_demo/tokens")).status_code == 204
    assert (await http.get("/x/2/users/me", headers=bearer)).status_code == 401
    assert (await http.post("/api/x/postroom_demo/tokens")).status_code == 409


async def test_calls_are_listed_without_their_tokens(sandbox: Sandbox, http: httpx.AsyncClient) -> None:
    token = sandbox.announcement()["instagram"]["accounts"][0]["access_token"]
    await http.get("/instagram/v23.0/me", params={"access_token": token})
    listed = await http.get("/api/instagram/requests")
    assert token not in listed.text
    assert listed.json()["total"] == 1
    assert listed.json()["requests"][0]["where"] == "instagram:user"
    assert (await http.get("/api/x/requests")).json() == {"total": 0, "requests": []}


async def test_what_is_not_there(http: httpx.AsyncClient) -> None:
    for path in (
        "/accounts/x/nobody",
        "/accounts/myspace/nobody",
        "/accounts/x/media/12",
        "/accounts/instagram/pictures/12.jpg",
        "/api/x/nobody/posts",
    ):
        assert (await http.get(path)).status_code == 404
    assert (await http.get(f"/accounts/x/media/{10**30}")).status_code == 404
