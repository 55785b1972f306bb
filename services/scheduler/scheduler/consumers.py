"""Subjects and the use cases that they call."""

from collections.abc import Sequence

from common.events import Event, PostRewritten
from common.messaging import Job
from common.messaging.queue import QueueSettings
from common.messaging.undertaker import GivenUp, Undertaker
from common.service import Service
from scheduler.route import RoutePost


def register(service: Service, route: RoutePost, undertaker: Undertaker) -> None:
    """Let the service consume."""

    async def route_rewritten(event: PostRewritten, job: Job) -> Sequence[Event]:
        """Decide by its route what happens to a rewritten post."""
        return await route(event, job)

    async def bury_given_up(event: GivenUp, job: Job) -> Sequence[Event]:
        """Send a message that the server has given up to the dead letters."""
        return await undertaker(event, job)

    service.consume("scheduler-routes", route_rewritten)
    service.consume("undertaker", bury_given_up, QueueSettings(concurrency=10))
