"""Posts: their history, their text, and what people decide about them."""

import asyncio
import json
from typing import Any
from uuid import uuid4

from nats.aio.client import Client

from common.messaging.dead_letters import STREAM
from common.testing.waiting import eventually

from .conftest import Api


async def test_the_history_of_a_post(api: Api) -> None:
    post = await api.post("First sentence. Second sentence.")
    route, rewrite = await api.held(post)
    await api.publication(post, "succeeded")
    await api.database.execute(
        "UPDATE publications SET message_ids = '{5}', url = 'https://t.me/there/5', finished_at = now()"
    )
    await api.database.execute(
        "INSERT INTO jobs (consumer, event_id, queue, subject, post_id, status, trace_id)"
        " VALUES ('rewriter', 'e', 'rewrite_queue', 'post.collected', $1, 'succeeded', 'abc')",
        post,
    )
    found = (await api.http.get(f"/posts/{post}")).json()
    assert found["text"] == "First sentence. Second sentence."
    assert found["state"] == "published"
    assert [(each["id"], each["cost_usd"]) for each in found["rewrites"]] == [(str(rewrite), 0.5)]
    assert [(each["route_id"], each["decision"]) for each in found["routings"]] == [(str(route), "hold")]
    assert [each["trace_id"] for each in found["jobs"]] == ["abc"]
    assert [(each["url"], each["message_ids"]) for each in found["publications"]] == [("https://t.me/there/5", [5])]
    assert len(found["packages"]) == 1


async def test_posts_are_found(api: Api) -> None:
    bridge = await api.post("Мост через реку открыли после ремонта")
    park = await api.post("В парке открыли новую площадку")
    await api.publication(bridge, "succeeded")
    held = await api.post("Something else altogether <b>here</b>")
    await api.held(held)

    async def ids(query: str) -> set[str]:
        answer = await api.http.get(f"/posts?{query}")
        assert answer.status_code == 200, answer.text
        return {each["id"] for each in answer.json()["items"]}

    everything = {str(bridge), str(park), str(held)}
    assert await ids("") == everything
    assert await ids("q=моста") == {str(bridge)}  # in another case
    assert await ids("q=открыли -мост") == {str(park)}
    assert await ids('q="новую площадку"') == {str(park)}
    assert await ids("state=published") == {str(bridge)}
    assert await ids("state=awaiting") == {str(held)}
    assert await ids("state=pending&q=открыли") == {str(park)}
    assert await ids("since=2100-01-01T00:00:00Z") == set()
    assert await ids("until=2100-01-01T00:00:00%2B03:00") == everything
    for odd in ("'", '"', "a & | !", "<>", "%", "-", "\\", "😀", ":*", "(((", "x" * 200):
        answer = await api.http.get("/posts", params={"q": odd})
        assert answer.status_code == 200, odd


async def test_a_text_is_edited(api: Api) -> None:
    post = await api.post()
    edited = await api.http.patch(f"/posts/{post}", json={"text": "**Bold** and [a link](https://a.example)"})
    [edit] = edited.json()["edits"]
    assert (edit["text"], edit["rewrite_id"]) == ("Bold and a link", None)
    assert [(mark["kind"], mark["offset"], mark["length"]) for mark in edit["entities"]] == [
        ("bold", 0, 4),
        ("text_link", 9, 6),
    ]
    rewrite = await api.rewrite(post)
    marks = [{"kind": "italic", "offset": 2, "length": 1}]
    edited = await api.http.patch(f"/posts/{post}", json={"text": "😀!", "entities": marks})
    assert edited.json()["edits"][-1]["rewrite_id"] == str(rewrite)  # the newest one is what would be published
    assert edited.json()["text"] == "Some text of a post that came in"


async def test_texts_that_telegram_would_not_take(api: Api) -> None:
    post = await api.post()
    wrong: list[dict[str, Any]] = [
        {"text": ""},
        {"text": " \n "},
        {"text": "😀" * 2049},
        {"text": "ab", "entities": [{"kind": "bold", "offset": 1, "length": 2}]},
        {"text": "ab", "entities": [{"kind": "huge", "offset": 0, "length": 1}]},
        {"text": "ab", "entities": [{"kind": "bold", "offset": -1, "length": 1}]},
        {"text": "ab", "rewrite_id": str(uuid4())},
        {"text": "ab", "color": 1},
    ]
    for given in wrong:
        answer = await api.http.patch(f"/posts/{post}", json=given)
        assert answer.status_code == 422, given
    assert "4098" in (await api.http.patch(f"/posts/{post}", json={"text": "😀" * 2049})).json()["detail"]
    assert (await api.http.get(f"/posts/{post}")).json()["edits"] == []
    duplicate = await api.post("A text that is long enough to be told apart from every other text that there is.")
    again = await api.post("A text that is long enough to be told apart from every other text that there is.")
    assert duplicate != again
    assert (await api.http.patch(f"/posts/{again}", json={"text": "ab"})).status_code == 409
    assert (await api.http.post(f"/posts/{again}/publish", json={})).status_code == 409


async def test_a_post_is_published(api: Api) -> None:
    post = await api.post()
    rewrite = await api.rewrite(post)
    order = {"targets": ["telegram:@there"], "rewrite_id": str(rewrite), "illustrate": True}
    answer = await api.http.post(f"/posts/{post}/publish", json=order)
    assert answer.status_code == 202
    [event] = await api.emitted("publish.requested")
    assert (event["post_id"], event["targets"], event["illustrate"]) == (str(post), ["telegram:@there"], True)
    assert (await api.http.post(f"/posts/{post}/publish", json={"rewrite_id": str(uuid4())})).status_code == 409
    assert (await api.http.post(f"/posts/{post}/publish", json={"targets": ["nowhere"]})).status_code == 422
    assert await api.silent("publish.requested")


async def test_of_many_approvals_one_counts(api: Api) -> None:
    post = await api.post()
    route, rewrite = await api.held(post)
    answers = await asyncio.gather(
        *(api.http.post(f"/posts/{post}/approve", json={"reason": "fine"}) for _ in range(6)),
        *(api.http.post(f"/posts/{post}/reject", json={}) for _ in range(1)),
    )
    decided = [answer for answer in answers if answer.status_code < 300]
    assert len(decided) == 1
    assert {answer.status_code for answer in answers} <= {202, 200, 409}
    [routing] = (await api.http.get(f"/posts/{post}")).json()["routings"]
    assert routing["decided_by"].startswith("token:")
    if routing["decision"] == "publish":
        [event] = await api.emitted("publish.requested")
        assert (event["rewrite_id"], event["targets"]) == (str(rewrite), ["telegram:@there"])
    assert await api.silent("publish.requested")
    assert routing["route_id"] == str(route)


async def test_a_rejected_post(api: Api) -> None:
    post = await api.post()
    route, _ = await api.held(post)
    wrong = await api.http.post(f"/posts/{post}/reject", json={"route_id": str(uuid4())})
    assert wrong.status_code == 409
    rejected = await api.http.post(f"/posts/{post}/reject", json={"route_id": str(route), "reason": "stale"})
    assert rejected.json() == {"route_ids": [str(route)]}
    found = (await api.http.get(f"/posts/{post}")).json()
    assert (found["state"], found["routings"][0]["reason"]) == ("rejected", "stale")
    assert await api.silent("publish.requested")


async def test_what_is_queued_is_called_off(api: Api) -> None:
    post = await api.post()
    assert (await api.http.post(f"/posts/{post}/cancel")).status_code == 409
    await api.publication(post, "queued", "telegram:@a")
    await api.publication(post, "in_progress", "telegram:@b")
    called_off = await api.http.post(f"/posts/{post}/cancel")
    assert called_off.json() == {"destinations": ["telegram:@a"]}
    states = {
        each["destination"]: each["status"] for each in (await api.http.get(f"/posts/{post}")).json()["publications"]
    }
    assert states == {"telegram:@a": "cancelled", "telegram:@b": "in_progress"}


async def test_what_failed_is_tried_again(api: Api, nats_client: Client) -> None:
    post = await api.post()
    assert (await api.http.post(f"/posts/{post}/retry")).status_code == 409
    await api.publication(post, "failed")
    stream = nats_client.jetstream()
    # A result that says nothing: the api's own consumer buries it, about this post.
    headers = {"ce-id": "bad-result", "ce-subject": str(post), "Nats-Msg-Id": "bad-result"}
    await stream.publish("publish.result", b"{}", headers=headers)

    async def buried() -> int:
        return (await stream.stream_info(STREAM)).state.messages

    await eventually(buried)
    answer = await api.http.post(f"/posts/{post}/retry")
    assert answer.status_code == 202
    assert answer.json()["jobs"] == ["api-webhooks-published/bad-result"]
    [event] = await api.emitted("publish.requested")
    assert (event["post_id"], event["targets"]) == (str(post), ["telegram:@there"])
    assert json.dumps(answer.json()["package_ids"])


async def test_each_state_lists_the_posts_that_are_in_it(api: Api) -> None:
    posts = [await api.post(f"post number {number}") for number in range(12)]
    for post, status in zip(
        posts, ("succeeded", "queued", "in_progress", "failed", "cancelled", "unknown"), strict=False
    ):
        await api.publication(post, status)
    for post, decision in zip(posts[5:9], ("hold", "hold", "illustrate", "reject"), strict=True):
        await api.held(post)
        await api.database.execute("UPDATE routings SET decision = $2 WHERE post_id = $1", post, decision)
    for post, status in zip(posts[8:12], ("succeeded", "failed", "cancelled", "in_progress"), strict=True):
        await api.database.execute(
            "INSERT INTO jobs (consumer, event_id, queue, subject, post_id, status) VALUES ('c', $1, 'q', 's', $2, $3)",
            str(post),
            post,
            status,
        )
    await api.rewrite(await api.post("refused"))
    await api.database.execute(
        "UPDATE rewrites SET status = 'refused' WHERE text = 'rewritten' AND post_id <> ALL($1)", posts
    )
    for _ in range(2):
        await api.post("A text that is long enough to be told apart from every other text that there is.")
    everything = (await api.http.get("/posts")).json()["items"]
    states = {state: {each["id"] for each in everything if each["state"] == state} for state in ALL_STATES}
    for state, ids in states.items():
        assert ids, state
        listed = (await api.http.get(f"/posts?state={state}")).json()["items"]
        assert {each["id"] for each in listed} == ids, state
        assert {each["state"] for each in listed} == {state}


ALL_STATES = ("pending", "published", "awaiting", "rejected", "duplicate", "cancelled", "dead")
