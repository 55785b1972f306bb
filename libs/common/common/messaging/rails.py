"""What all queues of a process share: the ledger and the outbox, called in groups."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence

from nats.js import JetStreamContext
from opentelemetry import trace

from common.events import Emitted, Event, derive, emitted
from common.messaging.grouped import Grouped
from common.messaging.isolation import Isolation
from common.messaging.job import Job
from common.messaging.ledger import Ledger, Standing
from common.messaging.outbox import Outbox
from common.postgres import Connection, Database
from common.telemetry.propagation import trace_headers

LINGER_SECONDS = 0.002


class Rails:
    """The stations before and after a handler, each for many messages at once."""

    def __init__(
        self,
        stream: JetStreamContext,
        database: Database,
        tracer: trace.Tracer | None = None,
        *,
        linger: float = LINGER_SECONDS,
    ) -> None:
        self._database = database
        self._tracer = tracer or trace.NoOpTracer()
        self.ledger = Ledger(database)
        self.outbox = Outbox(stream, self.ledger, database)
        self.claim: Grouped[Job, Standing] = Grouped(self.ledger.claim, lanes=2, linger=linger / 2)
        self.commit: Grouped[Job, bool] = Grouped(self.ledger.commit, lanes=2, linger=linger)
        self.publish: Grouped[Job, None] = Grouped(self.outbox.publish_jobs, lanes=3)
        self.isolation = Isolation()
        self._sweeper: asyncio.Task[None] | None = None

    def compose(self, events: Iterable[Event], *, consumer: str, cause: str) -> list[Emitted]:
        """Return a loop's events: the same cause always gives the same ids, and they join the current trace."""
        return [
            emitted(
                event,
                event_id=str(event.identity() or derive(cause, consumer, event.wire_name(), ordinal)),
                consumer=consumer,
                cause_id=cause,
                trace=trace_headers(event, self._tracer),
            )
            for ordinal, event in enumerate(events)
        ]

    async def emit(self, connection: Connection, emits: Sequence[Emitted]) -> None:
        """Store composed events in the caller's transaction; call `outbox.publish` after the commit."""
        await self.ledger.add(connection, emits)

    async def tell(
        self,
        events: Iterable[Event],
        *,
        consumer: str,
        cause: str,
        store: Callable[[Connection], Awaitable[None]] | None = None,
    ) -> list[Emitted]:
        """Emit events outside of a job: stored in one transaction with what `store` writes, then published.

        `cause` identifies what they are about, so that the same cause never emits twice.
        """
        emits = self.compose(events, consumer=consumer, cause=cause)
        async with self._database.transaction() as connection:
            if store:
                await store(connection)
            await self.emit(connection, emits)
        await self.outbox.publish(emits)
        return emits

    def sweep(self, consumers: Sequence[str]) -> None:
        """Start to publish what crashes of these consumers left behind."""
        self._sweeper = asyncio.create_task(self.outbox.sweep(consumers))

    def close(self) -> None:
        """Stop. What is stored and not yet published is left to the next sweeper."""
        if self._sweeper:
            self._sweeper.cancel()
        for group in (self.claim, self.commit, self.publish):
            group.close()
