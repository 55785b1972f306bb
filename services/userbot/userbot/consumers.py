"""What the userbot consumes."""

from collections.abc import Callable, Sequence

from opentelemetry import propagate

from common.broadcasts import task_of
from common.events import BroadcastRequested, BroadcastResult, Event
from common.failures import Reject
from common.messaging.job import Job
from common.messaging.queue import QueueSettings
from common.service import Service
from userbot.ports import Teller
from userbot.store import Store
from userbot.summary import summarise

DURABLE, SUMMARY = "userbot", "userbot-summary"
DEFAULTS = QueueSettings(concurrency=20, max_attempts=3, timeout_seconds=60)
SUMMARY_DEFAULTS = QueueSettings(concurrency=1, max_attempts=5, timeout_seconds=60)


def register(service: Service, store: Store, ring: Callable[[], None], teller: Teller | None) -> None:
    """Subscribe the use cases."""

    async def add_task(event: BroadcastRequested, job: Job) -> Sequence[Event]:
        """Store what is to be broadcast; the worker sends it."""
        if event.post_id and not await store.post_exists(event.post_id):
            raise Reject(f"there is no post {event.post_id}")
        trace: dict[str, str] = {}
        propagate.inject(trace)
        store.add(job, task_of(job.event_id), event, trace.get("traceparent"))
        ring()
        return []

    async def tell_of_end(event: BroadcastResult, job: Job) -> Sequence[Event]:
        """Send the summary."""
        return await summarise(event, job.event_id, teller)

    service.consume(DURABLE, add_task, DEFAULTS)
    service.consume(SUMMARY, tell_of_end, SUMMARY_DEFAULTS)
