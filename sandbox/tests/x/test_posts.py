"""Creating, reading and deleting posts."""

import re
from typing import Any

import httpx
import pytest

HOUR = 60 * 60


def problem(answer: httpx.Response, status: int) -> str:
    """Return what a problem says, of its parameters where it names any."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == status
    return str(body["errors"][0]["message"] if "errors" in body else body["detail"])


async def test_a_post_is_shown_as_x_shows_it(x: Any) -> None:
    address = "https://example.com/a/long/path?with=a&query=1"
    post = await x.posted(f"5 < 6 & so on: {address} ok")
    shown = (
        await x.http.get(f"/2/tweets/{post}", params={"post.fields": "created_at,entities,conversation_id"})
    ).json()
    data = shown["data"]
    assert re.fullmatch(r"5 &lt; 6 &amp; so on: https://t\.co/\w{10} ok", data["text"])
    (url,) = data["entities"]["urls"]
    assert data["text"][url["start"] : url["end"]] == url["url"]
    assert url["expanded_url"] == address
    assert data["conversation_id"] == post
    milliseconds = (int(post) >> 22) + 1288834974657
    assert milliseconds == int(x.clock.now * 1000)
    assert data["created_at"] == "2026-09-21T14:13:20.000Z"
    await x.posted("a > b & c")
    assert (await x.texts())[0] == "a &gt; b &amp; c"


@pytest.mark.parametrize(
    "text", ["x" * 280, "橋" * 140, "ж" * 280, "😀" * 140, "x" * 256 + " https://example.com/" + "y" * 200]
)
async def test_the_longest_text(x: Any, text: str) -> None:
    await x.posted(text)
    assert problem(await x.post(text + "!"), 400).startswith("Your Tweet text is too long.")


async def test_a_thread(x: Any) -> None:
    first = await x.posted("One")
    second = await x.posted("Two", reply={"in_reply_to_tweet_id": first})
    third = await x.posted("Three", reply={"in_reply_to_tweet_id": second})
    asked = {"post.fields": "conversation_id", "expansions": "referenced_posts,author_id,in_reply_to_user_id"}
    listed = await x.timeline(**asked)
    assert [post["id"] for post in listed["data"]] == [third, second, first]
    assert {post["conversation_id"] for post in listed["data"]} == {first}
    assert [post.get("referenced_posts") for post in listed["data"]] == [
        [{"type": "replied_to", "id": second}],
        [{"type": "replied_to", "id": first}],
        None,
    ]
    assert listed["data"][0]["in_reply_to_user_id"] == x.id
    assert [user["username"] for user in listed["includes"]["users"]] == ["demo"]
    assert {post["id"] for post in listed["includes"]["posts"]} == {first, second}
    assert [post["text"] for post in (await x.timeline(exclude="replies"))["data"]] == ["One"]


async def test_a_reply_needs_its_post(x: Any) -> None:
    first = await x.posted("One")
    assert (await x.http.delete(f"/2/tweets/{first}")).json() == {"data": {"deleted": True}}
    said = problem(await x.post("Two", reply={"in_reply_to_tweet_id": first}), 403)
    assert said == "You attempted to reply to a Tweet that is deleted or not visible to you."


async def test_the_same_text_is_refused_for_a_day(x: Any) -> None:
    first = await x.posted("The same")
    refusal = "You are not allowed to create a Tweet with duplicate content."
    assert problem(await x.post("The same"), 403) == refusal
    x.clock.ahead(23 * HOUR)
    assert problem(await x.post("The same"), 403) == refusal
    x.clock.ahead(HOUR)
    await x.posted("The same")
    assert await x.texts() == ["The same", "The same"]
    for post in (await x.timeline())["data"]:
        await x.http.delete(f"/2/tweets/{post['id']}")
    assert int(await x.posted("The same")) > int(first)


async def test_only_ones_own_posts_are_deleted(x: Any) -> None:
    other = x.platforms.x.archive.named("other")
    post = x.platforms.x.archive.add_post(other, "theirs", None, ())
    assert problem(await x.http.delete(f"/2/tweets/{post.id}"), 403) == "You are not authorized to delete this Tweet."
    assert (await x.http.delete("/2/tweets/1")).json() == {"data": {"deleted": False}}
    assert (await x.http.get(f"/2/tweets/{post.id}")).json()["data"]["text"] == "theirs"


async def test_what_is_not_there(x: Any) -> None:
    answer = await x.http.get("/2/tweets/12")
    assert answer.status_code == 200
    assert answer.json()["errors"][0]["resource_id"] == "12"
    assert (await x.http.get("/2/users/12/tweets")).json()["errors"][0]["title"] == "Not Found Error"
    problem(await x.http.get("/2/tweets/none"), 400)
    problem(await x.http.get("/2/elsewhere"), 404)
    assert (await x.http.get("/2/tweets/9999999999999999999")).json()["errors"]


async def test_pages_and_bounds_of_a_timeline(x: Any) -> None:
    posts = []
    for number in range(12):
        posts.append(await x.posted(f"Post {number}"))
        x.clock.ahead(60)
    first = await x.timeline(max_results=5)
    second = await x.timeline(max_results=5, pagination_token=first["meta"]["next_token"])
    third = await x.timeline(max_results=5, pagination_token=second["meta"]["next_token"])
    seen = [post["id"] for page in (first, second, third) for post in page["data"]]
    assert seen == posts[::-1]
    assert "next_token" not in third["meta"]
    assert first["meta"] | {"next_token": ""} == {
        "result_count": 5,
        "newest_id": posts[11],
        "oldest_id": posts[7],
        "next_token": "",
    }
    back = await x.timeline(max_results=5, pagination_token=second["meta"]["previous_token"])
    assert back["data"] == first["data"]

    async def found(**given: Any) -> list[int]:
        return [posts.index(post["id"]) for post in (await x.timeline(max_results=100, **given)).get("data", [])]

    assert await found(since_id=posts[9]) == [11, 10]
    assert await found(until_id=posts[2]) == [1, 0]
    assert await found(start_time="2026-09-21T14:23:20Z") == [11, 10]
    assert await found(end_time="2026-09-21T14:15:20Z") == [1, 0]
    assert (await x.timeline(since_id=posts[11])) == {"meta": {"result_count": 0}}


@pytest.mark.parametrize(
    "given",
    [
        {"max_results": "4"},
        {"max_results": "101"},
        {"since_id": "x"},
        {"start_time": "yesterday"},
        {"start_time": "2026-09-21T14:23:20"},
        {"pagination_token": "!"},
        {"post.fields": "colour"},
        {"colour": "red"},
        {"message": "red"},
    ],
)
async def test_what_a_timeline_does_not_take(x: Any, given: dict[str, str]) -> None:
    problem(await x.http.get(f"/2/users/{x.id}/tweets", params=given), 400)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b"{}",
        b'{"text": ""}',
        b'{"text": 5}',
        b'{"text": "\\ud800"}',
        b'{"text": "\\ufffe"}',
        b'{"message": "x"}',
        b'{"text": "x", "colour": "red"}',
        b'{"text": "x", "poll": {"options": ["a", "b"], "duration_minutes": 5}}',
        b'{"text": "x", "media": {}}',
        b'{"text": "x", "media": {"media_ids": []}}',
        b'{"text": "x", "media": {"media_ids": ["1", "2", "3", "4", "5"]}}',
        b'{"text": "x", "media": {"media_ids": ["1"]}}',
        b'{"text": "x", "media": {"media_ids": [1]}}',
        b'{"text": "x", "reply": {}}',
        b'{"text": "x", "reply": "1"}',
    ],
)
async def test_what_is_no_post(x: Any, body: bytes) -> None:
    answer = await x.http.post("/2/tweets", content=body, headers={"content-type": "application/json"})
    problem(answer, 400)
    assert await x.texts() == []


async def test_the_older_names_are_understood(x: Any) -> None:
    first = await x.posted("One")
    await x.posted("Two", reply={"in_reply_to_tweet_id": first})
    newest = (await x.timeline(**{"tweet.fields": "referenced_tweets,author_id"}))["data"][0]
    assert newest["referenced_tweets"] == [{"type": "replied_to", "id": first}]
    assert newest["edit_history_tweet_ids"] == [newest["id"]]
    assert newest["author_id"] == x.id


async def test_the_user(x: Any) -> None:
    answer = await x.http.get("/2/users/me", params={"user.fields": "public_metrics"})
    user = answer.json()["data"]
    assert (user["id"], user["username"], user["public_metrics"]["post_count"]) == (x.id, "demo", 0)


async def test_the_address_of_a_post_leads_to_its_page(x: Any) -> None:
    answer = await x.http.get("/demo/status/12")
    assert answer.headers["location"] == "/accounts/x/demo#m12"
    assert (await x.http.get("/nobody/status/12")).status_code == 404
