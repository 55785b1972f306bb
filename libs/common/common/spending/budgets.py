"""Budgets: how much may be spent on models in a day or a month, and what follows when it is used up."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

import asyncpg
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, model_validator

from common.audit import record
from common.editing import AlreadyThere, NotThere
from common.planning.schedules import Zone
from common.postgres import Connection, Database, Queries, Within
from common.spending.calls import Kind

ModelName = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
State = Literal["ok", "near", "reached"]

MOST_USD = 999_999.0
MOST_TOKENS = 10**15


class NoSuchBudget(Exception):
    """There is no such budget."""


class BudgetTerms(BaseModel):
    """What people say of a budget."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
    route_id: UUID | None = Field(default=None, description="of the calls for this route; null: of all calls")
    period: Literal["day", "month"]
    timezone: Zone = Field(default="UTC", description="in which a day or a month begins")
    limit_usd: float | None = Field(default=None, gt=0, le=MOST_USD)
    limit_tokens: int | None = Field(default=None, gt=0, le=MOST_TOKENS)
    warn_share: float = Field(default=0.8, gt=0, le=1, description="of the limit; people are told once from there on")
    at_limit: Literal["stop", "fallback"] = "stop"
    fallback_model: ModelName | None = Field(default=None, description="that is asked for texts from the limit on")
    fallback_image_model: ModelName | None = Field(default=None, description="that draws from the limit on")

    @model_validator(mode="after")
    def _complete(self) -> "BudgetTerms":
        if self.limit_usd is None and self.limit_tokens is None:
            raise ValueError("it needs limit_usd, limit_tokens, or both")
        if self.at_limit == "fallback" and not (self.fallback_model or self.fallback_image_model):
            raise ValueError("at_limit fallback needs fallback_model, fallback_image_model, or both")
        return self


@dataclass(frozen=True, slots=True)
class Budget:
    """A budget, with what is used of it in the period that runs."""

    id: UUID
    name: str
    route_id: UUID | None
    route: str | None  # its name
    period: Literal["day", "month"]
    timezone: str
    limit_usd: float | None
    limit_tokens: int | None
    warn_share: float
    at_limit: Literal["stop", "fallback"]
    fallback_model: str | None
    fallback_image_model: str | None
    created_at: datetime
    began_at: datetime
    resets_at: datetime
    used_usd: float
    used_tokens: int
    warned_at: datetime | None
    reached_at: datetime | None
    share: float  # of the limit; 1 and more: it is reached
    state: State

    @classmethod
    def of(cls, row: asyncpg.Record) -> "Budget":
        """Return a row of `standing`."""
        values: dict[str, Any] = {each.name: row[each.name] for each in fields(cls)}
        return cls(**values | {name: float(value) for name, value in values.items() if isinstance(value, Decimal)})

    def concerns(self, route_id: UUID | None) -> bool:
        """Return whether a call for this route is paid from it."""
        return self.route_id is None or self.route_id == route_id

    def fallback(self, kind: Kind) -> str | None:
        """Return the model that is asked from the limit on; None: nothing is asked any more."""
        if self.at_limit == "stop":
            return None
        return self.fallback_model if kind == "chat" else self.fallback_image_model

    def said(self) -> str:
        """Return it in words: `12.50 of 15.00 USD and 40,000 of 100,000 tokens this month`."""
        parts = []
        if self.limit_usd:
            parts.append(f"{self.used_usd:.2f} of {self.limit_usd:.2f} USD")
        if self.limit_tokens:
            parts.append(f"{self.used_tokens:,} of {self.limit_tokens:,} tokens")
        return f"{' and '.join(parts)} this {self.period}"


class Budgets:
    """The budgets, as people work with them. In a transaction of the caller's where the database is `Within` one."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = Queries.load(__package__, "budgets.sql")

    async def all(self) -> list[Budget]:
        """Return all budgets, oldest first."""
        return [Budget.of(row) for row in await self._database.fetch(self._sql["standing"], None, None)]

    async def get(self, budget_id: UUID) -> Budget:
        """Return one. Raises NoSuchBudget."""
        return Budget.of(_found(await self._database.fetchrow(self._sql["standing"], budget_id, None), budget_id))

    async def named(self, name: str) -> Budget:
        """Return one by its name. Raises NoSuchBudget."""
        return Budget.of(_found(await self._database.fetchrow(self._sql["standing"], None, name), name))

    async def route_named(self, name: str) -> UUID:
        """Return the route of this name. Raises NotThere."""
        row = await self._database.fetchrow(self._sql["route_named"], name)
        if row is None:
            raise NotThere(f"there is no route {name}")
        return UUID(str(row["id"]))

    async def add(self, terms: BudgetTerms) -> UUID:
        """Add a budget, with what was spent already in its period. Raises AlreadyThere, NotThere."""
        async with self._writing() as connection:
            budget_id: UUID = await connection.fetchval(self._sql["add"], *_values(terms))
            await connection.execute(self._sql["count"], budget_id)
        return budget_id

    async def change(self, budget_id: UUID, terms: BudgetTerms) -> None:
        """Change all of a budget. What is told of it is told anew. Raises NoSuchBudget, AlreadyThere, NotThere."""
        async with self._writing() as connection:
            _found(await connection.fetchrow(self._sql["change"], budget_id, *_values(terms)), budget_id)
            await connection.execute(self._sql["forget"], budget_id)
            await connection.execute(self._sql["count"], budget_id)

    async def remove(self, budget_id: UUID) -> None:
        """Remove a budget. Raises NoSuchBudget."""
        async with self._writing() as connection:
            _found(await connection.fetchrow(self._sql["remove"], budget_id), budget_id)

    async def put(self, terms: BudgetTerms, *, by: str) -> tuple[Budget, bool]:
        """Add a budget, or change the one of this name; returns it, and whether it is new. Kept in the audit log."""
        async with self._database.transaction() as connection:
            within = Within(connection)
            budgets = Budgets(within)
            try:
                before: Budget | None = await budgets.named(terms.name)
            except NoSuchBudget:
                before = None
            if before:
                await budgets.change(before.id, terms)
            else:
                await budgets.add(terms)
            after = await budgets.named(terms.name)
            action = "change_budget" if before else "create_budget"
            await record(within, by, action, path_of(after), before=_recorded(before), after=_recorded(after))
        return after, before is None

    async def delete(self, name: str, *, by: str) -> Budget:
        """Remove the budget of this name. Kept in the audit log. Raises NoSuchBudget."""
        async with self._database.transaction() as connection:
            within = Within(connection)
            budgets = Budgets(within)
            before = await budgets.named(name)
            await budgets.remove(before.id)
            await record(within, by, "delete_budget", path_of(before), before=_recorded(before))
        return before

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[Connection]:
        """One transaction in which no call is booked, so that what is counted is all there is."""
        try:
            async with self._database.transaction() as connection:
                await connection.execute(self._sql["alone"])
                yield connection
        except asyncpg.UniqueViolationError:
            raise AlreadyThere("there is another budget with this name") from None
        except asyncpg.ForeignKeyViolationError:
            raise NotThere("there is no such route") from None


def path_of(budget: Budget) -> str:
    """Return where a budget is in the API."""
    return f"/api/v1/budgets/{budget.id}"


def _found(row: asyncpg.Record | None, key: object) -> asyncpg.Record:
    if row is None:
        raise NoSuchBudget(f"there is no budget {key}")
    return row


def _values(terms: BudgetTerms) -> tuple[object, ...]:
    return (
        terms.name,
        terms.route_id,
        terms.period,
        terms.timezone,
        None if terms.limit_usd is None else Decimal(str(terms.limit_usd)),
        terms.limit_tokens,
        terms.warn_share,
        terms.at_limit,
        terms.fallback_model,
        terms.fallback_image_model,
    )


def _recorded(budget: Budget | None) -> dict[str, Any] | None:
    recorded: dict[str, Any] | None = TypeAdapter(Budget | None).dump_python(budget, mode="json")
    return recorded
