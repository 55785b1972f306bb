"""Route a post that was rewritten: publish it now or at a slot, hold it for a person, or let it wait for its image."""

from collections.abc import Sequence

from common.events import Event, PostRewritten
from common.failures import Skip
from common.messaging import Job
from common.planning.deciding import waits
from common.planning.going_out import GoingOut
from scheduler.ports import Routes
from scheduler.routing import Routing
from scheduler.store import Store

BY = "scheduler"  # who planned it


class RoutePost:
    """Decides by the route, and records the decision."""

    def __init__(self, routes: Routes, store: Store, going_out: GoingOut) -> None:
        self._routes = routes
        self._store = store
        self._going_out = going_out

    async def __call__(self, event: PostRewritten, job: Job) -> Sequence[Event]:
        """Return the publish request, or nothing where the post is planned, held, or waits.

        Raises Skip where the route is gone.
        """
        route = await self._routes.route(event.route_id)
        if route is None:
            raise Skip(f"the route {event.route_id} does not exist any more")
        routing = Routing(event.post_id, route.id, event.rewrite_id, route.targets)
        if event.held and not route.approval:  # else it would go out without the person who asked for it
            self._store.record(job, routing.decided("hold", "was rewritten again, awaits approval"))
            return []
        if waiting := waits(route, illustrate=event.illustrate):
            self._store.record(job, routing.decided(*waiting))
            return []
        goes_out = await self._going_out(route, event.post_id, event.rewrite_id, route.targets, BY)
        self._store.record(job, routing.decided(goes_out.decision, goes_out.reason))
        return goes_out.requests
