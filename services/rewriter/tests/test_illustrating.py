"""Which posts get an image: what is asked for beside a rewrite, on real servers."""

from uuid import UUID

import pytest

from common.events import ImageRequested, PostRewritten
from common.posts import Media

POST = "Новый мост открыли в 2024 году, он стоит дороже, чем думали."

pytestmark = pytest.mark.usefixtures("rewriter")


async def attach(stage, post: UUID, position: int) -> None:
    """Do as the collector does once it has fetched a file of a post."""
    await stage.database.execute(
        "INSERT INTO images (hash, object, origin, mime_type, size_bytes) VALUES ($1, $1, 'source', 'image/png', 1)",
        f"{post.int * 10 + position:064x}"[-64:],
    )
    await stage.database.execute(
        "SELECT attach_images(ARRAY[$1::uuid], ARRAY[$2], ARRAY[$3])",
        post, f"source/{position}", f"{post.int * 10 + position:064x}"[-64:],
    )  # fmt: skip


async def told(stage, post: UUID) -> tuple[PostRewritten, list[ImageRequested]]:
    """What the rewriter said of a post once its job had succeeded."""
    job = await stage.job(await stage.collected(post))
    assert job["status"] == "succeeded"
    events = [PostRewritten.model_validate_json(message.data) for message in await stage.heard("post.rewritten")]
    [rewritten] = [event for event in events if event.post_id == post]
    if rewritten.illustrate:
        await stage.heard("image.requested")
    asked = [ImageRequested.model_validate_json(message.data) for message in stage.told.get("image.requested", [])]
    return rewritten, [event for event in asked if event.post_id == post]


async def test_an_image_is_asked_for_with_the_prompt_of_the_rewrite(stage) -> None:
    await stage.route(illustrate=True)
    post = await stage.post(POST)
    rewritten, requests = await told(stage, post)
    (row,) = await stage.rewrites()
    assert row["image_prompt"]
    assert rewritten.illustrate
    assert requests == [ImageRequested(post_id=post, rewrite_id=row["id"], prompt=row["image_prompt"])]


async def test_only_for_the_routes_that_illustrate(stage) -> None:
    plain, pictured = await stage.route("a"), await stage.route("b", illustrate=True)
    post = await stage.post(POST)
    await stage.job(await stage.collected(post))
    events = [PostRewritten.model_validate_json(message.data) for message in await stage.heard("post.rewritten", 2)]
    assert {event.route_id: event.illustrate for event in events} == {plain: False, pictured: True}
    (message,) = await stage.heard("image.requested")
    [wanted] = [event.rewrite_id for event in events if event.illustrate]
    assert ImageRequested.model_validate_json(message.data).rewrite_id == wanted


@pytest.mark.parametrize(
    ("kind", "fetched", "illustrated"),
    [("photo", True, False), ("video", True, False), ("animation", True, False), ("document", True, True),
     ("audio", True, True), ("photo", False, True)],
)  # fmt: skip
async def test_a_post_with_a_picture_of_its_own_needs_none(stage, kind: str, fetched: bool, illustrated: bool) -> None:
    await stage.route(illustrate=True)
    media = (Media("document", {"url": "http://files.test/1"}), Media(kind, {"url": "http://files.test/2"}))
    post = await stage.post(POST, media=media)
    if fetched:
        await attach(stage, post, 2)
    rewritten, requests = await told(stage, post)
    assert (rewritten.illustrate, len(requests)) == (illustrated, int(illustrated))


async def test_a_post_without_a_text_gets_none(stage, model) -> None:
    await stage.route(illustrate=True)
    post = await stage.post("", media=(Media("document", {"url": "http://files.test/1"}),))
    rewritten, requests = await told(stage, post)
    assert (rewritten.illustrate, requests, model.calls) == (False, [], 0)


async def test_a_refused_rewrite_asks_for_none(stage, model) -> None:
    await stage.route(illustrate=True)
    model.fault("refusal", message="I can't help with that.")
    assert (await stage.done(POST))["status"] == "succeeded"
    await stage.heard("notify.requested")
    assert "image.requested" not in stage.told


@pytest.mark.parametrize(
    ("illustrate", "media"), [(True, ()), (False, (Media("photo", {"url": "http://files.test/1"}),))]
)
async def test_a_text_that_goes_with_a_picture_is_written_to_fit_under_it(stage, illustrate: bool, media) -> None:
    await stage.route(illustrate=illustrate)
    await stage.route("long")
    post = await stage.post(" ".join(f"Предложение {number} об открытии моста." for number in range(60)), media=media)
    await stage.job(await stage.collected(post))
    lengths = sorted(len(row["text"].encode("utf-16-le")) // 2 for row in await stage.rewrites())
    assert lengths[0] <= 1024
    assert (lengths[1] > 1024) == (not media)
