"""Reconciliation: it balances where every post has its place, and says which source does not."""

from typing import Any
from uuid import UUID

import pytest

from common.catalog import Catalog
from common.contracts import topology
from common.postgres import Database
from common.posts import NewPost, Posts
from common.reconciliation import STATES, reconcile
from common.telegram.text import RichText


@pytest.fixture
async def posts(database: Database) -> list[UUID]:
    """Two posts of one source, one of another, and a duplicate of the last."""
    catalog = Catalog(database)
    first, second = await catalog.put_source("telegram", "@first"), await catalog.put_source("telegram", "@second")
    texts = [(first, "1", "the first of three posts"), (first, "2", "the second of three posts")]
    texts += [(second, "1", "the third of three posts"), (second, "2", "the third of three posts")]
    brought = await Posts(database).add(
        [NewPost(source, number, RichText(text=text)) for source, number, text in texts]
    )
    return [each.post_id for each in brought]


async def publish(database: Database, post: UUID, message: int, **fields: Any) -> None:
    await database.execute(
        "INSERT INTO publish_packages (id, post_id, status) VALUES ($1::uuid::text, $1, 'succeeded')", post
    )
    await database.execute(
        "INSERT INTO publications (id, package_id, post_id, destination, status, text, message_ids) "
        "VALUES ($1, $1::uuid::text, $1, 'telegram:@d', $3, '', ARRAY[$2::bigint])",
        post, message, fields.get("status", "succeeded"),
    )  # fmt: skip


async def job(database: Database, post: UUID, status: str, queue: str = "q") -> None:
    await database.execute(
        "INSERT INTO jobs (consumer, event_id, queue, subject, post_id, status) "
        "VALUES ('c', $1::uuid::text, $3, 's', $1, $2)",
        post, status, queue,
    )  # fmt: skip


async def test_every_post_has_its_place(database: Database, posts: list[UUID]) -> None:
    await publish(database, posts[0], 7)
    await job(database, posts[1], "failed")
    await job(database, posts[2], "in_progress")
    report = await reconcile(database, idle=True)
    assert report.problems == ()
    assert report.total.balanced
    assert {name: report.total.states.get(name, 0) for name in STATES} == {
        "published": 1, "duplicates": 1, "rejected": 0, "cancelled": 0, "awaiting": 0, "scheduled": 0, "pending": 1,
        "dead": 1,
    }  # fmt: skip
    assert report.pending == 1
    assert report.dead_letters == 1
    assert report.to_json()["sources"]["@second"]["duplicates"] == 1


async def test_a_stray_unbalances_its_source_and_the_whole(database: Database, posts: list[UUID]) -> None:
    await publish(database, posts[0], 7)
    await publish(database, posts[1], 8)
    busy = await reconcile(database, idle=False)  # its event may still be in a stream
    assert busy.total.balanced
    report = await reconcile(database, idle=True)
    assert report.problems == (f"post {posts[2]} (1) has no next step",)
    assert {name: balance.balanced for name, balance in report.sources.items()} == {"@first": True, "@second": False}
    assert not report.total.balanced


@pytest.mark.parametrize("message", [7, None])
async def test_a_message_that_is_shared_or_missing_is_a_contradiction(
    database: Database, posts: list[UUID], message: int | None
) -> None:
    await publish(database, posts[0], 7)
    await publish(database, posts[1], 7)
    if message is None:
        await database.execute("UPDATE publications SET message_ids = '{}' WHERE post_id = $1", posts[1])
    report = await reconcile(database, idle=False)
    [problem] = report.problems
    assert "belongs to 2 publications" in problem if message else "succeeded without a message" in problem
    assert not report.sources["@first"].balanced


async def test_a_published_duplicate_is_a_contradiction(database: Database, posts: list[UUID]) -> None:
    await publish(database, posts[3], 9)
    report = await reconcile(database, idle=False)
    assert any("is a duplicate and was published" in problem for problem in report.problems)


async def broadcast(database: Database, post: UUID | None, *outcomes: str, **counts: int) -> None:
    """A broadcast that is done, to chats of which each tried once; those of equal number are one chat."""
    task = await database.strict.fetchval(
        "INSERT INTO userbot_tasks (post_id, text, status, chats, sent_count, skipped_count) "
        "VALUES ($1, $2, 'done', $3, $4, $5) RETURNING id",
        post, None if post else "own text", [f"@c{n}" for n in range(len(outcomes))],
        counts.get("sent", 0), counts.get("skipped", 0),
    )  # fmt: skip
    for number, outcome in enumerate(outcomes):
        await database.execute(
            "INSERT INTO broadcast_attempts (task_id, chat, attempt, account, outcome, peer_id) "
            "VALUES ($1, $2, 1, 'a', $3, $4)",
            task, f"@c{number}", outcome, counts.get("peer", number),
        )  # fmt: skip


async def test_broadcasts_are_counted_and_balance(database: Database, posts: list[UUID]) -> None:
    await broadcast(database, posts[0], "sent", "skipped", sent=1, skipped=1)
    await broadcast(database, None, "sent", sent=1)
    report = await reconcile(database, idle=False)
    assert report.problems == ()
    assert report.broadcasts == {
        "done": 2, "failed": 0, "cancelled": 0, "open": 0, "sent": 2, "errors": 0, "skipped": 1,
    }  # fmt: skip


async def test_a_chat_that_has_a_broadcast_twice_is_a_contradiction(database: Database, posts: list[UUID]) -> None:
    await broadcast(database, posts[0], "sent", "sent", sent=2, peer=-100)
    await broadcast(database, None, "sent", "sent", sent=2, peer=-100)
    report = await reconcile(database, idle=False)
    assert len(report.problems) == 2
    assert all("was sent to @c0 2 times" in problem for problem in report.problems)
    assert not report.sources["@first"].balanced
    assert not report.total.balanced


async def test_a_broadcast_that_left_chats_out_is_a_contradiction(database: Database, posts: list[UUID]) -> None:
    await broadcast(database, posts[0], "sent", "sending", sent=1)
    [problem] = (await reconcile(database, idle=False)).problems
    assert "has not come to an end in every chat" in problem


async def test_a_broadcast_that_counts_otherwise_than_its_chats_is_a_contradiction(
    database: Database, posts: list[UUID]
) -> None:
    await broadcast(database, posts[0], "retry", "skipped", sent=1, skipped=1)
    await database.execute(
        "INSERT INTO broadcast_attempts (task_id, chat, attempt, account, outcome) "
        "SELECT task_id, chat, 2, account, 'sent' FROM broadcast_attempts WHERE outcome = 'retry'"
    )
    assert (await reconcile(database, idle=False)).problems == ()
    await database.execute("UPDATE broadcast_attempts SET outcome = 'unknown' WHERE attempt = 2")
    [problem] = (await reconcile(database, idle=False)).problems
    assert "counts 1 sent, 0 errors, 1 skipped, and its chats say 0, 1, 1" in problem


async def waits_for_image(database: Database, post: UUID) -> None:
    await database.execute(
        "INSERT INTO routings (post_id, route_id, rewrite_id, decision, targets) "
        "VALUES ($1, $1, $1, 'illustrate', '{telegram:@d}')",
        post,
    )


async def test_a_post_that_waits_for_its_image_is_pending(database: Database, posts: list[UUID]) -> None:
    await publish(database, posts[0], 7)
    await publish(database, posts[1], 8)
    await waits_for_image(database, posts[2])
    await job(database, posts[2], "in_progress")
    report = await reconcile(database, idle=True)
    assert (report.pending, report.problems) == (1, ())


async def test_a_post_whose_image_nobody_makes_is_a_stray(database: Database, posts: list[UUID]) -> None:
    await publish(database, posts[0], 7)
    await publish(database, posts[1], 8)
    await waits_for_image(database, posts[2])
    await job(database, posts[2], "succeeded")
    report = await reconcile(database, idle=True)
    assert report.problems == (f"post {posts[2]} (1) waits for an image that nobody makes",)
    assert not report.total.balanced


async def plan(database: Database, post: UUID, status: str) -> None:
    await database.execute(
        "INSERT INTO scheduled_posts (post_id, platform, target, scheduled_time, due_at, status, created_by) "
        "VALUES ($1, 'telegram', 'telegram:@d', now() + interval '1 day', now(), $2, 'tests')",
        post, status,
    )  # fmt: skip


async def test_scheduled_posts_have_their_place(database: Database, posts: list[UUID]) -> None:
    await plan(database, posts[0], "scheduled")
    await plan(database, posts[1], "failed")
    await plan(database, posts[2], "cancelled")
    report = await reconcile(database, idle=True)
    assert report.problems == ()
    assert report.total.balanced
    assert report.total.to_json() == {
        "collected": 4, "published": 0, "duplicates": 1, "rejected": 0, "cancelled": 1, "awaiting": 0, "scheduled": 1,
        "pending": 0, "dead": 1, "balanced": True,
    }  # fmt: skip
    assert report.scheduled == {"scheduled": 1, "publishing": 0, "published": 0, "failed": 1, "cancelled": 1}


async def test_what_was_published_elsewhere_is_published(database: Database, posts: list[UUID]) -> None:
    await plan(database, posts[0], "published")
    report = await reconcile(database, idle=False)
    assert "where post" in report.problems[0]
    await publish(database, posts[0], 7)
    await plan(database, posts[0], "scheduled")  # and once more, later
    report = await reconcile(database, idle=False)
    assert report.problems == ()
    assert report.total.states["scheduled"] == 1


async def test_who_only_tells_of_a_post_does_not_decide_what_became_of_it(
    database: Database, posts: list[UUID]
) -> None:
    await publish(database, posts[0], 7)
    await job(database, posts[0], "failed")
    for durable in topology().durables():
        tells = durable.name.startswith("api-") or durable.name == "userbot-summary"
        for status, otherwise in (("failed", "dead"), ("in_progress", "pending"), ("cancelled", "published")):
            await database.execute("UPDATE jobs SET queue = $1, status = $2", durable.queue, status)
            [row] = await database.fetch("SELECT state FROM post_states WHERE post_id = $1", posts[0])
            assert row["state"] == ("published" if tells else otherwise), (durable.name, status)
