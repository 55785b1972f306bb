"""The books: what is written down of calls, and what budgets follow from it, in PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from common.catalog import Catalog
from common.editing import AlreadyThere, NotThere
from common.events import Event, NotifyRequested
from common.postgres import Connection, Database
from common.spending import books as module
from common.spending.books import Books, BudgetUsedUp
from common.spending.budgets import Budgets, BudgetTerms, NoSuchBudget
from common.spending.calls import Kind, ModelCall, Purpose


@dataclass
class Told:
    """Keeps what people are told once it is committed."""

    database: Database
    events: list[NotifyRequested] = field(default_factory=list)

    async def emit(
        self, events: Sequence[Event], *, cause: str, store: Callable[[Connection], Awaitable[None]] | None = None
    ) -> None:
        async with self.database.transaction() as connection:
            assert store
            assert cause
            await store(connection)
        self.events += [event for event in events if isinstance(event, NotifyRequested)]


@asynccontextmanager
async def books_of(database: Database, told: Told) -> AsyncIterator[Books]:
    books = Books(database, "rewriter", told)
    try:
        yield books
    finally:
        books.close()


@pytest.fixture
def told(database: Database) -> Told:
    return Told(database)


@pytest.fixture
async def books(database: Database, told: Told) -> AsyncIterator[Books]:
    async with books_of(database, told) as books:
        yield books


@pytest.fixture
async def route(database: Database) -> UUID:
    catalog = Catalog(database)
    profile = await catalog.put_profile("plain")
    return await catalog.put_route("city", profile_id=profile, targets=["telegram:@city"])


def terms(**given: Any) -> BudgetTerms:
    return BudgetTerms(**{"name": "all", "period": "day", "limit_usd": 1.0, **given})


def call(cost: float, tokens: int = 10, *, route: UUID | None = None, kind: Kind = "chat", **given: Any) -> ModelCall:
    purpose = Purpose("rewriter", str(uuid4()), uuid4(), route, "city" if route else "")
    return ModelCall(purpose, kind, "m", given.pop("outcome", "answered"), 0.5, tokens, 0, cost)


def of(route: UUID | None = None) -> Purpose:
    return Purpose("rewriter", "an-event", route_id=route)


async def test_each_call_is_a_row(database: Database, books: Books, route: UUID) -> None:
    calls = [call(0.000123, 7, route=route), call(0, 0, outcome="RateLimitError")]
    await asyncio.gather(*(books.book(each) for each in calls))
    first, second = await database.fetch("SELECT * FROM model_calls ORDER BY cost_usd DESC")
    assert (first["service"], first["route_id"], first["post_id"]) == ("rewriter", route, calls[0].purpose.post_id)
    assert (first["consumer"], first["event_id"]) == ("rewriter", calls[0].purpose.event_id)
    assert (float(first["cost_usd"]), first["prompt_tokens"], first["seconds"]) == (0.000123, 7, 0.5)
    assert (second["outcome"], second["cost_usd"], second["route_id"]) == ("RateLimitError", 0, None)


async def test_a_call_is_booked_once_however_often_the_statement_is_repeated(database: Database, books: Books) -> None:
    await Budgets(database).add(terms())
    rows = [module.row_of(call(0.25), "rewriter")]
    for _ in range(3):
        await database.execute(books._sql["record"], rows)
    assert (await Budgets(database).all())[0].used_usd == 0.25
    assert await database.strict.fetchval("SELECT count(*) FROM model_calls") == 1


async def test_a_budget_that_is_used_up_stops_what_it_pays_for(database: Database, books: Books, route: UUID) -> None:
    await Budgets(database).add(terms(name="city", route_id=route))
    assert await books.allowed(of(route), "chat", "m") == "m"
    await books.book(call(0.6, route=route))
    await books.book(call(5.0))  # paid from elsewhere
    assert await books.allowed(of(route), "chat", "m") == "m"
    await books.book(call(0.4, route=route))
    with pytest.raises(
        BudgetUsedUp, match=r"the budget city is used up until .* UTC \(1.00 of 1.00 USD this day\)"
    ) as up:
        await books.allowed(of(route), "chat", "m")
    assert not up.value.bounded
    (budget,) = await Budgets(database).all()
    left = (budget.resets_at - datetime.now(UTC)).total_seconds()
    assert min(left, 3600) - 5 <= up.value.after <= min(left, 3600) * 1.03 + 5
    assert await books.allowed(of(), "chat", "m") == "m"
    assert await books.allowed(of(uuid4()), "chat", "m") == "m"


async def test_a_stop_ends_as_soon_as_the_budget_is_raised_or_deleted(database: Database, books: Books) -> None:
    budgets = Budgets(database)
    budget_id = await budgets.add(terms())
    await books.allowed(of(), "chat", "m")
    await books.book(call(1.0))
    with pytest.raises(BudgetUsedUp):
        await books.allowed(of(), "chat", "m")
    await budgets.change(budget_id, terms(limit_usd=2.0))
    assert await books.allowed(of(), "chat", "m") == "m"
    await books.book(call(1.0))
    with pytest.raises(BudgetUsedUp):
        await books.allowed(of(), "chat", "m")
    await budgets.remove(budget_id)
    assert await books.allowed(of(), "chat", "m") == "m"


async def test_tokens_are_a_limit_too(database: Database, books: Books) -> None:
    await Budgets(database).add(terms(limit_usd=None, limit_tokens=1000))
    await books.allowed(of(), "image", "m")
    await books.book(call(0, 1000))
    with pytest.raises(BudgetUsedUp, match=r"1,000 of 1,000 tokens this day"):
        await books.allowed(of(), "image", "m")


async def test_a_fallback_is_asked_instead_and_only_for_what_it_can_do(database: Database, books: Books) -> None:
    await Budgets(database).add(terms(at_limit="fallback", fallback_model="small"))
    assert await books.allowed(of(), "chat", "m") == "m"
    await books.book(call(1.5))
    assert await books.allowed(of(), "chat", "m") == "small"
    with pytest.raises(BudgetUsedUp):
        await books.allowed(of(), "image", "painter")


async def test_a_route_s_own_fallback_goes_first_and_a_stop_before_any(
    database: Database, books: Books, route: UUID
) -> None:
    budgets = Budgets(database)
    await budgets.add(terms(at_limit="fallback", fallback_model="small"))
    await budgets.add(terms(name="city", route_id=route, at_limit="fallback", fallback_model="tiny"))
    await budgets.add(terms(name="hard", limit_usd=3.0))
    await books.allowed(of(route), "chat", "m")
    await books.book(call(1.5, route=route))
    assert await books.allowed(of(route), "chat", "m") == "tiny"
    assert await books.allowed(of(), "chat", "m") == "small"
    await books.book(call(1.5))
    with pytest.raises(BudgetUsedUp, match="the budget hard"):
        await books.allowed(of(route), "chat", "m")


async def test_people_are_told_once_that_it_is_near_and_once_that_it_is_reached(
    database: Database, books: Books, told: Told
) -> None:
    await Budgets(database).add(terms())
    async with books_of(database, told) as others:
        for share in (books, others):
            await share.allowed(of(), "chat", "m")
        await asyncio.gather(*(share.book(call(0.1)) for share in (books, others) for _ in range(4)))
        assert [(event.kind, event.severity) for event in told.events] == [("budget.near", "warning")]
        assert told.events[0].title == "The budget all is used up to 80%"
        assert told.events[0].detail.startswith("0.80 of 1.00 USD this day, of all calls. It begins again ")
        await asyncio.gather(*(share.book(call(0.1)) for share in (books, others) for _ in range(4)))
    kinds = [(event.kind, event.severity) for event in told.events]
    assert kinds == [("budget.near", "warning"), ("budget.reached", "error")]
    assert "no model is asked" in told.events[1].detail


async def test_what_is_past_its_limit_at_once_is_told_once(database: Database, books: Books, told: Told) -> None:
    budgets = Budgets(database)
    budget_id = await budgets.add(terms(at_limit="fallback", fallback_model="small"))
    await books.allowed(of(), "chat", "m")
    await books.book(call(2.0))
    assert [event.kind for event in told.events] == ["budget.reached"]
    assert "texts are written by small, and images wait" in told.events[0].detail
    await budgets.change(budget_id, terms(limit_usd=10.0))
    await books.book(call(0.1))
    await budgets.change(budget_id, terms(limit_usd=2.1))
    await books.book(call(0.1))
    assert [event.kind for event in told.events] == ["budget.reached", "budget.reached"]


async def test_a_new_budget_knows_what_was_spent_before(database: Database, books: Books, route: UUID) -> None:
    budgets = Budgets(database)
    await books.book(call(0.5, 100, route=route))
    await books.book(call(0.25, 50))
    await budgets.add(terms())
    budget_id = await budgets.add(terms(name="city", route_id=route))
    everything, city = await budgets.all()
    assert (everything.used_usd, everything.used_tokens) == (0.75, 150)
    assert (city.used_usd, city.used_tokens, city.route, city.share) == (0.5, 100, "city", 0.5)
    await budgets.change(budget_id, terms(name="city", limit_usd=3.0))
    assert (await budgets.get(budget_id)).share == 0.25


async def test_nothing_is_missed_or_counted_twice_while_a_budget_is_changed(database: Database, books: Books) -> None:
    budgets = Budgets(database)
    budget_id = await budgets.add(terms(limit_usd=1000.0))

    async def spend() -> None:
        for _ in range(40):
            await books.book(call(0.01))

    async def change() -> None:
        for number in range(20):
            await budgets.change(budget_id, terms(limit_usd=1000.0 + number))

    async def come_and_go() -> None:
        for _ in range(20):
            await budgets.remove(await budgets.add(terms(name="short", limit_usd=0.001)))

    await books.allowed(of(), "chat", "m")
    await asyncio.gather(spend(), spend(), change(), come_and_go(), spend())
    assert (await budgets.get(budget_id)).used_usd == pytest.approx(1.2)


async def test_a_day_begins_where_its_time_zone_says(database: Database, books: Books) -> None:
    await Budgets(database).add(terms(timezone="Asia/Kolkata"))
    await Budgets(database).add(terms(name="month", period="month", timezone="America/New_York"))
    day, month = await Budgets(database).all()
    assert (day.began_at.hour, day.began_at.minute) == (18, 30)  # of UTC
    assert (day.resets_at - day.began_at).total_seconds() == 86_400
    assert month.began_at.day == 1
    assert month.began_at.hour in (4, 5)
    assert month.resets_at.day == 1


async def test_a_period_begins_with_nothing(database: Database, books: Books) -> None:
    await Budgets(database).add(terms())
    await books.allowed(of(), "chat", "m")
    await books.book(call(2.0))
    await database.execute("UPDATE budget_periods SET began_at = began_at - interval '1 day'")
    await books.book(call(0.1))
    assert await books.allowed(of(), "chat", "m") == "m"
    assert (await Budgets(database).all())[0].used_usd == pytest.approx(0.1)


async def test_a_budget_is_one_of_its_name_and_of_a_route_that_is_there(database: Database) -> None:
    budgets = Budgets(database)
    budget_id = await budgets.add(terms())
    with pytest.raises(AlreadyThere):
        await budgets.add(terms())
    with pytest.raises(NotThere, match="there is no such route"):
        await budgets.add(terms(name="lost", route_id=uuid4()))
    await budgets.remove(budget_id)
    for missing in (budgets.get(budget_id), budgets.change(budget_id, terms()), budgets.remove(budget_id)):
        with pytest.raises(NoSuchBudget):
            await missing
    assert await budgets.all() == []


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"limit_usd": -1}, "greater than 0"),
        ({"limit_usd": None}, "it needs limit_usd, limit_tokens, or both"),
        ({"at_limit": "fallback"}, "needs fallback_model"),
        ({"timezone": "Mars"}, "no time zone"),
        ({"warn_share": 2}, "less than or equal to 1"),
    ],
)
def test_terms_that_make_no_sense(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        terms(**given)
