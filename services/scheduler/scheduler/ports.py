"""What the scheduler's use cases need."""

from collections.abc import Awaitable, Callable
from typing import Protocol
from uuid import UUID

from common.catalog import Route, Source

RequestCollection = Callable[[Source, str], Awaitable[None]]  # the source, and what identifies this request


class Routes(Protocol):
    """Where routes are found."""

    async def route(self, route_id: UUID) -> Route | None:
        """Return a route, enabled or not."""
        ...


class Sources(Protocol):
    """Where sources are found."""

    async def sources(self) -> list[Source]:
        """Return the enabled sources."""
        ...

    async def unread(self) -> set[UUID]:
        """Return the sources that were never read."""
        ...
