"""Budgets: how much may be spent on models in a day or a month."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi.exceptions import RequestValidationError
from pydantic import Field, ValidationError

from api.http.calls import Call, Calling
from api.http.paging import Page, Paged
from api.http.routes import resource
from api.http.values import Answer, Change, Given, Utc
from api.statements import statement
from common.operations import Operations
from common.planning.schedules import Zone
from common.spending.budgets import MOST_TOKENS, MOST_USD, Budgets, BudgetTerms, ModelName, State
from common.spending.stopped import set_free

router = resource("budgets", write="admin")

Period = Literal["day", "month"]
AtLimit = Literal["stop", "fallback"]


class NewBudget(BudgetTerms, Given):
    """A budget."""


class BudgetChange(Change):
    """What is to be different."""

    name: Annotated[str, Field(min_length=1, max_length=200)] = ""
    route_id: UUID | None = None
    period: Period = "day"
    timezone: Zone = "UTC"
    limit_usd: float | None = Field(default=None, gt=0, le=MOST_USD)
    limit_tokens: int | None = Field(default=None, gt=0, le=MOST_TOKENS)
    warn_share: float = Field(default=0.8, gt=0, le=1)
    at_limit: AtLimit = "stop"
    fallback_model: ModelName | None = None
    fallback_image_model: ModelName | None = None


class Budget(Answer):
    """A budget, with what is used of it in the period that runs."""

    id: UUID
    name: str
    route_id: UUID | None
    route: str | None = Field(description="the name of the route")
    period: Period
    timezone: str
    limit_usd: float | None
    limit_tokens: int | None
    warn_share: float
    at_limit: AtLimit
    fallback_model: str | None
    fallback_image_model: str | None
    began_at: Utc
    resets_at: Utc
    used_usd: float
    used_tokens: int
    share: float = Field(description="of the limit; 1 and more: it is reached")
    state: State
    warned_at: Utc | None = Field(description="when people were told that the limit is near")
    reached_at: Utc | None = Field(description="when people were told that it is reached")
    created_at: Utc


@router.get("")
async def list_budgets(page: Paged, route_id: UUID | None = None, state: State | None = None) -> Page[Budget]:
    """List budgets."""
    return await page.of(Budget, statement("spending", "list_budgets"), route_id, state)


@router.post("", status_code=201)
async def create_budget(given: NewBudget, call: Calling) -> Budget:
    """Add a budget. What was spent already in its period counts."""
    budget_id = await Budgets(call.database).add(given)
    call.created(budget_id)
    return await get_budget(budget_id, call)


@router.get("/{budget_id}")
async def get_budget(budget_id: UUID, call: Calling) -> Budget:
    """Read a budget."""
    return call.tagged(await _budget(call, budget_id))


@router.patch("/{budget_id}")
async def change_budget(budget_id: UUID, change: BudgetChange, call: Calling) -> Budget:
    """Change a budget: what is left out stays. What it has stopped runs again, as far as it allows now."""
    await call.alone_with("budget", budget_id)
    current = await _budget(call, budget_id)
    call.changing(current)
    await Budgets(call.database).change(budget_id, _terms(current, change))
    await _set_free(call, f"the budget {current.name} was changed")
    return await get_budget(budget_id, call)


@router.delete("/{budget_id}", status_code=204)
async def delete_budget(budget_id: UUID, call: Calling) -> None:
    """Remove a budget. What it has stopped runs again; what was spent stays in the books."""
    await call.alone_with("budget", budget_id)
    current = await _budget(call, budget_id)
    call.changing(current)
    await Budgets(call.database).remove(budget_id)
    await _set_free(call, f"the budget {current.name} was deleted")


async def _budget(call: Call, budget_id: UUID) -> Budget:
    return Budget.model_validate(await Budgets(call.database).get(budget_id), from_attributes=True)


async def _set_free(call: Call, reason: str) -> None:
    await set_free(Operations(call.database, call.system.kinds), by=call.actor, reason=reason)


def _terms(current: Budget, change: BudgetChange) -> BudgetTerms:
    """Return what it is to be. Raises a problem where that makes no sense as a whole."""
    values = {name: getattr(current, name) for name in BudgetTerms.model_fields}
    try:
        return BudgetTerms(**values | change.model_dump(exclude_unset=True))
    except ValidationError as error:
        raise RequestValidationError([{**each, "loc": ("body", *each["loc"])} for each in error.errors()]) from None
