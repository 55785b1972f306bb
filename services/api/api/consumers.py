"""Subjects and what is done with them."""

from api.notifying.keeping import Notifications
from api.webhooks.events import announce
from common.events import BroadcastResult, ContentCreated, NotifyRequested, PublishResult
from common.messaging import Job
from common.service import Service


def register(service: Service, notifications: Notifications) -> None:
    """Let the service consume."""

    async def keep_notification(event: NotifyRequested, job: Job) -> None:
        """Keep a notification, or count it where its like is still open, for the channels to tell of it."""
        notifications.add(job, event)

    async def tell_of_publication(event: PublishResult, job: Job) -> None:
        """Tell webhooks how a publish request ended."""
        announce(job, "publish.result", event.model_dump(mode="json"))

    async def tell_of_broadcast(event: BroadcastResult, job: Job) -> None:
        """Tell webhooks how a broadcast ended."""
        announce(job, "broadcast.result", event.model_dump(mode="json"))

    async def tell_of_content(event: ContentCreated, job: Job) -> None:
        """Tell webhooks that a post was written from a brief."""
        announce(job, "content.created", event.model_dump(mode="json"))

    service.consume("api-notifications", keep_notification)
    service.consume("api-webhooks-published", tell_of_publication)
    service.consume("api-webhooks-broadcast", tell_of_broadcast)
    service.consume("api-webhooks-contents", tell_of_content)
