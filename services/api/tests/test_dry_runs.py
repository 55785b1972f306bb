"""What a route would do with the latest posts."""

from typing import Any
from uuid import UUID, uuid4

from .conftest import Api


async def profile(api: Api, **given: Any) -> str:
    return str((await api.http.post("/profiles", json={"name": f"p-{uuid4()}", **given})).json()["id"])


async def tried(api: Api, **route: Any) -> list[dict[str, Any]]:
    given = {"name": "r", "targets": ["telegram:@there_news"], **route}
    answer = await api.http.post("/routes/dry-run", json={"route": given})
    assert answer.status_code == 200, answer.text
    return list(answer.json()["posts"])


def steps(post: dict[str, Any]) -> list[tuple[str, str]]:
    return [(step["stage"], step["outcome"]) for step in post["steps"]]


async def test_each_step_is_shown_and_nothing_is_done(api: Api) -> None:
    first = await api.post("The first text of a post that came in")
    await api.post("The first text of a post that came in")
    last = await api.post("Another text of a post that came in", title="A title")
    plain = await profile(api, max_length=900)
    duplicate = {"profile_id": plain, "source_id": str(await api.source())}
    newest, repeated, oldest = await tried(api, **duplicate)
    assert (newest["post_id"], oldest["post_id"]) == (str(last), str(first))
    assert (newest["title"], newest["opening"]) == ("A title", "Another text of a post that came in")
    assert steps(newest) == [
        ("duplicate", "new"),
        ("rewrite", "asked"),
        ("image", "none"),
        ("approval", "not_needed"),
        ("time", "at_once"),
        ("target", "fits"),
    ]
    assert (newest["ends"], newest["steps"][1]["limit"]) == ("published", 900)
    assert (steps(repeated), repeated["ends"]) == ([("duplicate", "duplicate")], "stops")
    assert repeated["steps"][0]["post_id"] == str(first)
    for table in ("rewrites", "routings", "scheduled_posts", "jobs", "outbox", "audit_log"):
        where = " WHERE action = 'dry_run_route'" if table == "audit_log" else ""
        assert await api.database.strict.fetchval(f"SELECT count(*) FROM {table}{where}") == 0, table


async def test_approval_images_and_broadcasts(api: Api) -> None:
    await api.post("A text of a post that came in")
    [post] = await tried(
        api,
        profile_id=await profile(api),
        approval=True,
        illustrate=True,
        image_required=True,
        broadcast={"chats": ["@one", "@two"]},
    )
    found = {step["stage"]: step for step in post["steps"]}
    assert (found["rewrite"]["limit"], found["image"]["outcome"]) == (1024, "made")
    assert found["image"]["detail"] == "without one the post is held"
    assert (found["approval"]["outcome"], post["ends"]) == ("waits", "waits")
    assert (found["broadcast"]["outcome"], found["broadcast"]["count"]) == ("follows", 2)
    assert found["target"]["limit"] == 1024


async def test_what_targets_do_not_take(api: Api) -> None:
    post_id = await api.post("A text of a post that came in")
    targets = ["telegram:@there_news", "x:there", "instagram:there", "other:there"]
    plain = await profile(api)
    [post] = await tried(api, profile_id=plain, targets=targets)
    assert [step["outcome"] for step in post["steps"] if step["stage"] == "target"] == [
        "fits",
        "noted",
        "refused",
        "wrong",
    ]
    await api.database.execute(
        "INSERT INTO rewrites (id, post_id, route_id, profile_id, status, text, model, request, answer,"
        " prompt_tokens, completion_tokens, cost_usd, duration_ms) VALUES (gen_random_uuid(), $1, gen_random_uuid(),"
        " $2, 'succeeded', $3, 'm', '{}', '{}', 1, 1, 0.5, 1)",
        post_id,
        UUID(plain),
        "word " * 900,
    )
    [post] = await tried(api, profile_id=plain, targets=targets[:2])
    found = [step for step in post["steps"] if step["stage"] in ("rewrite", "target")]
    assert [(step["outcome"], step["count"], step["limit"]) for step in found] == [
        ("known", 4500, 4096),
        ("refused", 4499, 4096),
        ("noted", 4499, 280),
    ]


async def test_slots_are_found_and_not_taken(api: Api) -> None:
    for number in range(3):
        await api.post(f"The text number {number} of a post that came in")
    slots = {"times": {str(day): ["09:00", "18:00"] for day in range(1, 8)}}
    given = {"profile_id": await profile(api), "slots": slots}
    times = [
        next(step["at"] for step in post["steps"] if step["stage"] == "time") for post in await tried(api, **given)
    ]
    assert len(set(times)) == 3
    assert sorted(times, reverse=True) == times  # the oldest post goes first
    route = (await api.http.post("/routes", json={"name": "r", "targets": ["telegram:@there_news"], **given})).json()
    again = (await api.http.post("/routes/dry-run", json={"route_id": route["id"], "posts": 1})).json()
    assert [step["at"] for step in again["posts"][0]["steps"] if step["stage"] == "time"] == [times[-1]]
    assert again["posts"][0]["ends"] == "planned"


async def test_what_can_not_be_tried(api: Api) -> None:
    plain = await profile(api)
    nobody = str(uuid4())
    for given, status in (
        ({}, 422),
        ({"route_id": nobody}, 404),
        ({"route_id": nobody, "posts": 0}, 422),
        ({"route": {"name": "r", "profile_id": nobody, "targets": ["telegram:@a_b"]}}, 422),
        ({"route": {"name": "r", "profile_id": plain, "source_id": nobody, "targets": ["telegram:@a_b"]}}, 422),
    ):
        assert (await api.http.post("/routes/dry-run", json=given)).status_code == status, given
    assert await tried(api, profile_id=plain) == []
