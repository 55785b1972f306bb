"""What people wrote in place of a post or of a rewrite is what is published; briefs are not."""

from uuid import UUID

from common.events import derive
from common.testing.waiting import job_of

from .conftest import Stage, publishing


async def edit(stage: Stage, post: UUID, rewrite: UUID | None, text: str) -> None:
    """Edit a post, as the API does."""
    await stage.database.execute(
        "INSERT INTO post_edits (post_id, rewrite_id, text, entities, edited_by)"
        """ VALUES ($1, $2, $3, '[{"kind": "bold", "offset": 0, "length": 2}]', 'me')""",
        post, rewrite, text,
    )  # fmt: skip


async def published(stage: Stage, post: UUID, target: str, **given: object) -> None:
    package = await stage.request(post_id=post, targets=[f"telegram:@{target}"], **given)
    assert (await stage.ended(package))["status"] == "succeeded"


async def test_the_latest_edit_is_published_in_place_of_what_it_replaces(stage: Stage) -> None:
    original, rewritten, both = (stage.channel(name) for name in ("original", "rewritten", "both"))
    posts = await stage.posts(["one", "two", "three"])
    await edit(stage, posts[0], None, "one, by hand")
    await edit(stage, posts[0], None, "one, by hand, again")
    first, second = await stage.rewrite(posts[1], "two, by the model"), await stage.rewrite(posts[1], "two, anew")
    await edit(stage, posts[1], first, "two, by hand")
    await edit(stage, posts[2], None, "three, by hand")
    await stage.rewrite(posts[2], "three, by the model")
    async with publishing():
        await published(stage, posts[0], "original")
        await published(stage, posts[1], "rewritten", rewrite_id=first)
        await published(stage, posts[1], "both", rewrite_id=second)
        await published(stage, posts[2], "both")
    assert stage.texts(original) == ["one, by hand, again"]
    assert stage.texts(rewritten) == ["two, by hand"]
    assert stage.texts(both) == ["two, anew", "three, by hand"]
    (row, *_) = await stage.publications()
    assert [mark["kind"] for mark in row["entities"]] == ["bold"]


async def test_a_brief_is_never_published_and_what_was_written_from_it_is(stage: Stage) -> None:
    channel = stage.channel("briefs")
    (post,) = await stage.posts(["write about the bridge"])
    content = derive("content", post)
    await stage.database.execute(
        "INSERT INTO contents (id, post_id, title, created_by) VALUES ($1, $2, 'a bridge', 'me')", content, post
    )
    async with publishing():
        request = await stage.request(post_id=post, targets=["telegram:@briefs"])
        job = await job_of(stage.database, request)
        assert job["status"] == "cancelled"
        assert "a brief, and nothing was written from it yet" in job["last_error"]
        await stage.rewrite(post, "The bridge is open")
        await published(stage, post, "briefs")
        await stage.database.execute("UPDATE contents SET deleted_at = now()")
        job = await job_of(stage.database, await stage.request(post_id=post, targets=["telegram:@elsewhere"]))
    assert "was deleted" in job["last_error"]
    assert stage.texts(channel) == ["The bridge is open"]
