"""The inbox: what waits for a person, another rewrite, and decisions that are taken back."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from api.http.paging import END_OF_TIME
from api.statements import statement
from common.catalog import Catalog
from common.testing.waiting import eventually

from .conftest import Api


async def routing(api: Api, post: UUID) -> dict[str, str]:
    [found] = (await api.http.get(f"/posts/{post}")).json()["routings"]
    return dict(found)


async def inbox(api: Api, tab: str = "awaiting") -> list[dict[str, object]]:
    answer = await api.http.get(f"/inbox?tab={tab}")
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def counts(api: Api) -> tuple[int, int, int]:
    found = (await api.http.get("/inbox/counts")).json()
    return found["awaiting"], found["scheduled"], found["rejected"]


async def test_what_waits_for_a_person(api: Api) -> None:
    plain, edited, rejected, planned = [await api.post(f"Post {number} that came in") for number in range(4)]
    for post in (plain, edited, rejected, planned):
        await api.held(post)
    await api.http.patch(f"/posts/{edited}", json={"text": "**A headline**\n\n" + "long " * 60})
    await api.database.execute("UPDATE routings SET targets = '{telegram:@there,x:city}' WHERE post_id = $1", edited)
    await api.http.post(f"/posts/{rejected}/reject", json={"reason": "old news"})
    at = (datetime.now(UTC) + timedelta(hours=2)).isoformat()
    answer = await api.http.post(f"/posts/{planned}/approve", json={"at": at})
    assert answer.status_code == 202, answer.text
    first, second = await inbox(api)
    assert (first["id"], first["title"]) == (str(edited), "A headline")
    assert (first["decision"], first["source"], str(first["edited_by"])[:6]) == ("hold", "tests", "token:")
    assert [(each["platform"], each["count"] > 280) for each in first["fits"]] == [("telegram", True), ("x", True)]  # type: ignore[attr-defined]
    assert (second["id"], second["title"], second["has_image"]) == (str(plain), "rewritten", False)
    [item] = await inbox(api, "rejected")
    assert (item["id"], item["reason"]) == (str(rejected), "old news")
    [item] = await inbox(api, "scheduled")
    assert (item["id"], item["targets"]) == (str(planned), ["telegram:@there"])
    assert await counts(api) == (2, 1, 1)
    assert [
        (await api.http.get(f"/inbox?tab={tab}&limit=1")).json()["next"] is None for tab in ("awaiting", "rejected")
    ] == [
        False,
        True,
    ]


async def test_pages_of_what_is_planned_begin_with_what_is_next(api: Api) -> None:
    posts = [await api.post(f"Post {number} that came in") for number in range(5)]
    for hours, post in zip((3, 1, 5, 2, 4), posts, strict=True):
        await api.held(post)
        at = (datetime.now(UTC) + timedelta(hours=hours)).isoformat()
        assert (await api.http.post(f"/posts/{post}/approve", json={"at": at})).status_code == 202
    seen, cursor = [], ""
    while cursor is not None:
        page = (await api.http.get(f"/inbox?tab=scheduled&limit=2{cursor}")).json()
        seen += [UUID(item["id"]) for item in page["items"]]
        cursor = f"&cursor={page['next']}" if page["next"] else None
    assert seen == [posts[1], posts[3], posts[0], posts[4], posts[2]]


async def test_many_other_posts_do_not_slow_it_down(api: Api) -> None:
    await api.source()
    for part in range(10):  # each within the time that a statement may take
        await api.database.execute(
            """WITH many AS (
                   INSERT INTO posts (id, source_id, external_id, text)
                   SELECT gen_random_uuid(), s.id, $1 || '/' || n, ''
                   FROM sources s, generate_series(1, 2000) n RETURNING id)
               INSERT INTO routings (post_id, route_id, rewrite_id, decision, targets, decided_at)
               SELECT id, gen_random_uuid(), gen_random_uuid(),
                      (ARRAY['publish', 'publish', 'publish', 'reject', 'hold'])[(1 + (row_number() OVER ()) % 5)::int],
                      '{telegram:@there}', now() - (row_number() OVER ()) * interval '1 second' FROM many""",
            str(part),
        )
    await api.database.execute("ANALYZE posts, routings")
    assert await counts(api) == (1000, 0, 1000)
    assert len(await inbox(api)) == len(await inbox(api, "rejected")) == 50
    # How many pages of the database are looked at does not depend on what else the machine does.
    first = 51, END_OF_TIME, None, None
    for name, arguments in (
        ("list_held", first),
        ("list_rejected", first),
        ("list_planned", first),
        ("counts", (1000,)),
    ):
        explained = await api.database.fetchrow(
            f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement('inbox', name)}", *arguments
        )
        assert explained
        plan = json.loads(explained[0])[0]["Plan"]
        assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] < 3000, (name, plan["Shared Hit Blocks"])


async def test_another_rewrite_is_asked_for_with_a_remark(api: Api) -> None:
    post = await api.post()
    route, rewrite = await api.held(post)
    answer = await api.http.post(f"/posts/{post}/rewrite", json={"remark": "  Shorter, please "})
    assert answer.status_code == 202, answer.text
    [event] = await api.emitted("rewrite.requested")
    assert (event["post_id"], event["route_id"], event["rewrite_id"]) == (str(post), str(route), str(rewrite))
    assert (event["remark"], event["by"][:6]) == ("Shorter, please", "token:")
    assert (await routing(api, post))["decision"] == "rewrite"
    assert (await api.http.get(f"/posts/{post}")).json()["state"] == "pending"
    [item] = await inbox(api)
    assert (item["decision"], item["reason"]) == ("rewrite", "is being rewritten: Shorter, please")
    for verb in ("approve", "reject", "rewrite"):  # nobody decides about what is being replaced
        assert (await api.http.post(f"/posts/{post}/{verb}", json={})).status_code == 409
    assert (await api.http.post(f"/posts/{post}/rewrite", json={"remark": "x" * 1001})).status_code == 422


async def test_a_wish_for_another_rewrite_is_taken_back(api: Api) -> None:
    post = await api.post()
    await api.held(post)
    await api.http.post(f"/posts/{post}/rewrite", json={"remark": "Shorter"})
    assert (await api.http.post(f"/posts/{post}/reopen", json={})).status_code == 200
    assert (await routing(api, post))["decision"] == "hold"
    [row] = await api.database.fetch("SELECT status FROM jobs WHERE consumer = 'rewriter-again'")
    assert row["status"] == "cancelled"  # so its message finds it ended
    assert (await api.http.get(f"/posts/{post}")).json()["state"] == "awaiting"


async def test_a_rejection_is_taken_back(api: Api) -> None:
    post = await api.post()
    route, _ = await api.held(post)
    assert (await api.http.post(f"/posts/{post}/reopen", json={})).status_code == 409
    await api.http.post(f"/posts/{post}/reject", json={"reason": "no"})
    answer = await api.http.post(f"/posts/{post}/reopen", json={})
    assert answer.json() == {"route_ids": [str(route)]}
    assert (await api.http.get(f"/posts/{post}")).json()["state"] == "awaiting"
    assert (await api.http.post(f"/posts/{post}/reopen", json={})).status_code == 409
    assert (await api.http.post(f"/posts/{uuid4()}/reopen", json={})).status_code == 404


async def test_an_approval_is_taken_back_before_the_publisher_has_it(api: Api) -> None:
    post = await api.post()
    await api.held(post)
    [request] = (await api.http.post(f"/posts/{post}/approve", json={})).json()["package_ids"]
    assert (await api.http.post(f"/posts/{post}/reopen", json={})).status_code == 200
    [row] = await api.database.fetch("SELECT event_id, status FROM jobs WHERE consumer = 'publisher'")
    assert (row["event_id"], row["status"]) == (request, "cancelled")
    [again] = (await api.http.post(f"/posts/{post}/approve", json={})).json()["package_ids"]
    assert again != request  # else the publisher would take it for the one that was called off
    assert len(await api.emitted("publish.requested", 2)) == 2


async def published(api: Api, post: UUID, request: str, status: str, destination: str = "telegram:@there") -> None:
    """What the publisher makes of a request."""
    await api.database.execute(
        "INSERT INTO jobs (consumer, event_id, queue, subject, post_id, status)"
        " VALUES ('publisher', $1, 'publish_queue', 'publish.requested', $2, 'succeeded') ON CONFLICT DO NOTHING",
        request,
        post,
    )
    await api.database.execute(
        "INSERT INTO publish_packages (id, post_id, status) VALUES ($1, $2, 'queued') ON CONFLICT DO NOTHING",
        request,
        post,
    )
    await api.database.execute(
        "INSERT INTO publications (id, package_id, post_id, destination, status, text, url)"
        " VALUES (gen_random_uuid(), $1, $2, $4, $3, 'text', CASE $3 WHEN 'succeeded' THEN 'https://t.me/there/5' END)",
        request,
        post,
        status,
        destination,
    )


async def test_an_approval_is_taken_back_while_it_is_queued(api: Api) -> None:
    post = await api.post()
    await api.held(post)
    [request] = (await api.http.post(f"/posts/{post}/approve", json={})).json()["package_ids"]
    await published(api, post, request, "queued")
    assert (await api.http.post(f"/posts/{post}/reopen", json={})).status_code == 200
    found = (await api.http.get(f"/posts/{post}")).json()
    assert [each["status"] for each in found["publications"]] == ["cancelled"]
    assert (found["state"], found["routings"][0]["decision"]) == ("awaiting", "hold")


async def test_what_was_sent_is_not_taken_back(api: Api) -> None:
    post = await api.post()
    await api.held(post)
    [request] = (await api.http.post(f"/posts/{post}/approve", json={})).json()["package_ids"]
    await published(api, post, request, "queued", "telegram:@later")
    await published(api, post, request, "succeeded")
    answer = await api.http.post(f"/posts/{post}/reopen", json={})
    assert answer.status_code == 409
    assert "published at telegram:@there already, https://t.me/there/5" in answer.json()["detail"]
    found = (await api.http.get(f"/posts/{post}")).json()
    assert sorted(each["status"] for each in found["publications"]) == ["queued", "succeeded"]
    assert found["routings"][0]["decision"] == "publish"


async def test_a_plan_is_taken_back(api: Api) -> None:
    post = await api.post()
    route, rewrite = await api.held(post)
    at = (datetime.now(UTC) + timedelta(days=1)).replace(microsecond=0)
    answer = await api.http.post(f"/posts/{post}/approve", json={"at": at.isoformat()})
    [planned] = answer.json()["scheduled_ids"]
    plan = (await api.http.get(f"/scheduled-posts/{planned}")).json()
    assert (plan["scheduled_time"], plan["rewrite_id"], plan["target"]) == (
        f"{at:%Y-%m-%dT%H:%M:%SZ}",
        str(rewrite),
        "telegram:@there",
    )
    found = (await api.http.get(f"/posts/{post}")).json()
    assert (found["state"], found["routings"][0]["decision"]) == ("scheduled", "schedule")
    assert (await api.http.post(f"/posts/{post}/reopen", json={})).json() == {"route_ids": [str(route)]}
    assert (await api.http.get(f"/scheduled-posts/{planned}")).json()["status"] == "cancelled"
    assert (await api.http.get(f"/posts/{post}")).json()["state"] == "awaiting"
    [again] = (await api.http.post(f"/posts/{post}/approve", json={"at": at.isoformat()})).json()["scheduled_ids"]
    await api.database.execute("UPDATE scheduled_posts SET status = 'publishing' WHERE id = $1", UUID(again))
    answer = await api.http.post(f"/posts/{post}/reopen", json={})
    assert (answer.status_code, "being sent" in answer.json()["detail"]) == (409, True)


async def test_a_time_that_has_passed_decides_nothing(api: Api) -> None:
    post = await api.post()
    await api.held(post)
    past = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    assert (await api.http.post(f"/posts/{post}/approve", json={"at": past})).status_code == 422
    assert (await routing(api, post))["decision"] == "hold"


async def test_who_comes_second_is_told_who_decided(api: Api) -> None:
    post = await api.post()
    await api.held(post)
    answers = await asyncio.gather(*(api.http.post(f"/posts/{post}/{verb}", json={}) for verb in ("approve", "reject")))
    [late] = [answer for answer in answers if answer.status_code == 409]
    assert "token:" in late.json()["detail"]


async def test_an_approval_for_a_slot_is_taken_back(api: Api) -> None:
    catalog = Catalog(api.database)
    route = await catalog.put_route(
        "slots",
        profile_id=await catalog.put_profile("plain"),
        targets=["telegram:@there"],
        approval=True,
        slots={"timezone": "UTC", "times": {str(day): ["09:00"] for day in range(1, 8)}},
    )
    post = await api.post()
    _, rewrite = await api.held(post)
    await api.database.execute("UPDATE routings SET route_id = $1 WHERE rewrite_id = $2", route, rewrite)
    times = []
    for _ in range(2):
        [planned] = (await api.http.post(f"/posts/{post}/approve", json={})).json()["scheduled_ids"]
        times.append((await api.http.get(f"/scheduled-posts/{planned}")).json()["scheduled_time"])
        assert (await api.http.post(f"/posts/{post}/reopen", json={})).status_code == 200
    assert times[0] == times[1]  # the slot was free again

    async def awaits() -> bool:
        return bool((await api.http.get(f"/posts/{post}")).json()["state"] == "awaiting")

    await eventually(awaits)
