"""What a budget does to requests for images."""

import pytest

from common.spending.books import BudgetUsedUp
from common.spending.budgets import Budgets, BudgetTerms
from common.testing.waiting import eventually

from .conftest import serving

TINY = {"name": "tiny", "period": "month", "limit_tokens": 1}


async def test_a_request_waits_for_a_budget_past_its_deadline(
    stage, model, database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMAGEGEN_QUEUE_DEADLINE_SECONDS", "0.000001")  # whatever only waits is overdue at once
    budgets = Budgets(database)
    budget = await budgets.add(BudgetTerms(**TINY))
    async with serving():
        assert (await stage.done(await stage.post("first")))["status"] == "succeeded"
        event_id = await stage.requested(await stage.post("second"))
        job = await stage.job(event_id, "queued")
        assert job["error_class"] == BudgetUsedUp.__name__

        async def again() -> bool:
            """The second time, it is overdue."""
            statement = "UPDATE jobs SET created_at = now() - interval '9 days', due_at = NULL WHERE event_id = $1"
            await database.execute(statement, event_id)
            await stage.nats.publish(job["ack_subject"], b"-NAK")
            return (await stage.job(event_id, "queued"))["attempts"] > 1

        await eventually(again)
    assert "image.failed" not in stage.told
    assert model.calls == 1
    assert (await budgets.get(budget)).state == "reached"


async def test_calls_are_booked_with_the_route_of_their_rewrite(stage, model, imagegen, database) -> None:
    post = await stage.post()
    rewrite = await stage.rewrite(post)
    model.fault("svg")
    await stage.done(post, rewrite_id=rewrite)
    calls = await database.fetch("SELECT c.*, r.route_id AS of FROM model_calls c, rewrites r ORDER BY c.at")
    assert [(call["service"], call["kind"], call["outcome"], call["post_id"]) for call in calls] == [
        ("imagegen", "image", "answered", post)
    ] * 2  # what is no picture is paid for as well
    assert all(call["route_id"] == call["of"] and call["completion_tokens"] == 1056 for call in calls)


async def test_another_model_draws_from_the_limit_on(stage, model, imagegen, database) -> None:
    await Budgets(database).add(BudgetTerms(**TINY, at_limit="fallback", fallback_image_model="gpt-image-1-mini"))
    for number in range(2):
        assert (await stage.done(await stage.post(f"number {number}")))["status"] == "succeeded"
    assert [row["model"] for row in await stage.illustrations()] == ["gpt-image-1", "gpt-image-1-mini"]
