"""What the image model's faults do to a request."""

import pytest

pytestmark = pytest.mark.usefixtures("imagegen")

SPOILED = {
    "invalid_image": "it is no picture that can be used",
    "truncated_image": "it is no picture that can be used",
    "svg": "it is no picture that can be used",
    "html": "it is no picture that can be used",
    "bomb": "it is no picture that can be used",
}


@pytest.mark.parametrize("fault", [*SPOILED, "server_error", "drop"])
async def test_a_fault_counts_as_an_attempt(stage, model, fault: str) -> None:
    model.fault(fault)
    post = await stage.post()
    job = await stage.done(post)
    assert (job["status"], job["attempts"], job["excused"], model.calls) == ("succeeded", 2, 0, 2)
    (told,) = await stage.heard("image.generated")
    assert await stage.attachments(post) == {"post": told.image}
    (row,) = await stage.illustrations()
    assert (row["status"], row["attempts"]) == ("generated", 2)


@pytest.mark.parametrize(("fault", "reason"), [*SPOILED.items(), ("server_error", "the model's endpoint failed: ")])
async def test_after_three_attempts_there_is_no_image(stage, model, fault: str, reason: str) -> None:
    model.fault(fault, times=5)
    post = await stage.post()
    rewrite = await stage.rewrite(post)
    event_id = await stage.requested(post, rewrite_id=rewrite, publish_to=[])
    job = await stage.job(event_id)
    assert (job["status"], job["attempts"], model.calls) == ("succeeded", 3, 3)
    (told,) = await stage.heard("image.failed")
    assert (told.request_id, told.post_id, told.rewrite_id, told.publish_to) == (event_id, post, rewrite, ())
    assert told.reason.startswith(reason)
    (row,) = await stage.illustrations()
    assert (row["status"], row["reason"], row["hash"], row["attempts"]) == ("failed", told.reason, None, 3)
    assert row["output_tokens"] == (1056 if fault in SPOILED else 0)
    (notice,) = await stage.heard("notify.requested")
    assert (notice.kind, notice.post_id, notice.title) == ("imagegen.failed", post, "A post gets no image")
    assert told.reason in notice.detail
    assert await stage.attachments(post) == {}
    assert await stage.database.fetch("SELECT FROM images") == []
    assert not [subject for subject in stage.told if subject.startswith("dlq.")]


async def test_refused_content_is_not_asked_for_again(stage, model) -> None:
    model.fault("content_policy", message="This can't be drawn.")
    post = await stage.post()
    job = await stage.done(post)
    assert (job["status"], job["attempts"], model.calls) == ("succeeded", 1, 1)
    (told,) = await stage.heard("image.failed")
    assert told.reason.endswith("This can't be drawn.")
    (row,) = await stage.illustrations()
    assert (row["status"], row["reason"], row["attempts"]) == ("failed", told.reason, 1)
    (notice,) = await stage.heard("notify.requested")
    assert (notice.kind, notice.title) == ("imagegen.refused", "The model refused to illustrate a post")


async def test_a_rate_limit_waits_without_an_attempt(stage, model) -> None:
    model.fault("rate_limit", seconds=0.2)
    job = await stage.done(await stage.post())
    assert (job["status"], job["attempts"], job["excused"], model.calls) == ("succeeded", 2, 1, 2)
    (row,) = await stage.illustrations()
    assert (row["status"], row["attempts"]) == ("generated", 1)
    (notice,) = await stage.heard("notify.requested")
    assert (notice.kind, notice.title) == ("imagegen.rate_limited", "The rate limit of gpt-image-1 is reached")
    assert "illustrating pauses for" in notice.detail


async def test_a_large_image_is_an_image(stage, model) -> None:
    model.fault("large")
    job = await stage.done(await stage.post())
    assert (job["status"], job["attempts"]) == ("succeeded", 1)
    (told,) = await stage.heard("image.generated")
    kept = await stage.image()
    assert (kept["hash"], kept["mime_type"], kept["width"]) == (told.image, "image/png", 2600)
    assert kept["size_bytes"] > 20_000_000
    async with stage.media.open(told.image) as file:
        assert file.seek(0, 2) == kept["size_bytes"]


async def test_several_at_once(stage, model) -> None:
    for fault in ("svg", "server_error", "rate_limit", "html"):
        model.fault(fault)
    events = [await stage.requested(await stage.post(f"Новость номер {number}")) for number in range(10)]
    assert {(await stage.job(event))["status"] for event in events} == {"succeeded"}
    assert [row["status"] for row in await stage.illustrations()] == ["generated"] * 10
    assert model.calls == 14
