"""Budgets, and what was spent."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from starlette.responses import Response

from api.http.problems import Problem
from api.panel.desk import Asking, Desk
from api.panel.routes import screen
from api.panel.screens.settings.form import Form, refused
from api.resources.budgets import (
    Budget,
    BudgetChange,
    NewBudget,
    change_budget,
    create_budget,
    delete_budget,
    get_budget,
    list_budgets,
)
from api.resources.routes import list_routes
from api.resources.spending import get_spending
from common.users.people import time_zones

router = screen()

DAYS = 30
OPTIONAL = ("route_id", "limit_usd", "limit_tokens", "fallback_model", "fallback_image_model")
NAMES = ("name", "period", "timezone", "at_limit")
MOST = 200


@router.get("/settings/budgets")
async def show_budgets(desk: Asking, saved: str = "") -> Response:
    """Show the budgets with what is used of each, and what was spent."""
    if saved in ("saved", "deleted"):
        desk.toast(desk.gettext("Saved") if saved == "saved" else desk.gettext("The budget is deleted"))
    zone = desk.viewer.zone.key
    until = datetime.now(desk.viewer.zone).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    since = until - timedelta(days=DAYS)
    by_day = await desk.read(get_spending, by="day", since=since, until=until, timezone=zone)
    by_model = await desk.read(get_spending, by="model", since=since, until=until)
    by_route = await desk.read(get_spending, by="route", since=since, until=until)
    budgets = await desk.read(list_budgets, limit=MOST)
    cost = {group.key: group.cost_usd for group in by_day.groups}
    days = [(since + timedelta(days=number)).date() for number in range(DAYS)]
    spent = [(day, cost.get(day.isoformat(), 0.0)) for day in days]
    return desk.page(
        "settings_budgets.html",
        budgets=budgets,
        spent=spent,
        highest=max(amount for _, amount in spent),
        total=by_day.total,
        shares=[("model", _dearest(by_model.groups)), ("route", _dearest(by_route.groups))],
    )


@router.get("/settings/budgets/new")
async def show_new_budget(desk: Asking) -> Response:
    """Show the form of a new budget."""
    _check(desk)
    first = {"period": "day", "timezone": desk.viewer.zone.key, "warn": "80", "at_limit": "stop"}
    return await _form(desk, Form(first))


@router.post("/settings/budgets")
async def add_budget(desk: Asking) -> Response:
    """Add a budget."""
    given = await desk.form()
    try:
        await desk.act(create_budget, given=desk.given(NewBudget, **_values(given)))
    except Problem as problem:
        return await _form(desk, refused(desk, given, problem))
    return desk.redirect("/settings/budgets?saved=saved")


@router.get("/settings/budgets/{budget_id}")
async def show_budget(desk: Asking, budget_id: UUID) -> Response:
    """Show the form of a budget."""
    _check(desk)
    budget = await desk.read(get_budget, budget_id=budget_id)
    return await _form(desk, Form({**budget.model_dump(), "warn": f"{budget.warn_share * 100:g}"}), budget)


@router.post("/settings/budgets/{budget_id}")
async def save_budget(desk: Asking, budget_id: UUID) -> Response:
    """Change a budget."""
    given = await desk.form()
    try:
        change = desk.given(BudgetChange, **_values(given))
        await desk.act(change_budget, budget_id=budget_id, change=change, if_match=given.get("etag") or None)
    except Problem as problem:
        budget = await desk.read(get_budget, budget_id=budget_id)
        return await _form(desk, refused(desk, given, problem), budget)
    return desk.redirect("/settings/budgets?saved=saved")


@router.post("/settings/budgets/{budget_id}/delete")
async def remove_budget(desk: Asking, budget_id: UUID) -> Response:
    """Remove a budget; what was spent stays in the books."""
    await desk.act(delete_budget, budget_id=budget_id)
    return desk.redirect("/settings/budgets?saved=deleted")


def _values(given: Mapping[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {name: given.get(name, "") for name in NAMES}
    values |= {name: given.get(name, "").strip().replace(",", ".") or None for name in OPTIONAL}
    share = given.get("warn", "").strip()
    return values | {"warn_share": int(share) / 100 if share.isascii() and share.isdecimal() else share}


def _dearest(groups: list[Any]) -> list[Any]:
    return sorted(groups, key=lambda group: -group.cost_usd)[:8]


def _check(desk: Desk) -> None:
    desk.need("admin")


async def _form(desk: Desk, form: Form, budget: Budget | None = None) -> Response:
    return desk.page(
        "settings_budget.html",
        status=form.status,
        form=form,
        budget=budget,
        etag=desk.etag(budget) if budget else "",
        routes=await desk.read(list_routes, limit=MOST),
        zones=sorted(time_zones()),
    )
