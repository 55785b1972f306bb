"""An endpoint that is slow, that a person has to put right, or that answers in its own way; and the sweep."""

import asyncio
import io
import os
from collections.abc import AsyncIterator

import pytest

from common.leases import Leases
from common.testing.waiting import eventually
from imagegen.app import run


@pytest.fixture
def settings(model, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """What a test sets, before the service reads it."""
    for name, value in request.param.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
async def running(stage, settings) -> AsyncIterator[None]:
    """The service with these settings."""
    stop = asyncio.Event()
    task = asyncio.create_task(run(stop))
    yield
    stop.set()
    await task


def given(**settings: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("settings", [settings], indirect=True, ids=[""])


@given(OPENAI_API_KEY="sk-wrong-wrong-wrong")
async def test_a_wrong_key_sends_nothing_to_the_dead_letters(stage, model, running) -> None:
    first = await stage.job(await stage.requested(await stage.post()), "queued")
    assert "does not accept OPENAI_API_KEY" in first["last_error"]
    assert "sk-wrong" not in first["last_error"]
    for number in range(5):
        job = await stage.job(await stage.requested(await stage.post(f"Новость номер {number}")), "queued")
        assert (job["excused"], job["last_error"]) == (1, first["last_error"])
    assert model.calls == 1
    (notice,) = await stage.heard("notify.requested")
    assert (notice.kind, notice.severity) == ("imagegen.unauthorised", "error")
    assert set(stage.told) == {"notify.requested"}


@given(IMAGEGEN_QUEUE_DEADLINE_SECONDS="0.000001")
async def test_what_has_waited_too_long_gets_no_image(stage, model, running) -> None:
    model.fault("rate_limit", seconds=0.01, times=5)
    job = await stage.done(await stage.post())
    assert (job["status"], job["attempts"], job["excused"], model.calls) == ("succeeded", 2, 1, 2)
    (told,) = await stage.heard("image.failed")
    assert told.reason.startswith("The rate limit of gpt-image-1 is reached")


@given(OPENAI_IMAGE_TIMEOUT_SECONDS="0.5")
async def test_an_endpoint_that_hangs_is_given_up_and_asked_again(stage, model, running) -> None:
    model.fault("hang")
    job = await stage.done(await stage.post())
    assert (job["status"], job["attempts"], job["excused"]) == ("succeeded", 2, 0)
    assert job["last_error"] == "ModelUnavailable: the model gave no answer within 0.5 s"


@given(OPENAI_IMAGE_TIMEOUT_SECONDS="0.2")
async def test_an_endpoint_that_hangs_for_ever_gives_no_image(stage, model, running) -> None:
    model.fault("hang", times=3)
    job = await stage.done(await stage.post())
    assert (job["status"], job["attempts"]) == ("succeeded", 3)
    (told,) = await stage.heard("image.failed")
    assert told.reason == "the model gave no answer within 0.2 s"


@given(OPENAI_IMAGE_SIZE="333x333")
async def test_a_size_that_the_model_does_not_know_gives_no_image(stage, model, running) -> None:
    job = await stage.done(await stage.post())
    assert (job["status"], job["attempts"]) == ("succeeded", 1)
    (told,) = await stage.heard("image.failed")
    assert told.reason.startswith("the model's endpoint does not take this request: ")


@given(OPENAI_IMAGE_MODEL="dall-e-3", OPENAI_IMAGE_SIZE="1792x1024", OPENAI_IMAGE_QUALITY="hd")
async def test_a_model_that_counts_no_tokens(stage, model, running) -> None:
    await stage.done(await stage.post())
    (row,) = await stage.illustrations()
    assert (row["status"], row["model"], row["size"], row["output_tokens"]) == ("generated", "dall-e-3", "1792x1024", 0)
    assert float(row["cost_usd"]) == pytest.approx(0.04)


@given(IMAGES_GC_SECONDS="0.05", IMAGES_GRACE_SECONDS="3600")
async def test_the_sweep_goes_on_all_the_time_and_leaves_what_is_attached(stage, model, running) -> None:
    await stage.done(await stage.post())
    unused = await stage.media.keep(io.BytesIO(os.urandom(1000)), "image/png", origin="source")
    await stage.database.execute("UPDATE images SET last_used_at = now() - interval '2 hours'")

    async def swept() -> bool:
        return bool(await stage.database.fetch("SELECT FROM image_deletions WHERE hash = $1", unused.hash))

    await eventually(swept)
    (row,) = await stage.illustrations()
    assert [kept["hash"] for kept in await stage.database.fetch("SELECT hash FROM images")] == [row["hash"]]


@given(IMAGES_GC_SECONDS="0.05", IMAGES_GRACE_SECONDS="0")
async def test_one_replica_sweeps_at_a_time(stage, model, database, settings) -> None:
    other = Leases(database, stage.source)
    assert await other.take("imagegen-sweep")
    unused = await stage.media.keep(io.BytesIO(b"unused"), "", origin="source")
    stop = asyncio.Event()
    task = asyncio.create_task(run(stop))
    await stage.done(await stage.post())
    assert await database.fetch("SELECT FROM images WHERE hash = $1", unused.hash)
    await other.release("imagegen-sweep")

    async def gone() -> bool:
        return not await database.fetch("SELECT FROM images WHERE hash = $1", unused.hash)

    await eventually(gone)
    stop.set()
    await task
