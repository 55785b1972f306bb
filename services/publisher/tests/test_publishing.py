"""Posts that are published as they should be."""

import hashlib

import pytest

from common.catalog import Catalog
from common.events import derive

from .conftest import Stage, publishing

pytestmark = pytest.mark.usefixtures("stage")


async def test_posts_arrive_in_the_order_of_their_requests(stage: Stage) -> None:
    channel = stage.channel("order")
    texts = [f"post {number}" for number in range(60)]
    for post in await stage.posts(texts):
        await stage.request(post_id=post, targets=["telegram:@order"])
    async with publishing():
        rows = await stage.all_ended(len(texts))
    assert stage.texts(channel) == texts
    assert {row["status"] for row in rows} == {"succeeded"}
    assert [row["message_ids"] for row in rows] == [[message.id] for message in stage.world.messages(channel.id)]


async def test_a_result_tells_where_the_post_is(stage: Stage) -> None:
    stage.channel("where")
    (post,) = await stage.posts(["a post"])
    async with publishing():
        package = await stage.request(post_id=post, targets=["telegram:@Where"])
        result = await stage.ended(package)
    (row,) = await stage.publications()
    assert result["status"] == "succeeded"
    assert result["post_id"] == str(post)
    assert result["targets"] == [
        {
            "target": "telegram:@where",
            "status": "succeeded",
            "message_ids": row["message_ids"],
            "url": f"https://t.me/where/{row['message_ids'][0]}",
            "error": None,
        }
    ]


async def test_a_request_with_its_own_text_brings_a_post(stage: Stage) -> None:
    channel = stage.channel("own")
    async with publishing():
        package = await stage.request(text="Read **this** now", targets=["telegram:@own"])
        result = await stage.ended(package)
    (message,) = stage.world.messages(channel.id)
    assert message.text == "Read this now"
    assert [type(entity).__name__ for entity in message.tl_entities()] == ["MessageEntityBold"]
    (post,) = await stage.rows("SELECT id, source_id, text FROM posts")
    assert (str(post["id"]), post["source_id"], post["text"]) == (result["post_id"], None, "Read this now")


async def test_the_newest_rewrite_goes_to_the_targets_of_the_routes(stage: Stage) -> None:
    channel, other = stage.channel("first"), stage.channel("second")
    catalog = Catalog(stage.database)
    source = await catalog.put_source("import", "routed")
    profile = await catalog.put_profile("plain")
    await catalog.put_route("a", profile_id=profile, targets=["telegram:@first"], source_id=source)
    await catalog.put_route("b", profile_id=profile, targets=["telegram:@second", "telegram:@first"])
    (post,) = await stage.posts(["the original"], source)
    insert = """INSERT INTO rewrites (id, post_id, route_id, profile_id, status, text, model, request, answer,
                    prompt_tokens, completion_tokens, cost_usd, duration_ms, created_at)
                VALUES ($1, $2, $1, $1, $3, $4, 'm', '{}', '{}', 0, 0, 0, 0, now() + $5 * interval '1 s')"""
    for number, (status, text) in enumerate([("succeeded", "older"), ("succeeded", "newer"), ("refused", "refused")]):
        await stage.database.execute(insert, derive(number), post, status, text, number)
    async with publishing():
        await stage.ended(await stage.request(post_id=post))
    assert stage.texts(channel) == stage.texts(other) == ["newer"]


async def test_a_repeated_request_publishes_only_where_the_post_is_not_yet(stage: Stage) -> None:
    first, second = stage.channel("once"), stage.channel("later")
    (post,) = await stage.posts(["only once"])
    async with publishing():
        await stage.ended(await stage.request(post_id=post, targets=["telegram:@once"]))
        again = await stage.ended(await stage.request(post_id=post, targets=["telegram:@once"]))
        more = await stage.ended(await stage.request(post_id=post, targets=["telegram:@once", "telegram:@later"]))
    assert stage.texts(first) == stage.texts(second) == ["only once"]
    assert again["status"] == "cancelled"
    assert again["reason"] == "telegram:@once left out: already published"
    assert again["targets"][0]["url"] == "https://t.me/once/1"
    assert more["status"] == "succeeded"
    assert [(target["target"], target["status"]) for target in more["targets"]] == [
        ("telegram:@later", "succeeded"),
        ("telegram:@once", "cancelled"),
    ]


async def test_two_requests_at_once_publish_once(stage: Stage) -> None:
    channel = stage.channel("rivals")
    (post,) = await stage.posts(["wanted twice"])
    packages = [await stage.request(post_id=post, targets=["telegram:@rivals"]) for _ in range(5)]
    async with publishing():
        results = [await stage.ended(package) for package in packages]
    assert stage.texts(channel) == ["wanted twice"]
    assert sorted(result["status"] for result in results) == ["cancelled"] * 4 + ["succeeded"]


async def test_a_long_text_is_cut_to_what_telegram_takes(stage: Stage) -> None:
    channel = stage.channel("long")
    (post,) = await stage.posts(["😀 word. " * 800])
    async with publishing():
        await stage.ended(await stage.request(post_id=post, targets=["telegram:@long"]))
    (text,) = stage.texts(channel)
    assert 3000 < len(text.encode("utf-16-le")) // 2 <= 4096
    assert text.endswith("…")


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ({"post_id": "6f1c8f0c-37a5-4a0e-8f2e-5a41e4f1f5d0", "targets": ["telegram:@there"]}, "there is no post"),
        ({"text": "hello", "targets": ["pigeon:@there"]}, "it must be platform:address"),
        ({"text": "hello", "targets": ["telegram:not a name"]}, "the address must be @name"),
        ({"text": "  ", "targets": ["telegram:@there"]}, "neither text nor media"),
        ({"text": "hello"}, "must name its targets"),
    ],
)
async def test_a_request_that_can_not_be_carried_out_is_rejected(
    stage: Stage, payload: dict[str, object], reason: str
) -> None:
    stage.channel("there")
    async with publishing():
        await stage.request(**payload)
        letter = await stage.buried()
    assert reason in str(letter)


async def test_a_post_without_targets_is_rejected(stage: Stage) -> None:
    (post,) = await stage.posts(["nowhere to go"])
    async with publishing():
        await stage.request(post_id=post)
        letter = await stage.buried()
    assert "names no target" in str(letter)


async def test_random_ids_are_63_bits_of_a_hash(stage: Stage) -> None:
    publication = derive("any")
    (row,) = await stage.rows("SELECT send_random_ids($1, 7, 2) AS ids", publication)
    digests = [hashlib.sha256(f"{publication}/7/{part}".encode()).digest() for part in range(2)]
    assert row["ids"] == [int.from_bytes(digest[:8], "big") & (2**63 - 1) for digest in digests]
