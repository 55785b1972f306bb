"""Instagram: pictures and albums, each once."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from common.media.links import MediaLinks
from common.testing.waiting import eventually
from sandbox.demo.pictures import picture as drawn

from .conftest import File, Platforms, Stage, publishing
from .platforms import SECRET, playing

INSTAGRAM = ["instagram:demo"]
PHOTO = File("photo", drawn(1))


async def test_a_picture_is_published_with_its_caption(stage: Stage, platforms: Platforms) -> None:
    post = await stage.post("**A** [bridge](https://example.com/bridge)", PHOTO)
    async with publishing():
        result = await stage.ended(await stage.request(post_id=post, targets=["instagram:@Demo"]))
    (target,), (photo,) = result["targets"], platforms.photos()
    assert (result["status"], target["target"], target["message_ids"]) == ("succeeded", "instagram:demo", [photo.id])
    assert target["url"].endswith(f"#m{photo.id}")
    assert photo.caption.startswith("**A**")  # a collected text is taken as it is


async def test_a_text_is_cut_to_what_a_caption_may_have(stage: Stage, platforms: Platforms) -> None:
    text = " ".join(f"A sentence with a #tag{number} in it." for number in range(200))
    post = await stage.post(text, PHOTO)
    async with publishing():
        result = await stage.ended(await stage.request(post_id=post, targets=INSTAGRAM))
    (caption,) = platforms.captions()
    assert result["status"] == "succeeded"
    assert 2000 < len(caption) <= 2200
    assert caption.count("#") == 30
    assert caption.endswith(". …")


async def test_several_pictures_are_a_carousel(stage: Stage, platforms: Platforms) -> None:
    video = File("video", b"no picture", "video/mp4")
    post = await stage.post("Three", *(File("photo", drawn(number)) for number in (1, 2, 3)), video)
    async with publishing():
        result = await stage.ended(await stage.request(post_id=post, targets=INSTAGRAM))
    (album,) = platforms.photos()
    gallery = platforms.parts.instagram.studio.gallery
    assert (album.kind, album.caption) == ("CAROUSEL_ALBUM", "Three")
    assert len(gallery.children(album.id)) == 3
    assert "1 of its media left out" in result["targets"][0]["error"]


async def test_a_photo_by_its_url_is_published(
    stage: Stage, platforms: Platforms, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PUBLISH_ALLOW_PRIVATE_MEDIA", "true")
    await stage.post("Before", PHOTO)  # so that there is one to fetch
    (image,) = await stage.rows("SELECT hash FROM images")
    url = MediaLinks(SECRET, platforms.url).address(image["hash"], 600)
    async with publishing():
        result = await stage.ended(await stage.request(text="By url", media=[{"url": url}], targets=INSTAGRAM))
    assert (result["status"], platforms.captions()) == ("succeeded", ["By url"])


async def test_a_post_without_an_image_is_refused(stage: Stage, platforms: Platforms) -> None:
    async with publishing():
        result = await stage.ended(await stage.request(text="Words only", targets=INSTAGRAM))
    assert result["status"] == "failed"
    assert "no image" in result["targets"][0]["error"]
    assert platforms.calls("instagram:media") == []


async def test_a_post_without_an_image_gets_one_made_once(
    stage: Stage, platforms: Platforms, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INSTAGRAM_IMAGE", "generate")
    post = await stage.post("Words only")
    async with publishing():
        await stage.request(post_id=post, targets=INSTAGRAM)

        async def asked() -> list[dict[str, object]]:
            return stage.told["image.requested"]

        (request,) = await eventually(asked)
        assert (request["post_id"], request["publish_to"]) == (str(post), INSTAGRAM)
        assert await stage.publications() == []
        await stage.database.execute(
            "INSERT INTO illustrations (id, post_id, prompt, model, size, status, reason, attempts)"
            " VALUES ('r', $1, 'p', 'm', '1x1', 'failed', 'the model refused', 1)",
            post,
        )
        result = await stage.ended(await stage.request(post_id=post, targets=INSTAGRAM))
        assert result["status"] == "failed"
        assert "no image" in result["reason"]
        await stage.attach(post, "post", drawn(2))
        result = await stage.ended(await stage.request(post_id=post, targets=INSTAGRAM))
    assert (result["status"], platforms.captions()) == ("succeeded", ["Words only"])
    assert len(stage.told["image.requested"]) == 1


@pytest.mark.parametrize("kind", ["drop_after", "error_after", "drop", "server_error"])
async def test_a_lost_answer_publishes_nothing_twice(stage: Stage, platforms: Platforms, kind: str) -> None:
    platforms.fault("instagram:media_publish", kind)
    post = await stage.post("Once", PHOTO)
    async with publishing():
        result = await stage.ended(await stage.request(post_id=post, targets=INSTAGRAM))
    (photo,) = platforms.photos()
    assert (result["status"], result["targets"][0]["message_ids"]) == ("succeeded", [photo.id])
    assert len(platforms.calls("instagram:media")) == 1  # the same container


async def test_of_two_equal_captions_each_has_its_own_post(stage: Stage, platforms: Platforms) -> None:
    async with publishing():
        for number in (1, 2):
            platforms.fault("instagram:media_publish", "drop_after")
            text = "Equal" + " " * number
            post = await stage.post(text, File("photo", drawn(number)))
            await stage.ended(await stage.request(post_id=post, targets=INSTAGRAM))
    rows = await stage.publications()
    assert platforms.captions() == ["Equal", "Equal"]
    assert [row["message_ids"] for row in rows] == [[photo.id] for photo in platforms.photos()]


async def test_a_container_that_was_published_as_nothing_awaits_a_person(
    stage: Stage, platforms: Platforms, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNKNOWN_AFTER_SECONDS", "0.5")
    monkeypatch.setenv("PUBLISH_QUEUE_TIMEOUT_SECONDS", "2")
    platforms.fault("instagram:media_publish", "drop_after")
    gallery = platforms.parts.instagram.studio.gallery
    monkeypatch.setattr(gallery, "posts", lambda *_given, **_bounds: [])  # as if it had been deleted at once
    post = await stage.post("Gone", PHOTO)
    async with publishing():
        await stage.request(post_id=post, targets=INSTAGRAM)
        (row,) = await stage.all_ended(1)
        (notice,) = await stage.notices("publisher.unknown")
    assert row["status"] == "unknown"
    assert notice["post_id"] == str(post)
    assert len(platforms.calls("instagram:media_publish")) == 1


async def test_a_container_that_fails_is_made_anew(stage: Stage, platforms: Platforms) -> None:
    platforms.fault("instagram:media", "container_error")
    post = await stage.post("Second try", PHOTO)
    async with publishing():
        result = await stage.ended(await stage.request(post_id=post, targets=INSTAGRAM))
    (row,) = await stage.publications()
    assert (result["status"], row["attempts"], platforms.captions()) == ("succeeded", 1, ["Second try"])


async def test_a_container_that_always_fails_is_a_failure(
    stage: Stage, platforms: Platforms, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PUBLISH_QUEUE_MAX_ATTEMPTS", "2")
    platforms.fault("instagram:media", "container_error", times=10, message="2207026")
    post = await stage.post("Never", PHOTO)
    async with publishing():
        result = await stage.ended(await stage.request(post_id=post, targets=INSTAGRAM))
    assert result["status"] == "failed"
    assert "2207026" in result["reason"]


async def test_a_used_quota_is_waited_for(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    async with playing(stage, monkeypatch, instagram_quota=2) as platforms:
        posts = [await stage.post(f"Post {number}", PHOTO) for number in range(3)]
        async with publishing():
            for post in posts[:2]:
                await stage.ended(await stage.request(post_id=post, targets=INSTAGRAM))
            await stage.request(post_id=posts[2], targets=INSTAGRAM)
            statement = "SELECT blocked_until FROM pacing WHERE key = 'instagram:demo' AND blocked_until > now()"
            (blocked,) = await eventually(lambda: stage.rows(statement))
        oldest = datetime.fromtimestamp(platforms.photos()[0].published_at, UTC)
        assert len(platforms.photos()) == 2
        assert len(platforms.calls("instagram:media")) == 2  # no container is made that must wait for a day
    free = oldest + timedelta(days=1)
    assert abs(blocked["blocked_until"] - free) < timedelta(seconds=30)
    (row,) = await stage.rows("SELECT status, attempts FROM publications WHERE post_id = $1", posts[2])
    assert tuple(row) == ("queued", 0)


@pytest.mark.parametrize("code", ["4", "80002"])
async def test_a_rate_limit_blocks_for_as_long_as_it_says(stage: Stage, platforms: Platforms, code: str) -> None:
    platforms.fault("instagram:media", "rate_limit", seconds=600, message=code)
    post = await stage.post("Later", PHOTO)
    async with publishing():
        await stage.request(post_id=post, targets=INSTAGRAM)
        statement = "SELECT extract(epoch FROM blocked_until - now()) AS left FROM pacing WHERE key = 'instagram:demo'"
        (blocked,) = await eventually(lambda: stage.rows(f"{statement} AND blocked_until > now()"))
    assert 500 < blocked["left"] <= 600
    (row,) = await stage.publications()
    assert (row["status"], row["attempts"]) == ("queued", 0)


async def test_an_expired_token_is_told_and_posts_wait(stage: Stage, platforms: Platforms) -> None:
    gallery = platforms.parts.instagram.studio.gallery
    account = gallery.named("demo")
    assert account
    gallery.expire_tokens(account)
    post = await stage.post("Waits", PHOTO)
    async with publishing():
        await stage.request(post_id=post, targets=INSTAGRAM)
        (notice,) = await stage.notices("publisher.token_expired")
        await eventually(
            lambda: stage.rows("SELECT FROM pacing WHERE key = 'instagram:demo' AND blocked_until > now()")
        )
    (row,) = await stage.publications()
    assert "instagram:demo" in notice["title"]
    assert (row["attempts"], row["last_error"]) == (0, None)


async def test_what_instagram_can_t_fetch_names_the_setting(
    stage: Stage, platforms: Platforms, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("API_BASE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("PUBLISH_QUEUE_MAX_ATTEMPTS", "1")
    post = await stage.post("Unreachable", PHOTO)
    async with publishing():
        result = await stage.ended(await stage.request(post_id=post, targets=INSTAGRAM))
    assert result["status"] == "failed"
    assert "API_BASE_URL" in result["reason"]


async def test_what_can_t_be_deleted_is_told(stage: Stage, platforms: Platforms) -> None:
    post = await stage.post("Stays", PHOTO)
    async with publishing():
        await stage.ended(await stage.request(post_id=post, targets=INSTAGRAM))
        await stage.database.execute(
            "UPDATE publications SET take_back = true, due_at = now()"
        )  # another target failed
        (row,) = await eventually(lambda: stage.rows("SELECT * FROM publications WHERE last_error IS NOT NULL"))
    assert (row["status"], row["take_back"]) == ("succeeded", False)
    assert row["last_error"].startswith("could not be deleted: Instagram lets no program delete posts")


async def test_instagram_away_is_waited_for(stage: Stage, platforms: Platforms) -> None:
    platforms.fault("instagram:media", "drop", times=2)
    post = await stage.post("Patience", PHOTO)
    started = time.monotonic()
    async with publishing():
        result = await stage.ended(await stage.request(post_id=post, targets=INSTAGRAM))
    (row,) = await stage.publications()
    assert (result["status"], row["attempts"]) == ("succeeded", 0)
    assert time.monotonic() - started < 20
