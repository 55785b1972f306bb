"""Subjects and the use cases that they call."""

from collections.abc import Sequence

from common.events import ContentCreated, Event, ImageFailed, ImageGenerated, PostRewritten, PublishResult
from common.messaging import Job
from common.messaging.queue import QueueSettings
from common.messaging.undertaker import GivenUp, Undertaker
from common.service import Service
from scheduler.broadcast import BroadcastPublished
from scheduler.illustrate import GoOn
from scheduler.route import RoutePost
from scheduler.settle import SettleScheduled


def register(
    service: Service,
    route: RoutePost,
    go_on: GoOn,
    broadcast: BroadcastPublished,
    settle: SettleScheduled,
    undertaker: Undertaker,
) -> None:
    """Let the service consume."""

    async def route_rewritten(event: PostRewritten, job: Job) -> Sequence[Event]:
        """Decide by its route what happens to a rewritten post."""
        return await route(event, job)

    async def go_on_with_image(event: ImageGenerated, job: Job) -> Sequence[Event]:
        """Let a post go on whose image was made."""
        settle.wake(event.post_id, job)
        return await go_on(event, job)

    async def go_on_without_image(event: ImageFailed, job: Job) -> Sequence[Event]:
        """Let a post go on, or hold it, whose image will not be made."""
        settle.wake(event.post_id, job)
        return await go_on(event, job)

    async def go_on_with_content(event: ContentCreated, job: Job) -> None:
        """Let scheduled posts go on whose content was written."""
        settle.wake(event.post_id, job)

    async def follow_publication(event: PublishResult, job: Job) -> Sequence[Event]:
        """Settle the scheduled post that was published or was not, and ask for a post's broadcast."""
        return [*await broadcast(event, job), *await settle(event, job)]

    async def bury_given_up(event: GivenUp, job: Job) -> Sequence[Event]:
        """Send a message that the server has given up to the dead letters."""
        return await undertaker(event, job)

    service.consume("scheduler-routes", route_rewritten)
    service.consume("scheduler-image-generated", go_on_with_image)
    service.consume("scheduler-image-failed", go_on_without_image)
    service.consume("scheduler-contents", go_on_with_content)
    service.consume("scheduler-published", follow_publication)
    service.consume("undertaker", bury_given_up, QueueSettings(concurrency=10))
