"""What stands around every call to a model: the budgets and the quota before it, the books and the metrics after it."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Protocol

from common.failures import Retry
from common.model.client import EndpointSettings
from common.model.metering import ModelMetrics
from common.model.quota import Priority, Quota
from common.model.reaching import Reaching
from common.model.troubles import RateLimited
from common.service import Service
from common.spending.books import Books
from common.spending.calls import Kind, ModelCall, Purpose


class Access(Protocol):
    """How an adapter comes to its model."""

    async def allowed(self, purpose: Purpose, kind: Kind, model: str) -> str:
        """Return the model that would be asked now. Raises Retry where a budget that is used up allows none."""
        ...

    async def admitted(self, purpose: Purpose, kind: Kind, model: str) -> str:
        """Return the model to ask, as soon as it may be asked. Raises Retry where that is not soon."""
        ...

    async def ended(self, call: ModelCall) -> None:
        """Write down a call that has ended, however it did."""
        ...

    def broken_off(self, call: ModelCall) -> None:
        """Write down a call whose end was not awaited, without a wait: it may have been paid for."""
        ...

    async def pause(self, failure: Retry) -> None:
        """Let nobody ask for as long as a failure says."""
        ...


class SharedAccess:
    """Access to an endpoint whose quota and budgets services share."""

    def __init__(self, quota: Quota, books: Books, metrics: ModelMetrics, reaching: Reaching) -> None:
        self._quota = quota
        self._reaching = reaching
        self._books = books
        self._metrics = metrics

    async def allowed(self, purpose: Purpose, kind: Kind, model: str) -> str:
        """Return `model`, or the fallback of a budget that is used up. Raises BudgetUsedUp."""
        return await self._books.allowed(purpose, kind, model)

    async def admitted(self, purpose: Purpose, kind: Kind, model: str) -> str:
        """Return `model`, or the fallback of a budget that is used up, when its turn has come.

        Raises Retry where a budget is used up, or the turn does not come soon.
        """
        model = await self.allowed(purpose, kind, model)
        await self._quota.passed()
        return model

    async def ended(self, call: ModelCall) -> None:
        """Measure and book a call."""
        self._reaching.ended(call.outcome)
        self._metrics.called(call)
        await self._books.book(call)

    def broken_off(self, call: ModelCall) -> None:
        """Measure a call, and have it booked."""
        self._metrics.called(call)
        self._books.note(call)

    async def pause(self, failure: Retry) -> None:
        """Close the gate: that of all services at a limit on the rate, else that of this process."""
        if isinstance(failure, RateLimited):
            await self._quota.limited(failure.after, str(failure))
        else:
            self._quota.pause(failure.after, str(failure))


@asynccontextmanager
async def shared_access(
    service: Service, settings: EndpointSettings, priority: Priority, behind: Callable[[], bool]
) -> AsyncIterator[SharedAccess]:
    """Give a service access to its endpoint, for a block; `behind` says whether more of its work waits."""
    quota = Quota(service.database, settings, priority, behind)
    books = Books(service.database, service.name, service)
    reaching = Reaching()
    service.health.add("model", reaching.problem)
    service.background(quota.signal)
    try:
        yield SharedAccess(quota, books, ModelMetrics(service.registry), reaching)
    finally:
        quota.close()
        books.close()
