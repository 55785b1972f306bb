"""Trials of profiles on real servers, before the sandbox's model."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest

from common.catalog import Catalog
from common.events import TrialRequested
from common.messaging.rails import Rails
from common.posts import Media
from common.testing.waiting import eventually
from common.trials import Run, Trial, Trials, Wanted

POST = "Мост открыли **12 мая 2026 года**, он стоит 3 500 рублей. [Подробности](https://example.com/bridge?a=1)."
DRAFT = {
    "name": "bench",
    "style": "dry",
    "language": "en",
    "max_length": 60,
    "keep": ["links"],
    "instructions": "No jokes.",
    "model": "sandbox-writer",
}

pytestmark = pytest.mark.usefixtures("rewriter")


class Bench:
    """Tries a profile, and waits for what comes of it."""

    def __init__(self, stage: Any, trials: Trials, profile_id: UUID) -> None:
        self.stage = stage
        self.trials = trials
        self.profile_id = profile_id

    async def tried(
        self,
        *posts: UUID,
        versions: tuple[int, ...] = (1,),
        draft: dict[str, Any] | None = None,
        job: str = "succeeded",
    ) -> Trial:
        wanted = Wanted(self.profile_id, versions, draft, posts)
        trial_id = await self.trials.request(wanted, by="tests")
        for number in range(1, len(posts) * (len(versions) + bool(draft)) + 1):
            event_id = TrialRequested(trial_id=trial_id, number=number).identity()
            ended = await self.stage.job(str(event_id))
            assert ended["status"] == job, ended["last_error"]
        return await self.trials.get(self.profile_id, trial_id)

    async def run(self, post: str = POST, **given: Any) -> Run:
        (run,) = (await self.tried(await self.stage.post(post), **given)).runs
        return run


@pytest.fixture
async def bench(stage) -> AsyncIterator[Bench]:
    await stage.route("main")  # a route of the source, which a trial has nothing to do with
    profile_id = await Catalog(stage.database).put_profile("bench", style="lively", by="tests")
    rails = Rails(stage.nats.jetstream(), stage.database)
    yield Bench(stage, Trials(stage.database, rails, consumer="api"), profile_id)
    rails.close()


async def test_a_version_and_a_draft_are_tried_on_posts_and_nothing_goes_anywhere(bench: Bench, model) -> None:
    posts = [await bench.stage.post(POST), await bench.stage.post(f"{POST} Ещё слово.")]
    trial = await bench.tried(*posts, draft=DRAFT)
    assert [(run.post_id, run.version, run.status) for run in trial.runs] == [
        (posts[0], 1, "succeeded"),
        (posts[0], None, "succeeded"),
        (posts[1], 1, "succeeded"),
        (posts[1], None, "succeeded"),
    ]
    assert [run.model for run in trial.runs] == ["gpt-4.1-mini", "sandbox-writer"] * 2
    current, draft = trial.runs[:2]
    assert "3 500" in current.text
    assert {"bold", "text_link"} <= {entity["kind"] for entity in current.entities}
    assert len(draft.text) <= 60
    assert (draft.title, draft.hashtags, draft.language) != ("", [], "")
    assert current.cost_usd > 0
    assert current.prompt_tokens > 0
    assert current.seconds > 0
    assert model.calls == 4

    database = bench.stage.database
    for table in ("rewrites", "routings", "publications", "notifications", "dead_letters"):
        assert await database.fetch(f"SELECT FROM {table}") == [], table
    assert "post.rewritten" not in bench.stage.told
    calls = await database.fetch("SELECT * FROM model_calls")
    assert {(call["consumer"], call["profile_id"], call["post_id"], call["route_id"]) for call in calls} == {
        ("rewriter-trials", bench.profile_id, None, None)
    }
    assert await database.fetch("SELECT FROM jobs WHERE post_id IS NOT NULL") == []


async def test_an_older_version_is_what_it_was(bench: Bench, model) -> None:
    await Catalog(bench.stage.database).put_profile("bench", max_length=40, by="tests")
    old, new = (await bench.tried(await bench.stage.post(POST), versions=(1, 2))).runs
    assert len(new.text) <= 40 < len(old.text)


async def test_the_caption_of_a_photo_is_the_limit_where_the_post_has_one(bench: Bench, model) -> None:
    post = await bench.stage.post(
        "Слово за словом. " * 120, media=(Media("photo", {"url": "https://a.example/b.jpg"}),)
    )
    (run,) = (await bench.tried(post)).runs
    assert 0 < len(run.text) <= 1024


async def test_a_refusal_and_an_answer_of_no_use_are_results(bench: Bench, model) -> None:
    model.fault("refusal", message="I can't help with that.")
    refused = await bench.run()
    assert (refused.status, refused.reason, refused.text) == ("refused", "I can't help with that.", "")
    model.fault("invalid_json", times=3)
    failed = await bench.run()
    assert (failed.status, failed.text, failed.calls) == ("failed", "", 3)
    assert failed.reason
    assert "could not be used, 3 times" in failed.reason
    assert failed.cost_usd > refused.cost_usd
    assert "notify.requested" not in bench.stage.told


async def test_an_endpoint_that_is_away_fails_the_run_with_a_dead_letter(bench: Bench, model) -> None:
    model.fault("server_error", times=50)
    run = await bench.run(job="failed")
    assert run.status == "failed"
    assert "endpoint" in (run.reason or "")
    assert run.ended_at is not None
    await bench.stage.heard("dlq.POSTS.rewriter-trials")


async def test_a_run_of_a_profile_that_was_deleted_meanwhile_is_skipped(bench: Bench, model) -> None:
    trial = await bench.tried(await bench.stage.post(POST))
    calls = model.calls
    await bench.stage.database.execute("DELETE FROM profiles WHERE id = $1", bench.profile_id)
    event = TrialRequested(trial_id=trial.id, number=1)
    await bench.stage.nats.jetstream().publish(event.subject, event.model_dump_json().encode())

    async def skipped() -> list[Any]:
        return list(await bench.stage.database.fetch("SELECT FROM jobs WHERE status = 'cancelled'"))

    assert await eventually(skipped)
    assert model.calls == calls


async def test_a_rewrite_says_which_version_wrote_it(bench: Bench, model) -> None:
    await Catalog(bench.stage.database).put_profile("main", style="dry", by="tests")
    assert (await bench.stage.done(POST))["status"] == "succeeded"
    (row,) = await bench.stage.rewrites()
    assert row["profile_version"] == 2
