"""Subjects and what is done with them."""

from api.store import Notifications
from common.events import NotifyRequested
from common.messaging import Job
from common.service import Service


def register(service: Service, notifications: Notifications) -> None:
    """Let the service consume."""

    async def keep_notification(event: NotifyRequested, job: Job) -> None:
        """Keep a notification, or count it where its like is still open."""
        notifications.add(job, event)

    service.consume("api-notifications", keep_notification)
