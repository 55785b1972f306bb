"""Route a post that was rewritten: publish it now, or hold it for a person."""

from collections.abc import Sequence

from common.events import Event, PostRewritten, PublishRequested
from common.failures import Skip
from common.messaging import Job
from scheduler.ports import Routes
from scheduler.store import Store


class RoutePost:
    """Decides by the route, and records the decision."""

    def __init__(self, routes: Routes, store: Store) -> None:
        self._routes = routes
        self._store = store

    async def __call__(self, event: PostRewritten, job: Job) -> Sequence[Event]:
        """Return the publish request, or nothing where the post is held. Skips where the route is gone."""
        route = await self._routes.route(event.route_id)
        if route is None:
            raise Skip(f"the route {event.route_id} does not exist any more")
        decision, reason = ("hold", "awaits approval") if route.approval else ("publish", "")
        self._store.record(job, event, route, decision, reason)
        if decision == "hold":
            return []
        return [PublishRequested(post_id=event.post_id, rewrite_id=event.rewrite_id, targets=route.targets)]
