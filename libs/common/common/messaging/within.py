"""Events that are emitted inside a transaction of somebody else's, who commits it and publishes them afterwards."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Protocol

from common.events import Emitted, Event
from common.messaging.rails import Rails
from common.postgres import Connection


class Publishing(Protocol):
    """Where stored events are published."""

    async def publish(self, emits: Sequence[Emitted]) -> set[str]:
        """Publish stored events and return the ids of those that were taken."""


class Emitting(Protocol):
    """What a use case needs to emit events: `Rails`, or `EmittedWithin` a transaction."""

    @property
    def outbox(self) -> Publishing:
        """Where stored events are published."""

    def compose(self, events: Iterable[Event], *, consumer: str, cause: str) -> list[Emitted]:
        """Return events with their ids and headers."""

    async def emit(self, connection: Connection, emits: Sequence[Emitted]) -> None:
        """Store composed events in a transaction."""

    async def tell(
        self,
        events: Iterable[Event],
        *,
        consumer: str,
        cause: str,
        store: Callable[[Connection], Awaitable[None]] | None = None,
    ) -> list[Emitted]:
        """Store events in one transaction with what `store` writes, then publish them."""


class EmittedWithin:
    """Stores events with a transaction; `publish_all` publishes them after its commit."""

    def __init__(self, rails: Rails, connection: Connection) -> None:
        self._rails = rails
        self._connection = connection
        self._emits: list[Emitted] = []

    @property
    def outbox(self) -> "EmittedWithin":
        """Itself: publishing waits for the commit."""
        return self

    def compose(self, events: Iterable[Event], *, consumer: str, cause: str) -> list[Emitted]:
        """Return events with their ids and headers."""
        return self._rails.compose(events, consumer=consumer, cause=cause)

    async def emit(self, connection: Connection, emits: Sequence[Emitted]) -> None:
        """Store composed events in the transaction, or in a savepoint of it."""
        await self._rails.emit(connection, emits)
        self._emits += emits

    async def tell(
        self,
        events: Iterable[Event],
        *,
        consumer: str,
        cause: str,
        store: Callable[[Connection], Awaitable[None]] | None = None,
    ) -> list[Emitted]:
        """Store events in the transaction, with what `store` writes."""
        emits = self.compose(events, consumer=consumer, cause=cause)
        async with self._connection.transaction():
            if store:
                await store(self._connection)
            await self.emit(self._connection, emits)
        return emits

    async def publish(self, emits: Sequence[Emitted]) -> set[str]:
        """Do nothing yet: nothing is committed."""
        return {event.id for event in emits}

    async def publish_all(self) -> None:
        """Publish what was stored; what its stream does not take is left to the sweeper."""
        await self._rails.outbox.publish(self._emits)
