"""Contents: asking for them, their status, and deleting them."""

from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import asyncpg
import pytest
from nats.aio.client import Client

from common.catalog import Catalog
from common.messaging.rails import Rails
from common.planning.contents import Brief, ContentInUse, Contents, NoSuchContent, NoSuchProfile
from common.postgres import Database

BRIEF = Brief("Открытие моста", "Мост открыли **12 мая**, он стоит 3 500 рублей")


@pytest.fixture
async def contents(database: Database, nats_client: Client) -> AsyncIterator[Contents]:
    rails = Rails(nats_client.jetstream(), database)
    yield Contents(database, rails, consumer="api")
    rails.close()


async def rewrite(database: Database, post_id: UUID, status: str = "succeeded", reason: str | None = None) -> UUID:
    """What the rewriter writes."""
    rows = await database.strict_fetch(
        "INSERT INTO rewrites (id, post_id, status, reason, title, text, hashtags, language, model, request, answer,"
        " prompt_tokens, completion_tokens, cost_usd, duration_ms) VALUES (gen_random_uuid(), $1, $2, $3, 'headline',"
        " 'written', '{a}', 'ru', 'm', '{}', '{}', 0, 0, 0, 0) RETURNING id", post_id, status, reason,
    )  # fmt: skip
    return UUID(str(rows[0]["id"]))


async def job(database: Database, post_id: UUID, consumer: str, status: str, error: str | None = None) -> None:
    await database.execute(
        "INSERT INTO jobs (queue, subject, consumer, event_id, post_id, status, last_error, finished_at)"
        " VALUES ('q', 's', $1, gen_random_uuid()::text, $2, $3, $4, now())", consumer, post_id, status, error,
    )  # fmt: skip


async def edit(database: Database, post_id: UUID, rewrite_id: UUID | None, text: str) -> None:
    await database.execute(
        "INSERT INTO post_edits (post_id, rewrite_id, text, edited_by) VALUES ($1, $2, $3, 'me')",
        post_id, rewrite_id, text,
    )  # fmt: skip


async def schedule(database: Database, post_id: UUID, status: str) -> None:
    await database.execute(
        "INSERT INTO scheduled_posts (post_id, platform, target, scheduled_time, due_at, status, created_by)"
        " VALUES ($1, 'telegram', 'telegram:@a', now(), now(), $2, 'me')", post_id, status,
    )  # fmt: skip


async def test_a_request_is_a_post_a_row_and_an_event(
    contents: Contents, database: Database, nats_client: Client
) -> None:
    profile = await Catalog(database).put_profile("news")
    asked = await contents.request(Brief(BRIEF.title, BRIEF.description, "news", illustrate=True), by="me")
    found = await contents.get(asked.id)
    assert (found.status, found.post_id, found.profile_id, found.text) == ("requested", asked.post_id, profile, None)
    assert (found.title, found.description, found.illustrate) == (BRIEF.title, BRIEF.description, True)
    post = await database.fetchrow("SELECT * FROM posts WHERE id = $1", asked.post_id)
    assert post
    assert (post["source_id"], post["external_id"], post["content_key"]) == (None, str(asked.id), None)
    assert (post["title"], post["text"]) == (BRIEF.title, "Мост открыли 12 мая, он стоит 3 500 рублей")
    assert [entity["kind"] for entity in post["entities"]] == ["bold"]
    reader = await nats_client.jetstream().pull_subscribe_bind("rewriter-contents", "POSTS")
    [message] = await reader.fetch(1, timeout=10)
    assert message.headers
    assert str(asked.id).encode() in message.data
    assert message.headers["ce-subject"] == str(asked.post_id)


async def test_the_same_brief_twice_is_two_contents(contents: Contents) -> None:
    first, second = await contents.request(BRIEF, by="me"), await contents.request(BRIEF, by="me")
    assert first.post_id != second.post_id
    assert {(await contents.get(each.id)).status for each in (first, second)} == {"requested"}


async def test_an_unknown_profile_leaves_nothing_behind(contents: Contents, database: Database) -> None:
    with pytest.raises(NoSuchProfile, match="'nobody'"):
        await contents.request(Brief("t", "", "nobody"), by="me")
    assert await database.fetch("SELECT FROM posts") == []
    by_id = await Catalog(database).put_profile("p")
    asked = await contents.request(Brief("t", "", str(by_id)), by="me")
    assert (await contents.get(asked.id)).profile_id == by_id


async def test_the_status_follows_from_the_records(contents: Contents, database: Database) -> None:
    asked = await contents.request(BRIEF, by="me")
    await job(database, asked.post_id, "rewriter-contents", "failed", "ModelUnavailable: 503")
    found = await contents.get(asked.id)
    assert (found.status, found.reason) == ("failed", "ModelUnavailable: 503")
    await rewrite(database, asked.post_id, "refused", "I can't help with that.")
    written = await rewrite(database, asked.post_id)
    found = await contents.get(asked.id)
    assert (found.status, found.text, found.headline, found.rewrite_id) == ("created", "written", "headline", written)
    await edit(database, asked.post_id, written, "by hand")
    found = await contents.get(asked.id)
    assert (found.text, found.edited_by, found.headline) == ("by hand", "me", "headline")


async def test_a_refused_content_can_be_written_by_hand(contents: Contents, database: Database) -> None:
    asked = await contents.request(BRIEF, by="me")
    await rewrite(database, asked.post_id, "refused", "no")
    assert (await contents.get(asked.id)).status == "failed"
    await edit(database, asked.post_id, None, "by hand")
    assert (await contents.get(asked.id)).status == "created"
    await rewrite(database, asked.post_id)  # a replay: what a person wrote still counts
    assert (await contents.get(asked.id)).text == "by hand"


async def test_a_content_awaits_its_image_until_it_was_made_or_failed(contents: Contents, database: Database) -> None:
    for end in ("generated", "failed", "dead"):
        asked = await contents.request(Brief("t", "d", illustrate=True), by="me")
        assert not (await contents.get(asked.id)).awaits_image
        written = await rewrite(database, asked.post_id)
        assert (await contents.get(asked.id)).awaits_image
        if end == "dead":
            await job(database, asked.post_id, "imagegen", "failed")
        else:
            await database.execute(
                "INSERT INTO illustrations (id, post_id, rewrite_id, prompt, model, size, status, attempts)"
                " VALUES (gen_random_uuid()::text, $1, $2, '', '', '', $3, 1)", asked.post_id, written, end,
            )  # fmt: skip
        assert not (await contents.get(asked.id)).awaits_image


async def test_what_is_scheduled_or_publishing_is_not_deleted(contents: Contents, database: Database) -> None:
    asked = await contents.request(BRIEF, by="me")
    await schedule(database, asked.post_id, "scheduled")
    with pytest.raises(ContentInUse, match="is scheduled"):
        await contents.delete(asked.id)
    await database.execute("UPDATE scheduled_posts SET status = 'publishing'")
    with pytest.raises(ContentInUse, match="being published"):
        await contents.delete(asked.id)
    await database.execute("UPDATE scheduled_posts SET status = 'cancelled'")
    await contents.delete(asked.id)
    for again in (contents.get, contents.delete):
        with pytest.raises(NoSuchContent):
            await again(asked.id)
    row = await database.fetchrow("SELECT state FROM post_states WHERE post_id = $1", asked.post_id)
    assert row
    assert row["state"] == "cancelled"


async def test_a_post_and_its_content_come_together_or_not_at_all(contents: Contents, database: Database) -> None:
    await database.execute("ALTER TABLE contents ADD CHECK (title <> 'broken')")
    with pytest.raises(asyncpg.CheckViolationError):
        await contents.request(Brief("broken"), by="me")
    assert await database.fetch("SELECT FROM posts UNION ALL SELECT FROM outbox") == []
    with pytest.raises(NoSuchContent):
        await contents.get(uuid4())
