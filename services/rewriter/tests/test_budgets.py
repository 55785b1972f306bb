"""What a budget does to the jobs of the running service."""

from common.events import NotifyRequested
from common.messaging.rails import Rails
from common.operations import OperationRunner, Operations
from common.operations.kinds import operation_kinds
from common.spending.budgets import Budgets, BudgetTerms
from common.spending.stopped import set_free
from common.testing.waiting import eventually, job_of

POST = "Мост открыли в 2024 году: https://example.com/bridge"
TINY = {"name": "tiny", "period": "day", "limit_tokens": 1}


async def test_a_job_waits_for_a_budget_and_runs_as_soon_as_it_is_raised(stage, model, rewriter, database) -> None:
    route = await stage.route()
    budget = await Budgets(database).add(BudgetTerms(**TINY, route_id=route))
    assert (await stage.done(POST))["status"] == "succeeded"
    posts = [await stage.collected(await stage.post(f"{POST}?{number}")) for number in range(5)]

    async def waiting() -> bool:
        rows = await database.fetch("SELECT FROM jobs WHERE status = 'queued' AND error_class = 'BudgetUsedUp'")
        return len(rows) == len(posts)

    await eventually(waiting)
    waits = await job_of(database, posts[0], "queued")
    assert waits["last_error"].startswith("BudgetUsedUp: the budget tiny is used up until ")
    assert waits["excused"] == waits["attempts"] == 1
    assert model.calls == 1
    (notice,) = [NotifyRequested.model_validate_json(each.data) for each in await stage.heard("notify.requested")]
    assert (notice.kind, notice.severity, notice.title) == ("budget.reached", "error", "The budget tiny is used up")
    assert ", of the route main. " in notice.detail

    await Budgets(database).change(budget, BudgetTerms(**{**TINY, "limit_tokens": 10**9}, route_id=route))
    rails = Rails(stage.nats.jetstream(), database)
    kinds = operation_kinds(stage.nats, database, rails)
    operations = Operations(database, kinds)
    started = await set_free(operations, by="tests", reason="raised")
    assert started
    await OperationRunner(database, kinds).follow(started.id, lambda: operations.get(started.id))
    assert {(await stage.job(post))["status"] for post in posts} == {"succeeded"}
    assert model.calls == 6
    rails.close()


async def test_no_route_is_paid_for_again_while_another_one_s_budget_is_used_up(
    stage, model, rewriter, database
) -> None:
    await stage.route("a")
    await Budgets(database).add(BudgetTerms(**TINY, route_id=await stage.route("b")))
    assert (await stage.done(POST))["status"] == "succeeded"
    await stage.job(await stage.collected(await stage.post(f"{POST}?2")), "queued")
    assert (model.calls, len(await stage.rewrites())) == (2, 2)


async def test_a_cheaper_model_writes_from_the_limit_on(stage, model, rewriter, database) -> None:
    route = await stage.route()
    await Budgets(database).add(BudgetTerms(**TINY, at_limit="fallback", fallback_model="gpt-4o-mini"))
    posts = [await stage.post(f"{POST}?{number}") for number in range(2)]
    for post in posts:
        assert (await stage.job(await stage.collected(post)))["status"] == "succeeded"
    assert [row["model"] for row in await stage.rewrites()] == ["gpt-4.1-mini", "gpt-4o-mini"]
    calls = await database.fetch("SELECT * FROM model_calls ORDER BY at")
    assert [(call["model"], call["route_id"], call["post_id"]) for call in calls] == [
        ("gpt-4.1-mini", route, posts[0]),
        ("gpt-4o-mini", route, posts[1]),
    ]
    assert [(call["service"], call["consumer"], call["outcome"]) for call in calls] == [
        ("rewriter", "rewriter", "answered")
    ] * 2
    assert all(call["cost_usd"] > 0 and call["prompt_tokens"] > 0 and call["profile_id"] for call in calls)


async def test_what_failed_is_in_the_books_too(stage, model, rewriter, database) -> None:
    await stage.route()
    model.fault("server_error")
    model.fault("invalid_json")
    assert (await stage.done(POST))["status"] == "succeeded"
    calls = await database.fetch("SELECT outcome, cost_usd > 0 AS paid FROM model_calls ORDER BY at")
    assert [tuple(call) for call in calls] == [("InternalServerError", False), ("answered", True), ("answered", True)]
