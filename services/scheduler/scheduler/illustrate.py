"""What an image's outcome means for its post: publish it, now or at a slot, or hold it for a person.

A post that waits by its route's decision goes on by its route. A post whose publishing was asked for with an image
(`publish_to`) goes where that request said. Any other image was asked for by hand, and nothing waits for it.
"""

from collections.abc import Sequence
from typing import TypeAlias

from common.events import Event, ImageFailed, ImageGenerated, NotifyRequested, PublishRequested
from common.failures import Retry, Skip
from common.messaging import Job
from common.planning.deciding import waits
from common.planning.going_out import GoingOut
from common.telemetry.propagation import resumed_trace
from scheduler.ports import Routes
from scheduler.route import BY
from scheduler.routing import Routing
from scheduler.store import Store

Outcome: TypeAlias = ImageGenerated | ImageFailed

# Until the routing is looked for again: at first this long, then a quarter of the time that it has been missing.
BEHIND_SECONDS, MOST_BEHIND_SECONDS = 0.5, 60.0


class GoOn:
    """Lets a post go on whose image was made, or will not be made.

    Two outcomes at once for one rewrite, because a person has asked for another image meanwhile, may give two publish
    requests; the publisher leaves the second one out.
    """

    def __init__(self, routes: Routes, store: Store, going_out: GoingOut) -> None:
        self._routes = routes
        self._store = store
        self._going_out = going_out

    async def __call__(self, event: Outcome, job: Job) -> Sequence[Event]:
        """Return the publish request, or a notice that a person must decide; nothing where nothing waits.

        Raises Retry where the image was faster than the decision to wait for it, and Skip where there will be none.
        """
        if event.publish_to is not None:
            return await self._as_requested(event, event.publish_to, job)
        routing = await self._waiting(event, job)
        if routing is None or routing.decision != "illustrate":
            return []
        # In its own trace, also where a person has asked for the image and so began another one.
        with resumed_trace(routing.traceparent, "image join", job.tracer):
            decided, events = await self._decided(event, routing)
            job.emit(events)
        self._store.settle(job, routing, decided)
        return []

    async def _waiting(self, event: Outcome, job: Job) -> Routing | None:
        if event.rewrite_id is None:
            return None
        found = await self._store.standing(event.post_id, event.rewrite_id)
        if found is None:
            raise Skip(f"post {event.post_id} has no rewrite {event.rewrite_id}")
        if found.route_id is None:  # written from a brief: no route decides about it
            return None
        if found.routing is None:
            if found.newer:
                raise Skip(f"rewrite {event.rewrite_id} was followed by another one")
            if await self._routes.route(found.route_id) is None:
                raise Skip(f"the route {found.route_id} does not exist any more")
            behind = min(MOST_BEHIND_SECONDS, max(BEHIND_SECONDS, job.age / 4))
            raise Retry(behind, f"rewrite {event.rewrite_id} is not routed yet")
        return found.routing

    async def _decided(self, event: Outcome, routing: Routing) -> tuple[Routing, Sequence[Event]]:
        """Return what the route decides now, and what is to be told."""
        route = await self._routes.route(routing.route_id)
        if route is None:
            return routing.decided("hold", "its route does not exist any more"), []
        without = ""
        if isinstance(event, ImageFailed):
            if route.image_required:
                return held(event, routing)
            without = f"without an image: {event.reason}"
        if waiting := waits(route, illustrate=False, without=without):
            return routing.decided(*waiting), []
        goes_out = await self._going_out(route, routing.post_id, routing.rewrite_id, routing.targets, BY)
        reason = ", ".join(filter(None, (goes_out.reason, without)))
        return routing.decided(goes_out.decision, reason), goes_out.requests

    async def _as_requested(self, event: Outcome, targets: tuple[str, ...], job: Job) -> Sequence[Event]:
        """Publish as the request said; without the image only where no route of the post requires one.

        A scheduled post is requested anew by its worker, which follows what becomes of its own request only.
        """
        plans = await self._store.plans_without_image(event.post_id, targets)
        if isinstance(event, ImageFailed):
            for routing in await self._store.routings(event.post_id, event.rewrite_id):
                route = await self._routes.route(routing.route_id)
                if route and route.image_required:
                    decided, events = held(event, routing)
                    if routing.decision == "hold":
                        self._store.settle(job, routing, decided)
                    self._store.fail_plans(job, plans.values(), decided.reason)
                    return events
        self._store.resume_plans(job, plans.values())
        left = tuple(target for target in targets if target not in plans)
        if plans and not left:
            return []
        return [PublishRequested(post_id=event.post_id, rewrite_id=event.rewrite_id, targets=left)]


def held(event: ImageFailed, routing: Routing) -> tuple[Routing, Sequence[Event]]:
    """Return the routing of a post that must not be published without its image, and the notice that tells of it."""
    decided = routing.decided("hold", f"its image could not be made: {event.reason}")
    notice = NotifyRequested(
        kind="scheduler.held_without_image",
        title=f"A post is held, as its image could not be made: {event.reason}"[:200],
        detail=f"{event.reason} (post {routing.post_id}, route {routing.route_id})",
        fingerprint=f"scheduler.held_without_image/{routing.route_id}",
        post_id=routing.post_id,
    )
    return decided, [notice]
