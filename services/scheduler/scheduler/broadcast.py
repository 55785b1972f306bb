"""Broadcast a post that was published, where its route says so."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from common.events import BroadcastRequested, Event, PublishResult
from scheduler.store import Store


class BroadcastPublished:
    """Asks for broadcasts."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def __call__(self, event: PublishResult) -> Sequence[Event]:
        """Return the broadcast request of the route on which the post was published; its id is the same each time."""
        if event.status != "succeeded" or event.rewrite_id is None:
            return []
        found = await self._store.broadcast(event.post_id, event.rewrite_id)
        if found is None:
            return []
        route_id, broadcast = found
        delay = timedelta(seconds=broadcast.delay_seconds)
        return [
            BroadcastRequested(
                post_id=event.post_id,
                target_chat_ids=broadcast.chats,
                forward=broadcast.forward,
                not_before=datetime.now(UTC) + delay if delay else None,
                route_id=route_id,
            )
        ]
