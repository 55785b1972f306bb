"""What pages show alike, read once for all that are open: the Overview, and the counts of the rail."""

from collections.abc import Mapping
from typing import Any

from nats.js import JetStreamContext

from api.panel.live import Region
from api.resources.overview import Overview, look
from api.resources.queues import QueueSummary
from common.overview import read_waiting
from common.postgres import Database

WAY = ("collector_queue", "rewrite_queue", "imagegen_queue", "publish_queue", "broadcast_queue")


def overview(found: Overview) -> Mapping[str, Any]:
    """Return what the template works with."""
    flow = found.flow
    return {
        "overview": found,
        "stages": {
            "collected": flow.collected,
            "unique": flow.collected - flow.duplicates,
            "rewritten": flow.rewritten,
            "approved": flow.approved,
            "published": flow.published,
        },
        "shown_queues": sorted(filter(_is_shown, found.queues), key=lambda queue: _place(queue.queue)),
        "paused": [queue for queue in found.queues if queue.pause],
        "budget": max(found.budgets, key=lambda budget: budget.share, default=None),
    }


def _is_shown(queue: QueueSummary) -> bool:
    """Whether a queue is on the way of a post, or somebody should look at it."""
    return queue.queue in WAY or queue.pause is not None or queue.dead > 0


def _place(queue: str) -> int:
    return WAY.index(queue) if queue in WAY else len(WAY)


def overview_region(database: Database, stream: JetStreamContext) -> Region:
    """Return the Overview as a part of pages."""

    async def values() -> Mapping[str, Any]:
        return overview(await look(database, stream))

    return Region("overview.html", "live", values, target="#live")


def rail_region(database: Database) -> Region:
    """Return the counts of the rail as a part of pages."""

    async def values() -> Mapping[str, Any]:
        waiting = await read_waiting(database)
        return {
            "counted": {"inbox": waiting.awaiting, "dead": waiting.dead_letters, "alerts": waiting.alerts},
        }

    return Region("parts/counts.html", "counts", values)
