"""What was spent, added up in PostgreSQL."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from common.catalog import Catalog
from common.postgres import Database
from common.spending.books import Books
from common.spending.calls import Kind, ModelCall, Purpose
from common.spending.report import GROUPINGS, By, Spent, Which, report, total_of

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
POST = uuid4()


class Nobody:
    """Nobody is told anything here."""

    async def emit(self, *_: Any, **__: Any) -> None:
        raise AssertionError("there is no budget")


@pytest.fixture
async def route(database: Database) -> AsyncIterator[UUID]:
    """Three days of calls: two for a route, one of them answered, and one for none."""
    catalog = Catalog(database)
    profile = await catalog.put_profile("plain")
    route = await catalog.put_route("city", profile_id=profile, targets=["telegram:@city"])
    books = Books(database, "rewriter", Nobody())
    await book(books, "small", route, 0.25, (100, 10))
    await book(books, "small", route, 0.0, (0, 0), outcome="RateLimitError")
    await book(books, "painter", None, 1.0, (5, 1000), kind="image")
    statement = "UPDATE model_calls SET at = $1 WHERE model = $2 AND outcome = $3"
    await database.execute(statement, NOON, "small", "answered")
    await database.execute(statement, NOON - timedelta(days=1), "small", "RateLimitError")
    await database.execute(statement, NOON - timedelta(hours=13), "painter", "answered")
    yield route
    books.close()


async def book(
    books: Books, model: str, route: UUID | None, cost: float, tokens: tuple[int, int], kind: Kind = "chat",
    outcome: str = "answered",
) -> None:  # fmt: skip
    purpose = Purpose("rewriter", str(uuid4()), None if route else POST, route, "city" if route else "")
    await books.book(ModelCall(purpose, kind, model, outcome, 0.5, *tokens, cost))


async def spent(database: Database, by: By, timezone: str = "UTC", **which: Any) -> list[Spent]:
    begin = {"since": NOON - timedelta(days=5), "until": NOON + timedelta(days=1)}
    return list(await report(database, Which(**begin | which), by, timezone=timezone))


async def test_by_route(database: Database, route: UUID) -> None:
    nothing, city = await spent(database, "route")
    assert (nothing.key, nothing.name, nothing.calls, nothing.cost_usd) == (None, None, 1, 1.0)
    assert (city.key, city.name, city.calls, city.failed, city.cost_usd) == (str(route), "city", 2, 1, 0.25)
    assert (city.prompt_tokens, city.completion_tokens, city.seconds) == (100, 10, 0.5)
    total = total_of([nothing, city])
    assert (total.calls, total.failed, total.cost_usd, total.completion_tokens) == (3, 1, 1.25, 1010)


async def test_by_day_as_days_are_there(database: Database, route: UUID) -> None:
    assert [(day.key, day.calls) for day in await spent(database, "day")] == [("2026-03-10", 1), ("2026-03-09", 2)]
    there = [(day.key, day.calls) for day in await spent(database, "day", "Asia/Tokyo")]
    assert there == [("2026-03-10", 2), ("2026-03-09", 1)]


async def test_however_it_is_divided_it_is_the_same(database: Database, route: UUID) -> None:
    for by in GROUPINGS:
        total = total_of(await spent(database, by))
        assert (total.calls, total.cost_usd) == (3, 1.25), by


async def test_only_some(database: Database, route: UUID) -> None:
    for which in ({"route_id": route}, {"model": "small"}, {"kind": "chat"}, {"since": NOON}):
        assert total_of(await spent(database, "model", **which)).cost_usd == 0.25
    assert total_of(await spent(database, "model", post_id=POST)).cost_usd == 1.0
    assert await spent(database, "model", service="imagegen") == []
    assert total_of([]).seconds is None
