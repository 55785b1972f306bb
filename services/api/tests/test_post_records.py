"""What happened to a post, in order; the events it was made of; and how many posts there are."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from .conftest import Api

JOB = (
    "INSERT INTO jobs (consumer, event_id, queue, subject, post_id, status, trouble, attempts, due_at)"
    " VALUES ($1, $2, 'rewrite_queue', 'post.collected', $3, $4, $5, 2, $6)"
)


async def timeline(api: Api, post: Any) -> list[dict[str, Any]]:
    answer = await api.http.get(f"/posts/{post}/timeline")
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    assert [each["at"] for each in items] == sorted(each["at"] for each in items)
    return items


def of_kind(items: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [each["data"] for each in items if each["kind"] == kind]


async def test_everything_that_happened_to_a_post(api: Api) -> None:
    post = await api.post("Bridge opened")
    route, rewrite = await api.held(post)
    due = datetime.now(UTC) + timedelta(minutes=5)
    await api.database.execute(JOB, "rewriter", "e1", post, "queued", "queued", due)
    await api.database.execute(
        "INSERT INTO job_attempts (consumer, event_id, attempt, started_at, outcome, error_class, error)"
        " VALUES ('rewriter', 'e1', 2, now(), 'failed', 'TimeoutError', 'no answer')"
    )
    await api.database.execute(
        "INSERT INTO model_calls (id, service, kind, model, outcome, post_id, consumer, event_id, cost_usd, seconds)"
        " VALUES (gen_random_uuid(), 'rewriter', 'chat', 'm', 'timeout', $1, 'rewriter', 'e1', 0.25, 3)",
        post,
    )
    await api.http.patch(f"/posts/{post}", json={"text": "first words"})
    await api.http.patch(f"/posts/{post}", json={"text": "second words"})
    await api.http.post(f"/posts/{post}/reject", json={"reason": "stale"})
    await api.publication(post, "succeeded")
    await api.database.execute("UPDATE publications SET url = 'https://t.me/there/5', finished_at = now()")
    await api.database.execute(
        "WITH t AS (INSERT INTO userbot_tasks (post_id, chats) VALUES ($1, '{@a}') RETURNING id)"
        " INSERT INTO broadcast_attempts (task_id, chat, attempt, account, outcome, message_ids, finished_at)"
        " SELECT id, '@a', 1, 'me', 'sent', '{7}', now() FROM t",
        post,
    )
    items = await timeline(api, post)
    assert [each["kind"] for each in items][:2] == ["collected", "rewritten"]
    [run] = of_kind(items, "run")
    assert (run["error"], run["attempt"], run["next_at"] is not None) == ("no answer", 2, True)
    assert [each["cost_usd"] for each in of_kind(items, "model_call")] == [0.25]
    assert [(each["before"], each["text"]) for each in of_kind(items, "edited")] == [
        ("rewritten", "first words"), ("first words", "second words"),
    ]  # fmt: skip
    [routed] = of_kind(items, "routed")
    assert (routed["decision"], routed["reason"], routed["rewrite_id"]) == ("reject", "stale", str(rewrite))
    assert routed["by"].startswith("token:")
    assert of_kind(items, "act") == []  # each act is told by what it did
    assert [each["url"] for each in of_kind(items, "published")] == ["https://t.me/there/5"]
    assert [each["url"] for each in of_kind(items, "chat")] == ["https://t.me/a/7"]
    assert route
    await api.http.post(f"/posts/{post}/publish", json={"targets": ["telegram:@other"]})
    assert [each["action"] for each in of_kind(await timeline(api, post), "act")] == ["publish_post"]
    for path in ("timeline", "events"):
        assert (await api.http.get(f"/posts/{uuid4()}/{path}")).status_code == 404


async def test_the_events_of_a_post(api: Api) -> None:
    post = await api.post()
    for consumer, event in (("rewriter", "e1"), ("other", "e1"), ("rewriter", "lost")):
        await api.database.execute(JOB, consumer, event, post, "queued", "queued", None)
    for payload, event in ((b'{"a": 1}', "e1"), (b"\xff", "e2")):
        await api.database.execute(
            "INSERT INTO job_messages (consumer, event_id, payload, headers, sequence)"
            """ VALUES ('rewriter', $1, $2, '{"ce-id": "x"}', 7)""",
            event,
            payload,
        )
    await api.http.post(f"/posts/{post}/publish", json={"targets": ["telegram:@there"]})
    answer = await api.http.get(f"/posts/{post}/events")
    assert answer.status_code == 200, answer.text
    found = answer.json()
    [kept] = [each for each in found["items"] if each["kept_in"] == "jobs"]
    assert (kept["id"], kept["consumers"], kept["payload"]) == ("e1", ["other", "rewriter"], {"a": 1})
    assert (kept["headers"], kept["sequence"]) == ({"ce-id": "x"}, 7)
    assert [each["id"] for each in found["not_kept"]] == ["lost"]
    assert {each["subject"] for each in found["items"]} >= {"publish.requested", "change.publish_post"}  # live


async def test_posts_are_counted_up_to_a_number(api: Api) -> None:
    held = await api.post("held")
    await api.held(held)
    for number in range(3):
        await api.post(f"pending {number}")
    counts = (await api.http.get("/posts/counts")).json()
    assert (counts["all"], counts["states"]["awaiting"], counts["states"]["pending"]) == (4, 1, 3)
    assert set(counts["states"]) == {
        "pending", "scheduled", "published", "awaiting", "rejected", "duplicate", "cancelled", "dead",
    }  # fmt: skip
    await api.database.execute(JOB, "rewriter", "e", held, "queued", "queued", None)  # it is worked on again
    counts = (await api.http.get("/posts/counts?most=3")).json()
    assert (counts["all"], counts["states"]["awaiting"], counts["states"]["pending"]) == (3, 0, 3)


async def test_posts_are_found_by_target_and_by_the_beginning_of_a_word(api: Api) -> None:
    there, elsewhere = await api.post("Мост через реку"), await api.post("Мостовая улица")
    await api.publication(there, "succeeded", "telegram:@there")
    await api.publication(elsewhere, "succeeded", "telegram:@else")

    async def found(**given: str) -> list[dict[str, Any]]:
        answer = await api.http.get("/posts", params=given)
        assert answer.status_code == 200, answer.text
        items: list[dict[str, Any]] = answer.json()["items"]
        return items

    [post] = await found(target="telegram:@there")
    assert (post["id"], post["networks"], post["has_image"], post["source"]) == (
        str(there), ["telegram"], False, "tests",
    )  # fmt: skip
    assert [each["id"] for each in await found(target="telegram:@else", state="published", q="улица")] == [
        str(elsewhere)
    ]
    assert await found(target="telegram:@there", state="dead") == []
    assert await found(target="telegram:@nowhere", q="мост") == []
    assert await found(q="мос") == []
    assert len(await found(q="мос", begun="true")) == 2
    assert [each["id"] for each in await found(q="через рек", begun="true")] == [str(there)]
    for odd in ("or", '"мост рек', "-рек", "a'b", "мос:*", "&|!"):
        await found(q=odd, begun="true")


async def test_a_state_that_was_left_lists_nothing(api: Api) -> None:
    """Marks follow what happens: also where a failed job is tried again and no stage has said anything yet."""
    post = await api.post("tried again")
    await api.database.execute(JOB, "rewriter", "e", post, "failed", "failed", None)

    async def listed(state: str) -> bool:
        return bool((await api.http.get(f"/posts?state={state}")).json()["items"])

    assert await listed("dead")
    assert not await listed("pending")
    await api.database.execute("UPDATE jobs SET status = 'succeeded', trouble = 'succeeded'")
    assert not await listed("dead")
    assert await listed("pending")
    await api.publication(post, "queued")
    await api.database.execute("UPDATE publications SET status = 'succeeded'")
    assert await listed("published")
    assert not await listed("pending")
