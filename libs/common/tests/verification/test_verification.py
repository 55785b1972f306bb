"""What a verification finds, on real servers, and what it mends."""

import asyncio
import json
from collections.abc import Sequence
from uuid import UUID, uuid4

import pytest
from nats.aio.client import Client

from common.catalog import Catalog
from common.events import PostCollected, emitted
from common.jobs import Jobs
from common.messaging.rails import Rails
from common.postgres import Database
from common.posts import NewPost, Posts
from common.telegram.text import RichText
from common.verification import Finding, Mending, Verification, Verified

AN_HOUR = "now() - interval '1 hour'"


@pytest.fixture
async def post(database: Database) -> UUID:
    """A post that came in an hour ago, and that nobody told of."""
    source = await Catalog(database).put_source("import", "an archive")
    [brought] = await Posts(database).add([NewPost(source, "1", RichText(text="A post that is long enough"))])
    await database.execute(f"UPDATE posts SET collected_at = {AN_HOUR}")
    return brought.post_id


async def job(database: Database, post: UUID, *, status: str, kept: bool, sequence: int = 1) -> str:
    """A job of the rewriter that nobody has held for an hour."""
    event_id = str(uuid4())
    await database.execute(
        "INSERT INTO jobs (consumer, event_id, queue, subject, post_id, status, trouble, lease_until, due_at,"
        " started_at) VALUES ('rewriter', $1, 'rewrite_queue', 'post.collected', $2, $3,"
        f" CASE $3 WHEN 'queued' THEN $3 END, CASE $3 WHEN 'in_progress' THEN {AN_HOUR} END, {AN_HOUR}, {AN_HOUR})",
        event_id,
        post,
        status,
    )
    if kept:
        await database.execute(
            "INSERT INTO job_messages (consumer, event_id, payload, headers, sequence)"
            " VALUES ('rewriter', $1, $2, $3, $4)",
            event_id,
            json.dumps({"post_id": str(post), "source_id": str(post)}).encode(),
            json.dumps({"ce-id": event_id}),
            sequence,
        )
    return event_id


async def verified(database: Database, client: Client) -> Verified:
    return await Verification(database, client.jetstream())()


async def mended(database: Database, client: Client, found: Verified) -> Sequence[Finding]:
    rails = Rails(client.jetstream(), database)
    try:
        return (await Mending(client, database, rails)(found)).findings
    finally:
        rails.close()


async def stored(client: Client, subject: str) -> int:
    """How many messages of a subject its stream holds."""
    info = await client.jetstream().stream_info("POSTS", subjects_filter=subject)
    return (info.state.subjects or {}).get(subject, 0)


async def test_nothing_is_found_where_everything_adds_up(database: Database, nats_client: Client) -> None:
    found = await verified(database, nats_client)
    assert found.findings == ()
    assert found.balanced


async def test_a_post_that_nobody_was_told_of_is_told_again(
    database: Database, nats_client: Client, post: UUID
) -> None:
    found = await verified(database, nats_client)
    [finding] = found.findings
    assert (finding.kind, finding.post_id) == ("stopped_post", post)
    assert "has no next step" in finding.problem
    assert not found.balanced
    assert [each.mended for each in await mended(database, nats_client, found)] == [True]
    assert await stored(nats_client, "post.collected") == 1
    await mended(database, nats_client, await verified(database, nats_client))
    assert await stored(nats_client, "post.collected") == 1  # it is the same message


async def test_a_post_whose_message_waits_is_no_stray(database: Database, nats_client: Client, post: UUID) -> None:
    event = emitted(
        PostCollected(post_id=post, source_id=post), event_id=str(uuid4()), consumer="collector", cause_id="test"
    )
    await nats_client.jetstream().publish(event.subject, event.payload, headers=dict(event.headers))
    await database.execute("UPDATE posts SET collected_at = now()")
    await asyncio.sleep(0.2)  # both grow older than the patience
    verify = Verification(database, nats_client.jetstream(), patience=0.1)
    assert (await verify()).findings == ()
    await nats_client.jetstream().purge_stream("POSTS")
    assert len((await verify()).findings) == 1


async def test_a_post_that_came_a_moment_ago_is_no_stray(database: Database, nats_client: Client, post: UUID) -> None:
    await database.execute("UPDATE posts SET collected_at = now()")
    assert (await verified(database, nats_client)).findings == ()


async def test_an_event_that_no_stream_has_is_published(database: Database, nats_client: Client, post: UUID) -> None:
    rails = Rails(nats_client.jetstream(), database)
    event = PostCollected(post_id=post, source_id=post)
    async with database.transaction() as connection:
        await rails.emit(connection, rails.compose([event], consumer="collector", cause="test"))
    rails.close()
    await database.execute(f"UPDATE outbox SET created_at = {AN_HOUR}")
    found = await verified(database, nats_client)
    assert [finding.kind for finding in found.findings] == ["unpublished_event"]
    assert [each.mended for each in await mended(database, nats_client, found)] == [True]
    assert await stored(nats_client, "post.collected") == 1
    assert await database.fetch("SELECT FROM outbox") == []


@pytest.mark.parametrize("status", ["queued", "in_progress"])
async def test_a_job_whose_message_is_gone_gets_it_again(
    database: Database, nats_client: Client, post: UUID, status: str
) -> None:
    await job(database, post, status=status, kept=True)
    found = await verified(database, nats_client)
    [finding] = found.findings
    assert finding.kind == "unheld_job"
    assert "--fix sends it again" in finding.advice
    assert [each.mended for each in await mended(database, nats_client, found)] == [True]
    assert await stored(nats_client, "post.collected") == 1
    [row] = await database.fetch("SELECT status FROM jobs")
    assert row["status"] == "queued"


async def test_a_job_that_was_sent_again_waits_like_any_other(
    database: Database, nats_client: Client, post: UUID
) -> None:
    """Its place in the stream is only known when it is claimed: a replay behind a backlog is no stray."""
    event_id = await job(database, post, status="queued", kept=True)
    await database.execute(f"UPDATE jobs SET due_at = {AN_HOUR}")
    stream, rails = nats_client.jetstream(), Rails(nats_client.jetstream(), database)
    await stream.publish("post.collected", b"{}", headers={"ce-id": event_id})  # it has its place, and goes
    await stream.purge_stream("POSTS")
    await Jobs(nats_client, database, rails).retry("rewriter", event_id)
    rails.close()
    await asyncio.sleep(0.3)  # it grows older than the patience
    verify = Verification(database, stream, patience=0.2)
    assert (await verify()).findings == ()
    await stream.purge_stream("POSTS")
    assert [finding.kind for finding in (await verify()).findings] == ["unheld_job"]


async def test_a_job_without_a_message_is_left_to_a_person(database: Database, nats_client: Client, post: UUID) -> None:
    await job(database, post, status="queued", kept=False)
    [finding] = (await verified(database, nats_client)).findings
    assert "jobs cancel" in finding.advice
    assert finding.remedy is None


async def test_a_job_whose_service_does_not_run_is_left_alone(
    database: Database, nats_client: Client, post: UUID
) -> None:
    event_id = await job(database, post, status="queued", kept=True, sequence=1)
    await nats_client.jetstream().publish("post.collected", b"{}", headers={"ce-id": event_id})
    [finding] = (await verified(database, nats_client)).findings
    assert finding.advice == "no rewriter runs: start it"
    assert finding.remedy is None


async def test_a_job_of_a_paused_queue_waits_on_purpose(database: Database, nats_client: Client, post: UUID) -> None:
    await job(database, post, status="queued", kept=True)
    await database.execute("INSERT INTO queue_pauses (queue, paused_by) VALUES ('rewrite_queue', 'test')")
    assert (await verified(database, nats_client)).findings == ()


@pytest.mark.parametrize("forgotten", [False, True])
async def test_a_rewrite_that_nobody_was_told_of_is_told_again(
    database: Database, nats_client: Client, post: UUID, forgotten: bool
) -> None:
    """Also where its job was forgotten because of its age."""
    catalog = Catalog(database)
    profile = await catalog.put_profile("p")
    route = await catalog.put_route("r", profile_id=profile, targets=["telegram:@a"])
    await database.execute(
        "INSERT INTO rewrites (id, post_id, route_id, profile_id, status, model, request, answer, prompt_tokens,"
        " completion_tokens, cost_usd, duration_ms) VALUES ($1, $2, $3, $4, 'succeeded', 'm', '{}', '{}', 0, 0, 0, 0)",
        uuid4(),
        post,
        route,
        profile,
    )
    await database.execute(
        "INSERT INTO jobs (consumer, event_id, queue, subject, post_id, status, finished_at)"
        f" VALUES ('rewriter', 'e', 'rewrite_queue', 'post.collected', $1, 'succeeded', {AN_HOUR})",
        post,
    )
    if forgotten:
        await database.execute("DELETE FROM jobs")
    found = await verified(database, nats_client)
    assert [each.mended for each in await mended(database, nats_client, found)] == [True]
    assert await stored(nats_client, "post.rewritten") == 1
    assert await stored(nats_client, "post.collected") == 0  # it would be paid for once more
