"""What the model's faults do to a job."""

import pytest

from common.events import NotifyRequested, PostRewritten

POST = "Мост открыли в 2024 году: https://example.com/bridge"

pytestmark = pytest.mark.usefixtures("rewriter")


async def notices(stage, number: int = 1) -> list[NotifyRequested]:
    return [NotifyRequested.model_validate_json(each.data) for each in await stage.heard("notify.requested", number)]


@pytest.mark.parametrize(
    ("fault", "complaint"),
    [
        ("invalid_json", "it is not JSON"),
        ("wrong_schema", "it does not fit the schema"),
    ],
)
async def test_an_invalid_answer_is_asked_for_again(stage, model, fault: str, complaint: str) -> None:
    await stage.route()
    model.fault(fault, times=2)
    job = await stage.done(POST)
    assert (job["status"], job["attempts"], model.calls) == ("succeeded", 1, 3)
    (row,) = await stage.rewrites()
    assert [rejected["reason"].startswith(complaint) for rejected in row["answer"]["rejected"]] == [True, True]
    asked = row["request"]["messages"][1]["content"]
    assert f"Your previous answer was not accepted: {complaint}" in asked
    spent = [served.prompt_tokens for served in model.endpoint.journal]
    assert row["prompt_tokens"] == sum(spent)


async def test_an_answer_that_was_cut_off_is_asked_for_once_more(stage, model) -> None:
    await stage.route()
    model.fault("truncated")
    job = await stage.done(POST)
    assert (job["status"], job["attempts"], model.calls) == ("succeeded", 1, 2)
    (row,) = await stage.rewrites()
    assert row["answer"]["rejected"][0]["reason"].startswith("it was cut off at the limit of tokens")


async def test_a_second_answer_that_was_cut_off_fails_the_job_and_is_told(stage, model) -> None:
    await stage.route()
    model.fault("truncated", times=2)
    job = await stage.done(POST)
    assert (job["status"], job["attempts"], model.calls) == ("failed", 1, 2)
    (notice,) = await notices(stage)
    said = "rewrite_queue: the model's answer was cut off at the limit of tokens, 2 times (gpt-4.1-mini, "
    assert notice.title.startswith(said)
    assert notice.severity == "error"


async def test_three_invalid_answers_fail_the_job_and_are_told(stage, model) -> None:
    await stage.route()
    model.fault("invalid_json", times=3)
    job = await stage.done(POST)
    assert (job["status"], model.calls) == ("failed", 3)
    (notice,) = await notices(stage)
    assert notice.title.startswith("rewrite_queue: the model's answer could not be used, 3 times")
    assert await stage.heard("dlq.POSTS.rewriter")
    assert await stage.rewrites() == []


async def test_a_rate_limit_waits_without_an_attempt(stage, model) -> None:
    await stage.route()
    model.fault("rate_limit", seconds=0.2)
    event_id = await stage.collected(await stage.post(POST))
    job = await stage.job(event_id)
    assert (job["status"], job["attempts"], job["excused"], model.calls) == ("succeeded", 2, 1, 2)
    assert "Rate limit reached" in job["last_error"]
    (notice,) = await notices(stage)
    assert (notice.kind, notice.severity, notice.fingerprint) == (
        "rewriter.rate_limited",
        "warning",
        "rewriter.rate_limited",
    )


async def test_a_rate_limit_holds_back_the_others(stage, model) -> None:
    await stage.route()
    model.fault("rate_limit", seconds=0.3)
    events = [await stage.collected(await stage.post(f"Новость номер {number} о мосте")) for number in range(30)]
    jobs = [await stage.job(event) for event in events]
    assert {job["status"] for job in jobs} == {"succeeded"}
    assert model.calls == 31
    assert sum(job["excused"] for job in jobs) == 1
    assert len(await notices(stage)) == 1


@pytest.mark.parametrize("fault", ["server_error", "drop"])
async def test_a_failing_endpoint_counts_as_an_attempt(stage, model, fault: str) -> None:
    await stage.route()
    model.fault(fault)
    job = await stage.done(POST)
    assert (job["status"], job["attempts"], job["excused"]) == ("succeeded", 2, 0)
    assert "ModelUnavailable: the model's endpoint" in job["last_error"]


async def test_a_post_that_is_too_long_for_the_model_fails_with_an_explanation(stage, model) -> None:
    await stage.route()
    model.fault("token_limit")
    job = await stage.done(POST)
    assert (job["status"], job["attempts"]) == ("failed", 1)
    (notice,) = await notices(stage)
    assert notice.title.startswith("rewrite_queue: the post is too long for gpt-4.1-mini: ")
    assert notice.severity == "error"


async def test_a_slow_answer_is_waited_for(stage, model) -> None:
    await stage.route()
    model.fault("delay", seconds=0.3)
    job = await stage.done(POST)
    assert (job["status"], job["attempts"]) == ("succeeded", 1)


async def test_a_route_that_fails_takes_no_other_one_with_it(stage, model) -> None:
    routes = {await stage.route("a"), await stage.route("b")}
    model.fault("invalid_json", times=3)
    post = await stage.post(POST)
    job = await stage.job(await stage.collected(post))
    assert (job["status"], job["attempts"], model.calls) == ("succeeded", 1, 4)
    (row,) = await stage.rewrites()
    (message,) = await stage.heard("post.rewritten")
    assert PostRewritten.model_validate_json(message.data).rewrite_id == row["id"]
    (notice,) = await notices(stage)
    assert (notice.kind, notice.severity, notice.post_id) == ("rewriter.route_failed", "error", post)
    (lost,) = routes - {row["route_id"]}
    assert notice.fingerprint == f"rewriter.route_failed/{lost}"
    assert "the model's answer could not be used, 3 times" in notice.title


@pytest.mark.parametrize("first", ["invalid_json", "refusal"])
async def test_a_post_without_a_rewrite_for_any_route_is_a_dead_letter(stage, model, first: str) -> None:
    await stage.route("a")
    await stage.route("b")
    model.fault(first, times=1 if first == "refusal" else 3)
    model.fault("invalid_json", times=3)
    job = await stage.done(POST)
    assert (job["status"], job["attempts"]) == ("failed", 1)
    assert await stage.heard("dlq.POSTS.rewriter")
    assert await stage.rewrites() == []


async def test_a_rate_limit_of_one_route_brings_all_of_them_back(stage, model) -> None:
    await stage.route("a")
    await stage.route("b")
    model.fault("invalid_json", times=3)
    model.fault("rate_limit", seconds=0.2)
    job = await stage.job(await stage.collected(await stage.post(POST)))
    assert (job["status"], job["excused"], len(await stage.rewrites())) == ("succeeded", 1, 2)
    assert {notice.kind for notice in await notices(stage)} == {"rewriter.rate_limited"}
