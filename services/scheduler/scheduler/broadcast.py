"""What follows when a post was published: the broadcast that its route asks for, and no more waiting for an image."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from common.events import BroadcastRequested, Event, PublishResult
from common.messaging import Job
from common.telegram.addresses import normal
from scheduler.ports import Routes
from scheduler.routing import Routing
from scheduler.store import Store


class BroadcastPublished:
    """Asks for broadcasts."""

    def __init__(self, routes: Routes, store: Store) -> None:
        self._routes = routes
        self._store = store

    async def __call__(self, event: PublishResult, job: Job) -> Sequence[Event]:
        """Return the broadcast request of the route on which the post was published; its id is the same each time."""
        if event.status != "succeeded" or event.rewrite_id is None:
            return []
        for routing in await self._store.routings(event.post_id, event.rewrite_id):
            if routing.decision == "illustrate" and _everywhere(event, routing):
                self._store.settle(job, routing, routing.decided("publish", "a person did not wait for its image"))
            route = await self._routes.route(routing.route_id)
            if route and route.broadcast:
                delay = timedelta(seconds=route.broadcast.delay_seconds)
                return [
                    BroadcastRequested(
                        post_id=event.post_id,
                        target_chat_ids=route.broadcast.chats,
                        forward=route.broadcast.forward,
                        not_before=datetime.now(UTC) + delay if delay else None,
                        route_id=route.id,
                    )
                ]
        return []


def _everywhere(event: PublishResult, routing: Routing) -> bool:
    """Whether the post was published at all targets of its route: then nothing is left to wait for."""
    published = {_comparable(each.target) for each in event.targets if each.status == "succeeded"}
    return published.issuperset(map(_comparable, routing.targets))


def _comparable(target: str) -> tuple[str, str]:
    platform, _, address = target.partition(":")
    return platform.lower(), normal(address)
