"""Illustrating on real servers: what is asked, kept and told."""

from uuid import UUID, uuid4

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from common.events import ImageGenerated, ImageRequested
from common.media.keeping import Keeper
from common.media.pictures import inspect
from common.testing.waiting import eventually

pytestmark = pytest.mark.usefixtures("imagegen")


async def test_a_rewrite_gets_its_image(stage, model) -> None:
    post = await stage.post()
    rewrite = await stage.rewrite(post, image_prompt="A bridge at dawn")
    event_id = await stage.requested(post, rewrite_id=rewrite, publish_to=["telegram:@city"])
    assert (await stage.job(event_id))["status"] == "succeeded"
    (told,) = await stage.heard("image.generated")
    assert told == ImageGenerated(
        request_id=event_id, post_id=post, rewrite_id=rewrite, image=told.image, publish_to=("telegram:@city",)
    )
    assert await stage.attachments(post) == {f"rewrite/{rewrite}": told.image}
    async with stage.media.open(told.image) as file:
        picture = inspect(file)
    assert (picture.mime_type, picture.width, picture.height) == ("image/png", 1024, 1024)
    (row,) = await stage.illustrations()
    assert (row["id"], row["post_id"], row["rewrite_id"]) == (event_id, post, rewrite)
    assert (row["status"], row["hash"], row["reason"], row["attempts"]) == ("generated", told.image, None, 1)
    assert (row["prompt"], row["model"], row["size"]) == ("A bridge at dawn", "gpt-image-1", "1024x1024")
    assert (row["input_tokens"], row["output_tokens"]) == (4, 1056)
    assert float(row["cost_usd"]) == pytest.approx((4 * 5 + 1056 * 40) / 1e6)
    assert row["duration_ms"] > 0
    kept = await stage.image()
    assert (kept["hash"], kept["origin"], kept["width"]) == (told.image, "generated", 1024)
    assert "notify.requested" not in stage.told


async def test_an_image_for_the_post_whatever_is_published_of_it(stage, model) -> None:
    post = await stage.post("**Мост** открыли.", title="Новости моста")
    await stage.done(post)
    (told,) = await stage.heard("image.generated")
    assert (told.rewrite_id, told.publish_to) == (None, None)
    assert await stage.attachments(post) == {"post": told.image}
    (served,) = model.endpoint.journal
    assert served.source.startswith("An illustration for a news post")
    assert "no text in the picture" in served.source
    assert served.source.endswith("\n\nThe post:\nНовости моста\n\nМост открыли.")


async def test_the_prompt_that_was_given_counts_most(stage, model) -> None:
    post = await stage.post()
    rewrite = await stage.rewrite(post, image_prompt="A bridge at dawn")
    await stage.done(post, rewrite_id=rewrite, prompt="  A ferry at dusk ")
    assert [served.source for served in model.endpoint.journal] == ["A ferry at dusk"]


async def test_a_rewrite_without_a_prompt_is_drawn_by_its_own_words(stage, model) -> None:
    post = await stage.post("Оригинал")
    rewrite = await stage.rewrite(post, title="Заголовок", text="слово " * 1000)
    assert (await stage.done(post, rewrite_id=rewrite))["status"] == "succeeded"
    (served,) = model.endpoint.journal
    assert "Заголовок\n\nслово слово" in served.source
    assert "Оригинал" not in served.source
    assert len(served.source) < 1000
    assert served.source.endswith("…")


async def test_another_request_is_another_image_in_the_same_place(stage, model) -> None:
    post = await stage.post()
    await stage.done(post, prompt="One")
    first = await stage.attachments(post)
    await stage.job(await stage.requested(post, "again", prompt="Two"))
    assert await stage.attachments(post) != first
    assert [row["status"] for row in await stage.illustrations()] == ["generated", "generated"]
    row = await stage.database.fetchrow("SELECT detached_at FROM images WHERE hash = $1", first["post"])
    assert row["detached_at"] is not None


async def test_what_was_delivered_twice_is_made_and_told_once(stage, model) -> None:
    post = await stage.post()
    event_id = await stage.requested(post)
    await stage.job(event_id)
    await stage.send(ImageRequested(post_id=post), event_id, "delivered again")
    await stage.job(await stage.requested(post, "a later one", prompt="Another"))
    assert model.calls == 2
    assert len(await stage.heard("image.generated", 2)) == 2


async def test_what_is_worked_on_again_is_not_paid_for_again(stage, model) -> None:
    post = await stage.post()
    event_id = await stage.requested(post)
    await stage.job(event_id)
    await stage.heard("image.generated")
    before = await stage.attachments(post)
    await stage.database.execute("DELETE FROM attachments")
    await stage.database.execute("DELETE FROM jobs WHERE event_id = $1", event_id)
    await stage.send(ImageRequested(post_id=post), event_id, "worked on again")
    assert (await stage.job(event_id))["status"] == "succeeded"
    assert await stage.attachments(post) == before
    (row,) = await stage.illustrations()
    assert (model.calls, row["output_tokens"]) == (1, 1056)


async def test_what_was_deleted_since_is_made_anew(stage, model) -> None:
    post = await stage.post()
    event_id = await stage.requested(post)
    await stage.job(event_id)
    for table in ("attachments", "images", "jobs"):
        await stage.database.execute(f"DELETE FROM {table}")
    await stage.send(ImageRequested(post_id=post), event_id, "worked on again")
    assert (await stage.job(event_id))["status"] == "succeeded"
    (row,) = await stage.illustrations()
    assert (model.calls, row["output_tokens"], row["status"]) == (2, 2 * 1056, "generated")
    assert await stage.attachments(post) == {"post": row["hash"]}


async def test_an_image_that_is_deleted_before_it_is_attached_is_made_again(stage, model) -> None:
    post = await stage.post()
    async with stage.database.transaction() as connection:
        await connection.execute("LOCK illustrations IN EXCLUSIVE MODE")  # the commit waits here
        event_id = await stage.requested(post)
        await eventually(lambda: stage.database.fetch("SELECT FROM images"))
        await Keeper(stage.database, stage.media).delete((await stage.image())["hash"], by="anna")
    job = await stage.job(event_id)
    assert (job["status"], job["excused"], model.calls) == ("succeeded", 1, 2)
    assert await stage.attachments(post) == {"post": (await stage.image())["hash"]}
    async with stage.media.open((await stage.image())["hash"]) as file:
        assert inspect(file).width == 1024


async def test_a_duplicate_is_skipped(stage, model) -> None:
    first, second = await stage.post("Одно и то же, слово в слово"), await stage.post("Одно и то же, слово в слово")
    job = await stage.done(second)
    assert (job["status"], job["last_error"]) == ("cancelled", f"Skip: a duplicate of {first}")
    assert model.calls == 0


async def test_an_unknown_post_or_rewrite_is_a_dead_letter(stage, model) -> None:
    job = await stage.done(UUID(int=1))
    assert (job["status"], job["last_error"]) == ("failed", f"Reject: there is no post {UUID(int=1)}")
    post, other, unknown = await stage.post(), await stage.post("Другая новость"), uuid4()
    job = await stage.done(post, rewrite_id=unknown)
    assert (job["status"], job["last_error"]) == ("failed", f"Reject: the post {post} has no rewrite {unknown}")
    job = await stage.done(other, rewrite_id=await stage.rewrite(post))
    assert job["status"] == "failed"
    assert model.calls == 0


async def test_without_words_there_is_nothing_to_draw(stage, model) -> None:
    post = await stage.post("")
    assert (await stage.done(post))["status"] == "succeeded"
    (told,) = await stage.heard("image.failed")
    assert told.reason.startswith("there is nothing to draw")
    assert model.calls == 0


async def test_metrics(stage, model, database) -> None:
    await stage.done(await stage.post())
    model.fault("content_policy")
    await stage.job(await stage.requested(await stage.post("Ещё одна новость")))
    beat = await database.fetchrow("SELECT address FROM service_beats WHERE service = 'imagegen'")
    async with httpx.AsyncClient() as client:
        text = (await client.get(f"http://{beat['address']}/metrics")).text
    samples = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert samples["postroom_images_total", "generated"] == 1
    assert samples["postroom_images_total", "refused"] == 1
    assert samples["postroom_model_tokens_total", "", "completion", "gpt-image-1"] == 1056  # of no route
    assert samples["postroom_model_call_seconds_count", "answered", "gpt-image-1"] == 1
    assert samples["postroom_model_call_seconds_count", "gpt-image-1", "refused"] == 1
