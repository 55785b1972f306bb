"""Route a post that was rewritten: publish it now, hold it for a person, or let it wait for its image."""

from collections.abc import Sequence

from common.events import Event, PostRewritten
from common.failures import Skip
from common.messaging import Job
from scheduler.ports import Routes
from scheduler.routing import Routing
from scheduler.store import Store


class RoutePost:
    """Decides by the route, and records the decision."""

    def __init__(self, routes: Routes, store: Store) -> None:
        self._routes = routes
        self._store = store

    async def __call__(self, event: PostRewritten, job: Job) -> Sequence[Event]:
        """Return the publish request, or nothing where the post is held or waits. Skips where the route is gone."""
        route = await self._routes.route(event.route_id)
        if route is None:
            raise Skip(f"the route {event.route_id} does not exist any more")
        routing = Routing(event.post_id, route.id, event.rewrite_id, route.targets)
        if event.illustrate:
            routing = routing.decided("illustrate", "waits for its image")
        elif route.approval:
            routing = routing.decided("hold", "awaits approval")
        self._store.record(job, routing)
        return routing.events()
