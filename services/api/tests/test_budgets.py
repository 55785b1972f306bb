"""Budgets and spending over HTTP."""

from typing import Any
from uuid import uuid4

import pytest

from common.messaging.ledger import columns
from common.spending.books import Books
from common.spending.calls import ModelCall, Purpose
from common.testing.waiting import eventually

from .conftest import Api

BUDGET = {"name": "all of it", "period": "month", "limit_usd": 10}


async def spend(api: Api, cost: float, *, consumer: str = "rewriter", **given: Any) -> None:
    class Nobody:
        async def emit(self, *_: Any, **__: Any) -> None:
            """Nobody is told."""

    books = Books(api.database, "rewriter", Nobody())
    await books.book(ModelCall(Purpose(consumer, str(uuid4()), **given), "chat", "m", "answered", 1.0, 100, 10, cost))
    books.close()


async def stopped(api: Api, *event_ids: str) -> None:
    """Jobs that wait for a budget, as delivery leaves them."""
    rows = [(event_id, "BudgetUsedUp") for event_id in event_ids]
    await api.database.execute(
        "INSERT INTO jobs (consumer, event_id, queue, subject, status, trouble, error_class, last_error, due_at,"
        " ack_subject) SELECT 'rewriter', id, 'rewrite_queue', 'post.collected', 'queued', 'queued', class, 'x',"
        " now() + interval '1 hour', 'somewhere' FROM unnest($1::text[], $2::text[]) AS given (id, class)",
        *columns(rows, 2),
    )


async def test_a_budget_from_its_beginning_to_its_end(api: Api) -> None:
    await spend(api, 8.5)
    answer = await api.http.post("/budgets", json=BUDGET)
    assert answer.status_code == 201, answer.text
    budget = answer.json()
    assert (budget["used_usd"], budget["used_tokens"], budget["share"], budget["state"]) == (8.5, 110, 0.85, "near")
    assert (budget["timezone"], budget["at_limit"], budget["warn_share"]) == ("UTC", "stop", 0.8)
    path = f"/budgets/{budget['id']}"
    assert answer.headers["location"] == f"/api/v1{path}"
    await spend(api, 2)
    assert (await api.http.get(path)).json()["state"] == "reached"
    assert [each["name"] for each in (await api.http.get("/budgets?state=reached")).json()["items"]] == ["all of it"]
    assert (await api.http.get("/budgets?state=ok")).json()["items"] == []
    changed = await api.http.patch(path, json={"limit_usd": 100, "limit_tokens": 1000})
    assert (changed.json()["share"], changed.json()["state"]) == (0.22, "ok")
    assert (await api.http.delete(path)).status_code == 204
    assert (await api.http.get(path)).status_code == 404
    actions = [each["action"] for each in (await api.http.get("/audit-log")).json()["items"]]
    assert actions[:3] == ["delete_budget", "change_budget", "create_budget"]


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"limit_usd": -1}, "/limit_usd", "greater than 0"),
    ({"limit_usd": "a lot"}, "/limit_usd", "number"),
    ({"limit_usd": None}, "", "it needs limit_usd, limit_tokens, or both"),
    ({"at_limit": "fallback"}, "", "needs fallback_model"),
    ({"timezone": "Mars"}, "/timezone", "no time zone"),
    ({"period": "year"}, "/period", "'day' or 'month'"),
    ({"limit": 1}, "/limit", "not permitted"),
]


async def test_what_makes_no_sense_is_refused(api: Api) -> None:
    budget = (await api.http.post("/budgets", json=BUDGET)).json()
    for change, where, words in WRONG:
        new = await api.http.post("/budgets", json={**BUDGET, "name": "new", **change})
        changed = await api.http.patch(f"/budgets/{budget['id']}", json=change)
        for answer in (new, changed):
            assert answer.status_code == 422, answer.text
            (error,) = answer.json()["errors"]
            assert error["pointer"] == where
            assert words in error["detail"]
    assert (await api.http.get(f"/budgets/{budget['id']}")).json() == budget


async def test_a_name_is_taken_once_and_a_route_with_a_budget_stays(api: Api) -> None:
    profile = (await api.http.post("/profiles", json={"name": "plain"})).json()["id"]
    route = (
        await api.http.post("/routes", json={"name": "city", "profile_id": profile, "targets": ["telegram:@city"]})
    ).json()["id"]
    assert (await api.http.post("/budgets", json={**BUDGET, "route_id": route})).json()["route"] == "city"
    assert (await api.http.post("/budgets", json=BUDGET)).status_code == 409
    lost = await api.http.post("/budgets", json={**BUDGET, "name": "lost", "route_id": str(uuid4())})
    assert (lost.status_code, lost.json()["detail"]) == (422, "there is no such route")
    assert (await api.http.delete(f"/routes/{route}")).status_code == 409


@pytest.mark.parametrize("by", ["change", "delete"])
async def test_what_a_budget_has_stopped_is_set_free(api: Api, by: str) -> None:
    budget = (await api.http.post("/budgets", json=BUDGET)).json()
    await stopped(api, "one", "two")
    if by == "change":
        await api.http.patch(f"/budgets/{budget['id']}", json={"limit_usd": 20})
    else:
        await api.http.delete(f"/budgets/{budget['id']}")

    async def free() -> bool:
        waiting = "SELECT FROM jobs WHERE error_class = 'BudgetUsedUp' AND due_at > now()"
        return not await api.database.fetch(waiting)

    await eventually(free)
    (operation,) = (await api.http.get("/operations")).json()["items"]
    assert operation["reason"] == f"the budget all of it was {by}d"


async def test_a_change_that_stopped_nothing_starts_nothing(api: Api) -> None:
    budget = (await api.http.post("/budgets", json=BUDGET)).json()
    await api.http.patch(f"/budgets/{budget['id']}", json={"limit_usd": 20})
    assert (await api.http.get("/operations")).json()["items"] == []


async def test_spending(api: Api) -> None:
    post = uuid4()
    await spend(api, 1.5, post_id=post)
    await spend(api, 0.5)
    spending = (await api.http.get("/spending?by=model")).json()
    assert (spending["total"]["calls"], spending["total"]["cost_usd"]) == (2, 2.0)
    assert [(group["key"], group["calls"], group["prompt_tokens"]) for group in spending["groups"]] == [("m", 2, 200)]
    assert (await api.http.get(f"/spending?post_id={post}")).json()["total"]["cost_usd"] == 1.5
    profile = uuid4()
    await spend(api, 0.25, consumer="rewriter-trials", profile_id=profile)
    of_profile = (await api.http.get(f"/spending?by=purpose&profile_id={profile}")).json()
    assert [(group["key"], group["cost_usd"]) for group in of_profile["groups"]] == [("trial", 0.25)]
    purposes = (await api.http.get("/spending?by=purpose")).json()["groups"]
    assert [(group["key"], group["calls"]) for group in purposes] == [("rewrite", 2), ("trial", 1)]
    for wrong in ("by=planet", "timezone=Mars", "since=2026-03-01T00:00:00Z&until=2026-02-01T00:00:00Z"):
        assert (await api.http.get(f"/spending?{wrong}")).status_code == 422, wrong
