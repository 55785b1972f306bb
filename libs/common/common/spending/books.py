"""The books: each call to a model is looked at before it is made, and written down when it has ended."""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol
from uuid import UUID, uuid4

from common.events import Event, NotifyRequested
from common.failures import Retry
from common.messaging.grouped import Grouped
from common.postgres import UNREACHABLE, Connection, Database, Queries, steady
from common.spending.budgets import Budget, Budgets
from common.spending.calls import Kind, ModelCall, Purpose

log = logging.getLogger(__name__)

LOOK_SECONDS = 2.0  # how long it is remembered how the budgets stand, where nothing is booked here
LONGEST_STOP_SECONDS = 3600.0  # then a job asks again: it is a delivery, of which there are a thousand
JITTER = 0.02


class BudgetUsedUp(Retry):
    """The budget is used up: what would be paid from it waits for the end of its period, whatever its deadline."""

    def __init__(self, after: float, reason: str) -> None:
        super().__init__(after, reason, bounded=False)


class Teller(Protocol):
    """What tells people: `Service`."""

    async def emit(
        self, events: Sequence[Event], *, cause: str, store: Callable[[Connection], Awaitable[None]] | None = None
    ) -> None:
        """Emit events in one transaction with what `store` writes."""
        ...


class Books:
    """The books of one service."""

    def __init__(self, database: Database, service: str, teller: Teller) -> None:
        self._database = database
        self._service = service
        self._teller = teller
        self._budgets = Budgets(database)
        self._sql = Queries.load(__package__, "spending.sql")
        self._book: Grouped[ModelCall, None] = Grouped(self._write, lanes=1)
        self._known: list[Budget] = []
        self._known_until = 0.0
        self._looking = asyncio.Lock()

    async def allowed(self, purpose: Purpose, kind: Kind, model: str) -> str:
        """Return the model to ask: `model`, or the fallback of a budget that is used up.

        Raises BudgetUsedUp where a budget that is used up allows none.
        """
        used_up = await self._used_up(purpose)
        if any(each.fallback(kind) is None for each in used_up):
            self._known_until = 0.0  # the wait may be long: nothing is stopped by what is only remembered
            used_up = await self._used_up(purpose)
        if stopping := [each for each in used_up if each.fallback(kind) is None]:
            last = max(stopping, key=lambda each: each.resets_at)
            left = (last.resets_at - datetime.now(UTC)).total_seconds()
            pause = min(max(1.0, left), LONGEST_STOP_SECONDS) * (1 + random.uniform(0, JITTER))
            until = f"{last.resets_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
            raise BudgetUsedUp(pause, f"the budget {last.name} is used up until {until} ({last.said()})")
        # What a route has of its own says more than what holds for all.
        used_up.sort(key=lambda each: each.route_id is None)
        return (used_up[0].fallback(kind) if used_up else None) or model

    async def book(self, call: ModelCall) -> None:
        """Write a call down, whatever becomes of the job. Does not raise where the database is away: it is paid for."""
        await asyncio.wait([self.note(call)])

    def note(self, call: ModelCall) -> "asyncio.Future[None]":
        """Write a call down without waiting for it, as where it was broken off."""
        booked = self._book(call)
        booked.add_done_callback(lambda done: _complain(call, done))
        return booked

    def close(self) -> None:
        """Stop."""
        self._book.close()

    async def _used_up(self, purpose: Purpose) -> list[Budget]:
        async with self._looking:  # whoever comes meanwhile sees what was found
            if time.monotonic() >= self._known_until:
                await self._look()
        return [each for each in self._known if each.state == "reached" and each.concerns(purpose.route_id)]

    async def _look(self) -> None:
        self._known = await self._budgets.all()
        self._known_until = time.monotonic() + LOOK_SECONDS
        for budget in self._known:
            if budget.state == "reached" and budget.reached_at is None:
                await self._tell(budget, "reached")
            elif budget.state == "near" and budget.warned_at is None:
                await self._tell(budget, "warned")

    async def _tell(self, budget: Budget, what: str) -> None:
        """Tell people once in a period: of several who notice it, one does."""

        async def first(connection: Connection) -> None:
            if await connection.fetchval(self._sql[what], budget.id, budget.began_at) is None:
                raise _Told

        try:
            await self._teller.emit([notice_of(budget)], cause=f"budget/{budget.id}/{uuid4()}", store=first)
        except _Told:
            pass
        except UNREACHABLE as error:
            log.warning("people are not yet told of the budget %s: %r", budget.name, error)

    async def _write(self, calls: list[ModelCall]) -> Sequence[None]:
        rows = [row_of(call, self._service) for call in calls]  # with their ids, so that repeating adds nothing
        await steady(lambda: self._database.lax.execute(self._sql["record"], rows))
        if self._known:
            try:
                await self._look()
            except UNREACHABLE as error:
                log.warning("budgets: %r", error)
        return [None] * len(calls)


class _Told(Exception):
    """Somebody else has told people of it."""


def _complain(call: ModelCall, booked: "asyncio.Future[None]") -> None:
    if not booked.cancelled() and (error := booked.exception()):
        log.error("a call of %.6f USD is not booked: %r", call.cost_usd, error)


def notice_of(budget: Budget) -> NotifyRequested:
    """Return what people are told of a budget whose limit is near or reached."""
    of = f"the route {budget.route}" if budget.route else "all calls"
    until = f"{budget.resets_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    if budget.state != "reached":
        title, follows = f"The budget {budget.name} is used up to {budget.share:.0%}", f"It begins again {until}."
    else:
        title, follows = f"The budget {budget.name} is used up", f"Until {until} {_follows(budget)}."
    return NotifyRequested(
        kind=f"budget.{budget.state}",
        severity="error" if budget.state == "reached" and budget.at_limit == "stop" else "warning",
        title=title,
        detail=f"{budget.said()}, of {of}. {follows}",
        fingerprint=f"budget.{budget.state}/{budget.id}",
    )


def _follows(budget: Budget) -> str:
    texts, images = budget.fallback("chat"), budget.fallback("image")
    if not texts and not images:
        return "no model is asked: what would ask one waits, and nothing is lost"
    of_texts = f"are written by {texts}" if texts else "wait"
    of_images = f"are drawn by {images}" if images else "wait"
    return f"texts {of_texts}, and images {of_images}"


def row_of(call: ModelCall, service: str) -> dict[str, Any]:
    """Return the columns of `model_calls` as JSON values."""
    purpose = call.purpose

    def plain(key: UUID | None) -> str | None:
        return str(key) if key else None

    return {
        "id": str(uuid4()),
        "service": service,
        "kind": call.kind,
        "model": call.model,
        "outcome": call.outcome,
        "route_id": plain(purpose.route_id),
        "profile_id": plain(purpose.profile_id),
        "post_id": plain(purpose.post_id),
        "consumer": purpose.consumer,
        "event_id": purpose.event_id,
        "prompt_tokens": call.prompt_tokens,
        "completion_tokens": call.completion_tokens,
        "cost_usd": round(call.cost_usd, 6),
        "seconds": call.seconds,
    }
