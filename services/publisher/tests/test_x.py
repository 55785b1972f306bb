"""X: texts, media and threads, each once."""

import asyncio
import json
from itertools import pairwise

import pytest

from common.catalog import Catalog
from common.planning.x_text import thread, weight
from common.testing.waiting import eventually
from publisher.adapters.x import X as XPlatform
from publisher.ports import Message, Sent
from sandbox.demo.pictures import picture as drawn

from .conftest import File, Platforms, Stage, publishing
from .platforms import playing

X = ["x:demo"]
LONG = " ".join(
    f"Sentence number {number} says something new, https://example.com/page/{number} has it." for number in range(14)
)


async def test_a_text_is_posted_without_marks(stage: Stage, platforms: Platforms) -> None:
    async with publishing():
        text = "**News** from [the city](https://example.com/city) & <more>"
        result = await stage.ended(await stage.request(text=text, targets=["twitter:@Demo"]))
    (target,) = result["targets"]
    (post,) = platforms.x_posts()
    assert (result["status"], target["target"], target["message_ids"]) == ("succeeded", "x:demo", [post.id])
    assert post.text == "News from the city (https://example.com/city) & <more>"
    assert target["url"] == f"https://x.com/demo/status/{post.id}"


async def test_four_images_are_posted_and_the_rest_is_told(stage: Stage, platforms: Platforms) -> None:
    post = await stage.post("Six", *(File("photo", drawn(number)) for number in range(6)))
    async with publishing():
        result = await stage.ended(await stage.request(post_id=post, targets=X))
    (found,) = platforms.x_posts()
    assert len(found.media) == 4
    assert "2 of its media left out" in result["targets"][0]["error"]
    archive = platforms.parts.x.archive
    assert archive.content(found.media[1])[0] == drawn(1)


async def test_a_video_is_uploaded_in_parts_and_processed(stage: Stage, platforms: Platforms) -> None:
    video = b"\x00\x00\x00\x18ftypmp42" + bytes(range(256)) * 6000
    post = await stage.post("Moving", File("video", video, "video/mp4"))
    async with publishing():
        result = await stage.ended(await stage.request(post_id=post, targets=X))
    assert (result["status"], result["targets"][0]["error"]) == ("succeeded", None)
    (found,) = platforms.x_posts()
    assert platforms.parts.x.archive.content(found.media[0])[0] == video
    assert len(platforms.calls("x:/2/media/upload/{id}/append")) == 2


async def test_a_long_text_is_a_thread(stage: Stage, platforms: Platforms) -> None:
    async with publishing():
        result = await stage.ended(await stage.request(text=LONG, targets=X))
    posts = platforms.x_posts()
    assert len(posts) > 3
    assert " ".join(post.text for post in posts) == LONG
    assert all(weight(post.text) <= 280 and post.text.endswith(".") for post in posts)
    assert [post.reply_to for post in posts] == [None, *(post.id for post in posts[:-1])]
    assert result["targets"][0]["message_ids"] == [post.id for post in posts]


@pytest.mark.parametrize("kind", ["drop_after", "error_after"])
async def test_a_post_whose_answer_was_lost_is_found(stage: Stage, platforms: Platforms, kind: str) -> None:
    for _ in range(3):
        platforms.fault("x:/2/tweets", "delay")
        platforms.fault("x:/2/tweets", kind)
    async with publishing():
        result = await stage.ended(await stage.request(text=LONG, targets=X))
    assert result["status"] == "succeeded"
    assert platforms.x_texts() == thread(LONG)
    assert result["targets"][0]["message_ids"] == [post.id for post in platforms.x_posts()]


async def test_a_post_that_an_error_answered_is_posted_again(stage: Stage, platforms: Platforms) -> None:
    platforms.fault("x:/2/tweets", "server_error")
    async with publishing():
        result = await stage.ended(await stage.request(text="Once more", targets=X))
    assert (result["status"], platforms.x_texts()) == ("succeeded", ["Once more"])


async def test_what_is_not_found_awaits_a_person(
    stage: Stage, platforms: Platforms, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNKNOWN_AFTER_SECONDS", "0.5")
    platforms.fault("x:/2/tweets", "drop")
    async with publishing():
        await stage.request(text="Never arrived", targets=X)
        (row,) = await stage.all_ended(1)
        (notice,) = await stage.notices("publisher.unknown")
        after = await stage.ended(await stage.request(text="Goes on", targets=X))
    assert row["status"] == "unknown"
    assert notice["post_id"] == str(row["post_id"])
    assert after["status"] == "succeeded"
    assert platforms.x_texts() == ["Goes on"]
    assert len(platforms.calls("x:/2/tweets")) == 2  # it is never repeated blindly


async def test_the_same_text_of_another_post_is_not_taken_for_ours(stage: Stage, platforms: Platforms) -> None:
    async with publishing():
        first = await stage.ended(await stage.request(text="Twice", targets=X))
        second = await stage.ended(await stage.request(text="Twice", targets=X))
    assert (first["status"], second["status"]) == ("succeeded", "failed")
    assert "duplicate content" in second["reason"]
    assert platforms.x_texts() == ["Twice"]


async def test_a_rate_limit_is_waited_out_and_is_no_attempt(stage: Stage, platforms: Platforms) -> None:
    platforms.fault("x:/2/tweets", "delay")
    platforms.fault("x:/2/tweets", "rate_limit", seconds=1)
    async with publishing():
        result = await stage.ended(await stage.request(text=LONG, targets=X))
    (row,) = await stage.publications()
    assert (result["status"], row["attempts"]) == ("succeeded", 0)
    assert platforms.x_texts() == thread(LONG)
    assert len(platforms.calls("x:/2/tweets")) == len(thread(LONG)) + 1


async def test_a_quota_that_is_used_up_blocks_until_x_counts_anew(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with playing(stage, monkeypatch, x_posts=2, x_posts_seconds=3000) as platforms, publishing():
        for number in range(2):
            await stage.ended(await stage.request(text=f"Post {number}", targets=X))
        await stage.request(text="Too many", targets=X)
        statement = "SELECT extract(epoch FROM blocked_until - now()) AS left FROM pacing WHERE key = 'x:demo'"
        (blocked,) = await eventually(lambda: stage.rows(f"{statement} AND blocked_until > now()"))
        assert len(platforms.x_posts()) == 2
        assert len(platforms.calls("x:/2/tweets")) == 2  # X had said that this was the last one
    assert 2900 < blocked["left"] <= 3001
    (row,) = await stage.rows("SELECT status, attempts, progress FROM publications WHERE text = 'Too many'")
    assert tuple(row) == ("queued", 0, {})


async def test_an_expired_token_is_told_once_and_posts_wait(stage: Stage, platforms: Platforms) -> None:
    account = platforms.parts.x.archive.named("demo")
    assert account
    platforms.parts.x.tokens.expire(account)
    async with publishing():
        await stage.request(text="Waits", targets=X)
        (notice,) = await stage.notices("publisher.token_expired")
        await eventually(lambda: stage.rows("SELECT FROM publications WHERE status = 'queued'"))
    (row,) = await stage.publications()
    assert "x:demo" in notice["title"]
    assert (row["status"], row["attempts"]) == ("queued", 0)
    assert platforms.x_texts() == []


async def test_with_a_refresh_token_the_access_token_is_renewed_and_kept(
    stage: Stage, platforms: Platforms, monkeypatch: pytest.MonkeyPatch
) -> None:
    announced = platforms.parts.announcement(platforms.url)["x"]
    (given,) = announced["accounts"]
    tokens = {"access_token": given["access_token"], "refresh_token": given["refresh_token"]}
    accounts = {"demo": {"user_id": given["id"], "client_id": announced["client_id"]} | tokens}
    monkeypatch.setenv("X_ACCOUNTS", json.dumps(accounts))
    account = platforms.parts.x.archive.named("demo")
    assert account
    for text in ("First", "Second"):  # the refresh token of the settings is used up by then
        platforms.parts.x.tokens.expire(account)
        async with publishing():
            result = await stage.ended(await stage.request(text=text, targets=X))
        assert result["status"] == "succeeded"
    assert platforms.x_texts() == ["First", "Second"]
    assert len(platforms.calls("x:/2/oauth2/token")) == 2


async def test_an_account_keeps_its_pace(stage: Stage, platforms: Platforms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUBLISH_PACING", "real")
    await Catalog(stage.database).put_destination("x:demo", posts_per_hour=3600 * 3)
    for number in range(3):
        await stage.request(text=f"Paced {number}", targets=X)
    async with publishing():
        await stage.all_ended(3)
    times = [post.created_at for post in platforms.x_posts()]
    assert platforms.x_texts() == [f"Paced {number}" for number in range(3)]
    assert min(later - earlier for earlier, later in pairwise(times)) > 0.25


async def test_a_failed_package_deletes_the_thread(stage: Stage, platforms: Platforms) -> None:
    stage.channel("closed", admin=False)
    async with publishing():
        result = await stage.ended(await stage.request(text=LONG, targets=["telegram:@closed", *X]))
    assert result["status"] == "failed"
    assert platforms.x_texts() == []


async def test_a_thread_whose_next_post_is_refused_is_deleted(stage: Stage, platforms: Platforms) -> None:
    part = thread(LONG)[2]
    async with publishing():
        await stage.ended(await stage.request(text=part, targets=X))
        result = await stage.ended(await stage.request(text=LONG, targets=X))
    assert result["status"] == "failed"
    assert platforms.x_texts() == [part]


async def test_a_thread_whose_next_post_fails_for_good_is_deleted(
    stage: Stage, platforms: Platforms, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PUBLISH_QUEUE_MAX_ATTEMPTS", "2")
    platforms.fault("x:/2/tweets", "delay", times=2)
    platforms.fault("x:/2/tweets", "server_error", times=2)
    platforms.fault("x:DELETE /2/tweets/{id}", "delay")
    platforms.fault("x:DELETE /2/tweets/{id}", "server_error")
    async with publishing():
        result = await stage.ended(await stage.request(text=LONG, targets=X))
    assert result["status"] == "failed"
    assert platforms.x_texts() == []
    assert len(platforms.calls("x:/2/tweets")) == 4


async def test_what_goes_wrong_in_a_way_that_nobody_thought_of_is_not_taken_for_not_sent(
    stage: Stage, platforms: Platforms, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken: list[str] = []

    def once(x: XPlatform, message: Message, note: str | None) -> Sent:
        if not broken:
            broken.append(message.address)
            raise RuntimeError("nobody thought of it")
        return as_it_is(x, message, note)

    as_it_is = XPlatform._sent
    monkeypatch.setattr(XPlatform, "_sent", once)
    async with publishing():
        await stage.request(text="Sent, whatever comes after", targets=X)

        async def seen() -> list[str]:
            return broken

        await eventually(seen, every=0.001)
        statuses = set()
        while not statuses & {"succeeded", "unknown", "failed"}:
            statuses |= {row["status"] for row in await stage.publications()}
    assert statuses == {"in_progress", "succeeded"}  # `queued` could be called off
    assert platforms.x_texts() == ["Sent, whatever comes after"]


@pytest.mark.parametrize("target", ["x:demo", "x:nobody", "instagram:demo"])
async def test_a_target_without_credentials_names_the_setting(
    stage: Stage, platforms: Platforms, monkeypatch: pytest.MonkeyPatch, target: str
) -> None:
    name = f"{target.partition(':')[0].upper()}_ACCOUNTS"
    if target != "x:nobody":
        monkeypatch.delenv(name)
    async with publishing():
        await stage.request(text="Nowhere", targets=[target])
        headers = await stage.buried()
    assert name in " ".join(headers.values())


async def test_settings_that_are_no_accounts_are_told_without_secrets(
    stage: Stage, platforms: Platforms, monkeypatch: pytest.MonkeyPatch
) -> None:
    for given in ("{", '{"demo": {"user_id": "x", "access_token": "hush-hush"}}', '{"demo": {"token": "hush-hush"}}'):
        monkeypatch.setenv("X_ACCOUNTS", given)
        with pytest.raises(Exception, match=r"^X_ACCOUNTS: ") as raised:
            async with publishing() as running, asyncio.timeout(20):
                await running
        assert "hush-hush" not in str(raised.value)
